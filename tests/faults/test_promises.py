"""The checker sees what it is there to see: each kind of broken promise, made on purpose, is named."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from sync.frozen import replace
from tests.faults.commands import Commands
from tests.faults.desk import FIRST_ID, TOKEN, Desk
from tests.faults.evidence import STORE, Ending, Evidence
from tests.faults.promises import check
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def honest(shared_sandbox: SandboxProcess, commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """What a run of three rows leaves behind: two updated, one unchanged."""
    shared_sandbox.reset()
    desk = Desk(tmp_path_factory.mktemp("honest"), shared_sandbox, commands)
    desk.write(
        [
            {"Id": FIRST_ID, "Title": "One", "DisplayOrder": 1},
            {"Id": FIRST_ID + 1, "Title": "Two", "DisplayOrder": 5},
            {"Id": FIRST_ID + 2, "Title": f"Section {FIRST_ID + 2}", "DisplayOrder": 3},
        ]
    )
    assert desk.apply().code == 0
    return desk.evidence()


@dataclass(slots=True)
class Forger:
    """A copy of the honest evidence, for a test to bend."""

    evidence: Evidence

    @property
    def out(self) -> Path:
        """Where the report lies."""
        out = self.evidence.endings[0].out
        assert out is not None
        return out

    def puts(self) -> list[dict[str, Any]]:
        """The log entries of PUTs, to be bent in place."""
        return [entry for entry in self.evidence.log if entry["method"] == "PUT"]  # type: ignore[misc] # ours to bend

    def sql(self, statement: str, *values: object) -> None:
        """Bend the journal."""
        with closing(sqlite3.connect(self.evidence.state_dir / STORE)) as store:
            assert store.execute(statement, values).rowcount > 0
            store.commit()

    def report_line(self, number: int, **fields: object) -> None:
        """Bend one line of all files of the report that hold it."""
        path = self.out / "report.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        before = lines[number]["status"]
        lines[number] |= fields
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        summary = json.loads((self.out / "summary.json").read_text())
        summary["counts"][before] -= 1
        summary["counts"][lines[number]["status"]] += 1
        (self.out / "summary.json").write_text(json.dumps(summary))
        table = (self.out / "report.csv").read_text("utf-8-sig").splitlines()
        table[number + 1] = table[number + 1].replace(f'"{before}"', f'"{lines[number]["status"]}"')
        (self.out / "report.csv").write_text("\n".join(table) + "\n", "utf-8-sig")


@pytest.fixture
def forger(honest: Evidence, tmp_path: Path) -> Forger:
    """The honest evidence, copied."""
    state_dir = tmp_path / "state"
    shutil.copytree(honest.state_dir, state_dir)
    endings = [Ending(one.code, state_dir / "reports" / one.out.name) for one in honest.endings if one.out]
    return Forger(replace(honest, state_dir=state_dir, endings=endings, log=deepcopy(honest.log)))


def intent_after_the_put(forger: Forger) -> None:
    forger.sql("UPDATE intents SET at_wall = at_wall + 60 WHERE number = 1")


def outcome_without_intent(forger: Forger) -> None:
    forger.sql("DELETE FROM intents WHERE number = 2")


def another_value_than_intended(forger: Forger) -> None:
    forger.puts()[0]["body"]["Title"] = "Something else"


def updated_though_nothing_was_applied(forger: Forger) -> None:
    forger.puts()[0]["applied"] = False


def verified_though_the_server_holds_another_value(forger: Forger) -> None:
    after = {key: {**record, "Title": "As before"} for key, record in forger.evidence.after.items()}
    forger.evidence = replace(forger.evidence, after=after)


def failed_though_it_was_applied(forger: Forger) -> None:
    forger.report_line(0, status="failed")


def report_from_memory(forger: Forger) -> None:
    forger.sql("""UPDATE rows SET outcome_json = replace(outcome_json, '"yes"', '""') WHERE row = 2""")


def row_reported_twice(forger: Forger) -> None:
    path = forger.out / "report.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[0], lines[2]]) + "\n")


def row_left_out(forger: Forger) -> None:
    path = forger.out / "report.jsonl"
    path.write_text("\n".join(path.read_text().splitlines()[:2]) + "\n")


def status_of_its_own(forger: Forger) -> None:
    path = forger.out / "report.jsonl"
    path.write_text(path.read_text().replace('"unchanged"', '"fine"'))


def counts_that_do_not_add_up(forger: Forger) -> None:
    path = forger.out / "summary.json"
    path.write_text(path.read_text().replace('"updated": 2', '"updated": 3'))


def workbook_of_its_own(forger: Forger) -> None:
    mark_in(forger.out / "report.xlsx", "updated", "unchanged")


def workbook_that_leaves_a_row_out(forger: Forger) -> None:
    mark_in(forger.out / "report.xlsx", "unchanged", None)


def failed_rows_that_have_not_failed(forger: Forger) -> None:
    shutil.copyfile(forger.out / "report.xlsx", forger.out / "failed.xlsx")


def mark_in(path: Path, before: str, after: str | None) -> None:
    """Bend the first result cell of a workbook that holds `before`."""
    book = openpyxl.load_workbook(path)
    cells = (cell for sheet in book for row in sheet.iter_rows() for cell in row)
    next(cell for cell in cells if cell.value == before).value = after
    book.save(path)


def stray_part_of_another_report(forger: Forger) -> None:
    folder = forger.evidence.state_dir / "reports" / "20260101-000000-dead"
    folder.mkdir()
    (folder / ".coursesync-y.part").write_text("half a report")


def dropped_field_in_the_body(forger: Forger) -> None:
    del forger.puts()[0]["body"]["CustomFields"]


def whole_number_for_a_float(forger: Forger) -> None:
    forger.puts()[0]["body"]["WholeFloat"] = 2


def section_that_no_row_names(forger: Forger) -> None:
    forger.evidence = replace(forger.evidence, asked=forger.evidence.asked[1:])


def put_for_an_unchanged_row(forger: Forger) -> None:
    asked = [replace(one, values={"Title": f"Section {one.id}"}) for one in forger.evidence.asked]
    forger.evidence = replace(forger.evidence, asked=asked)


def sent_again(forger: Forger, *, applied: bool) -> None:
    """The first PUT once more, ten seconds later, with an intent of its own."""
    first = forger.puts()[0]
    again = {**first, "n": 99, "applied": applied}
    again |= {"arrived": first["arrived"] + 10, "arrived_wall": first["arrived_wall"] + 10}
    forger.evidence = replace(forger.evidence, log=[*forger.evidence.log, again])
    # Not simply the first intent: two PUTs that are under way at once may overtake each other.
    forger.sql(
        "INSERT INTO intents (run_id, section_id, attempt, changes_json, before_json, at_wall, pid, answer)"
        " SELECT run_id, section_id, 2, changes_json, before_json, at_wall + 9, pid, answer"
        " FROM intents WHERE section_id = ?",
        first["id"],
    )


def blind_retry(forger: Forger) -> None:
    reads = [entry for entry in forger.evidence.log if entry["method"] == "GET"]
    sent_again(forger, applied=False)
    forger.evidence = replace(forger.evidence, log=[*reads[:2], *forger.puts()])


def changed_twice(forger: Forger) -> None:
    sent_again(forger, applied=True)


def second_run_that_sends(forger: Forger) -> None:
    forger.evidence = replace(forger.evidence, converged_after=forger.puts()[0]["n"])


def token_in_a_log(forger: Forger) -> None:
    path = forger.evidence.state_dir.parent / "run.log"
    path.write_text(f'{{"event": "request", "authorization": "Bearer {TOKEN}"}}\n')
    forger.evidence = replace(forger.evidence, texts=[path])


def token_in_a_workbook(forger: Forger) -> None:
    path = forger.out / "report.xlsx"
    import zipfile

    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/comments9.xml", f"<t>{TOKEN}</t>")


def success_with_failed_rows(forger: Forger) -> None:
    forger.report_line(2, status="conflict")


def other_exit_code_than_reported(forger: Forger) -> None:
    forger.evidence = replace(forger.evidence, endings=[replace(forger.evidence.endings[0], code=4)])


def report_that_is_not_there(forger: Forger) -> None:
    (forger.out / "summary.json").unlink()


def stray_part(forger: Forger) -> None:
    (forger.out / ".coursesync-x.part").write_text("half a report")


def stray_input(forger: Forger) -> None:
    (forger.evidence.state_dir / "inputs" / "abc.partial").write_text("half a sheet")


def damaged_store(forger: Forger) -> None:
    path = forger.evidence.state_dir / STORE
    content = bytearray(path.read_bytes())
    content[4096 : 4096 * 6] = bytes(4096 * 5)
    path.write_bytes(content)


def open_intent_in_a_finished_run(forger: Forger) -> None:
    forger.sql("UPDATE intents SET answer = NULL WHERE number = 1")


FORGERIES: list[tuple[str, Callable[[Forger], None]]] = [
    ("I1", intent_after_the_put),
    ("I1", outcome_without_intent),
    ("I1", another_value_than_intended),
    ("I2", updated_though_nothing_was_applied),
    ("I2", verified_though_the_server_holds_another_value),
    ("I2", failed_though_it_was_applied),
    ("I2", report_from_memory),
    ("I3", row_reported_twice),
    ("I3", row_left_out),
    ("I3", status_of_its_own),
    ("I3", counts_that_do_not_add_up),
    ("report.xlsx", workbook_of_its_own),
    ("report.xlsx", workbook_that_leaves_a_row_out),
    ("failed.xlsx", failed_rows_that_have_not_failed),
    ("I4", dropped_field_in_the_body),
    ("I4", whole_number_for_a_float),
    ("I5", section_that_no_row_names),
    ("I5", put_for_an_unchanged_row),
    ("without a read between", blind_retry),
    ("changed more than once", changed_twice),
    ("I5", second_run_that_sends),
    ("I6", token_in_a_log),
    ("I6", token_in_a_workbook),
    ("I7", success_with_failed_rows),
    ("I7", other_exit_code_than_reported),
    ("I7", report_that_is_not_there),
    ("I8", stray_part),
    ("I8", stray_part_of_another_report),
    ("I8", stray_input),
    ("I8", damaged_store),
    ("I8", open_intent_in_a_finished_run),
]


def test_an_honest_run_breaks_nothing(forger: Forger) -> None:
    """What a run leaves behind as it is: every promise holds."""
    assert check(forger.evidence) == []


@pytest.mark.parametrize(
    ("promise", "forge"), [pytest.param(promise, forge, id=forge.__name__) for promise, forge in FORGERIES]
)
def test_a_broken_promise_is_named(promise: str, forge: Callable[[Forger], None], forger: Forger) -> None:
    """Each of the eight promises, broken on purpose in one way or more."""
    forge(forger)

    assert any(promise in said for said in check(forger.evidence))


def test_a_held_lock_is_named(forger: Forger) -> None:
    """I8: whoever holds the lock after the end has not ended."""
    import fcntl

    with (forger.evidence.state_dir / "run.lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        assert "I8: the lock is still held" in check(forger.evidence)
