"""The report files: what is in them, and that each is whole or not there at all."""

import csv
import errno
import json
import stat
from pathlib import Path

import pytest

from sync.adapters.report_files import write_reports
from sync.adapters.whole_file import Disk, FileNotWritten, place
from sync.errors import InternalError
from sync.frozen import replace
from sync.model import InputFacts, Issue, Label, Outcome, RowNumber, RunId, RunReport, Status

NAMES = ["failed.xlsx", "report.csv", "report.jsonl", "report.xlsx", "summary.json"]


class FailingDisk(Disk):
    """A disk on which one kind of effect fails, from the first time or a later one on."""

    def __init__(self, effect: str, code: int, *, after: int = 0) -> None:
        """Fail `effect` with `code`, once it has gone well `after` times."""
        self._effect, self._code, self._left = effect, code, after

    def _may_fail(self, effect: str) -> None:
        if effect != self._effect:
            return
        if self._left == 0:
            raise OSError(self._code, errno.errorcode[self._code])
        self._left -= 1

    def create(self, directory: Path) -> tuple[int, Path]:
        """Fail as a folder without room does."""
        self._may_fail("create")
        return super().create(directory)

    def write(self, descriptor: int, content: memoryview) -> int:
        """Fail in the middle of the content."""
        super().write(descriptor, content[:1])
        self._may_fail("write")
        return 1 + super().write(descriptor, content[1:])

    def flush(self, descriptor: int) -> None:
        """Fail as a dying disk does."""
        self._may_fail("flush")
        super().flush(descriptor)

    def rename(self, part: Path, path: Path) -> None:
        """Fail as a place that is taken does."""
        self._may_fail("rename")
        super().rename(part, path)

    def flush_directory(self, directory: Path) -> None:
        """Fail after the rename."""
        self._may_fail("flush_directory")
        super().flush_directory(directory)

    def remove(self, path: Path) -> None:
        """Fail for `failed.xlsx` only."""
        if path.name == "failed.xlsx":
            self._may_fail("remove")
        super().remove(path)


def report_of(*statuses: Status, title: str = "Ünïcode") -> RunReport:
    issue = Issue("cell.not_a_number", "must be a whole number", "DisplayOrder")
    outcomes = tuple(
        Outcome(RowNumber(row), Label("7", "1", title), status, issues=(issue,) if status is Status.INVALID else ())
        for row, status in enumerate(statuses, start=2)
    )
    facts = InputFacts("s.xlsx", "", "Sections", len(outcomes))
    return RunReport(RunId("r1"), "apply", "p", "http://127.0.0.1/api", facts, outcomes, "t0", "t1", 4)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_five_files_are_written_for_their_owner_only(tmp_path: Path) -> None:
    """All files of the contract, mode 0600, nothing else beside them; folders that are missing are made as private."""
    out = tmp_path / "a" / "b"

    written = write_reports(report_of(Status.UPDATED, Status.INVALID), out)

    assert names_in(out) == NAMES == sorted(path.name for path in written.files)
    assert {stat.S_IMODE(path.stat().st_mode) for path in written.files} == {0o600}
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in (out, out.parent)] == [0o700, 0o700]
    assert written.notes == ()


def test_failed_is_absent_and_an_old_one_removed_when_nothing_needs_attention(tmp_path: Path) -> None:
    """A `failed.xlsx` of an earlier run must not be sent again by mistake."""
    (tmp_path / "failed.xlsx").write_bytes(b"old")

    written = write_reports(report_of(Status.UPDATED, Status.SKIPPED), tmp_path)

    assert names_in(tmp_path) == [name for name in NAMES if name != "failed.xlsx"]
    assert [path.name for path in written.files] == ["report.xlsx", "report.csv", "report.jsonl", "summary.json"]


def test_an_old_failed_that_cannot_be_removed_is_said(tmp_path: Path) -> None:
    """The operator learns that the file is not of this run."""
    (tmp_path / "failed.xlsx").write_bytes(b"old")

    written = write_reports(report_of(Status.UPDATED), tmp_path, disk=FailingDisk("remove", errno.EACCES))

    assert written.notes == ("failed.xlsx is from an earlier run and could not be removed (EACCES): do not use it.",)


def test_the_csv_is_quoted_and_excel_reads_its_accents(tmp_path: Path) -> None:
    """UTF-8 with its mark, every field quoted, formulas guarded."""
    write_reports(report_of(Status.UPDATED, title='=é"1"'), tmp_path)
    content = (tmp_path / "report.csv").read_bytes()

    rows = list(csv.DictReader(content.decode("utf-8-sig").splitlines()))

    assert content.startswith(b'\xef\xbb\xbf"sheet","row","Id"')
    assert rows[0]["Title"] == '\'=é"1"'


def test_a_line_of_the_jsonl_is_a_row_whatever_it_holds(tmp_path: Path) -> None:
    """No text breaks a line or the encoding, not even a line separator or half of a surrogate pair."""
    title = "a\u2028b\u0085c\nd\ud800e\x00"
    write_reports(report_of(Status.UPDATED, Status.INVALID, title=title), tmp_path)

    lines = (tmp_path / "report.jsonl").read_text(encoding="utf-8").splitlines()

    assert [json.loads(line)["row"] for line in lines] == [2, 3]


def test_the_summary_is_json(tmp_path: Path) -> None:
    """`summary.json` holds the counts and the grouped problems."""
    write_reports(report_of(Status.UPDATED, Status.INVALID), tmp_path)

    summary = json.loads((tmp_path / "summary.json").read_bytes())

    assert (summary["counts"]["invalid"], summary["issues"][0]["rows"]) == (1, [3])


def test_an_incomplete_report_is_never_written(tmp_path: Path) -> None:
    """Counts that do not add up stop before the first file."""
    report = replace(report_of(Status.UPDATED), input=InputFacts("s.xlsx", "", "Sections", 5))

    with pytest.raises(InternalError):
        write_reports(report, tmp_path)
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO], ids=["disk-full", "input-output-error"])
@pytest.mark.parametrize("effect", ["create", "write", "flush", "rename"])
def test_a_failing_disk_leaves_the_old_file_and_no_part(tmp_path: Path, effect: str, code: int) -> None:
    """Whatever fails, the old file is whole, no part is left behind, and the error says which file and why."""
    target = tmp_path / "report.csv"
    target.write_bytes(b"old")

    with pytest.raises(FileNotWritten, match=rf"report\.csv could not be written: {errno.errorcode[code]}"):
        place(target, b"new", disk=FailingDisk(effect, code))

    assert (names_in(tmp_path), target.read_bytes()) == (["report.csv"], b"old")


def test_one_file_that_fails_does_not_keep_the_others_back(tmp_path: Path) -> None:
    """With the disk full after two files, those two are whole and the run learns of the third."""
    with pytest.raises(FileNotWritten, match=r"report\.jsonl"):
        write_reports(report_of(Status.INVALID), tmp_path, disk=FailingDisk("write", errno.ENOSPC, after=2))

    assert names_in(tmp_path) == ["report.csv", "summary.json"]


def test_a_directory_that_cannot_be_flushed_is_an_error(tmp_path: Path) -> None:
    """A name that may be gone after a power cut is not called written."""
    with pytest.raises(FileNotWritten):
        place(tmp_path / "report.csv", b"new", disk=FailingDisk("flush_directory", errno.EIO))


def test_a_place_that_is_taken_gets_a_file_beside_it(tmp_path: Path) -> None:
    """A folder in the way (or a file open in Excel) sends the report to another name, and that is said."""
    (tmp_path / "report.xlsx" / "x").mkdir(parents=True)

    written = write_reports(report_of(Status.UPDATED), tmp_path)

    assert tmp_path / "report (2).xlsx" in written.files
    assert written.notes == ("report.xlsx could not be replaced (Is a directory): the new one is report (2).xlsx.",)


def test_a_link_is_replaced_and_its_target_left_alone(tmp_path: Path) -> None:
    """A report never writes through a symbolic link."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"mine")
    (tmp_path / "report.csv").symlink_to(elsewhere)

    place(tmp_path / "report.csv", b"new")

    assert (elsewhere.read_bytes(), (tmp_path / "report.csv").is_symlink()) == (b"mine", False)


def test_parts_of_a_killed_process_are_swept(tmp_path: Path) -> None:
    """What a kill left behind is gone after the next report."""
    (tmp_path / ".coursesync-abc.part").write_bytes(b"half")

    write_reports(report_of(Status.UPDATED), tmp_path)

    assert not list(tmp_path.glob(".coursesync-*"))


def test_a_folder_that_cannot_be_made_is_an_error_of_its_own(tmp_path: Path) -> None:
    """A file where the folder should be: one sentence, not a traceback."""
    (tmp_path / "out").write_bytes(b"")

    with pytest.raises(FileNotWritten):
        write_reports(report_of(Status.UPDATED), tmp_path / "out")
