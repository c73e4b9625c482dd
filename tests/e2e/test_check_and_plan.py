"""`check` and `plan`: what they say of every sample sheet, and that neither sends anything."""

from dataclasses import dataclass, field

import pytest

from sync.adapters.addresses import split_ids
from sync.model import SectionId
from tests.e2e.command_line import SAMPLES, Shell, counts_of, rows_of, statuses, summary_of
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.e2e

ALIASES = '[aliases]\n"Titel" = "Title"\n"Reihenfolge" = "DisplayOrder"\n"Aktiv" = "Active"'
URL_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Sample:
    """What a sheet is there to show."""

    name: str
    check: int
    """The exit code of `check`."""
    plan: int
    """The exit code of `plan --detailed-exitcode`."""
    counts: dict[str, int] = field(default_factory=dict)
    """Of the plan."""
    says: tuple[str, ...] = ()
    """What `check` prints, on either stream."""


SHEETS = (
    Sample(
        "demo.xlsx",
        check=4,
        plan=4,
        counts={"unchanged": 5, "invalid": 10, "rejected": 1, "conflict": 1, "skipped": 2, "to_update": 24},
        says=(
            "43 rows read: 10 invalid, 2 skipped, 31 valid.",
            "DisplayOrder must be a whole number, in digits alone: row 10",
            "Id is also on row 26: row 25",
            "Title is a formula that was never calculated",
        ),
    ),
    Sample("reorder_a_course.csv", check=0, plan=10, counts={"unchanged": 3, "to_update": 10}, says=("13 valid",)),
    Sample("translate_titles.xlsx", check=0, plan=10, counts={"to_update": 12}, says=("12 valid",)),
    Sample("publish_timed_unlocks.xlsx", check=0, plan=10, counts={"to_update": 14}, says=("14 valid",)),
    Sample("title_rows_above_header.xlsx", check=0, plan=10, counts={"to_update": 9}, says=("9 valid",)),
    Sample("many_rows_130.xlsx", check=0, plan=10, counts={"to_update": 130}, says=("130 valid",)),
    Sample("nothing_changes.xlsx", check=0, plan=0, counts={"unchanged": 20}, says=("20 valid",)),
    Sample(
        "invalid_rows.xlsx",
        check=4,
        plan=4,
        counts={"invalid": 28, "to_update": 1},
        says=(
            "29 rows read: 28 invalid, 1 valid.",
            "DisplayOrder must be a whole number, in digits alone: rows 2, 6",
            "UnlockType must be 1 (Immediate), 2 (Sequential) or 3 (Timed): rows 8–9",  # noqa: RUF001 - a range
            "NewImageUrl must name its host, not an IP address: row 19",
            "ClearImageFile must not be TRUE while NewImageUrl is given: row 21",
        ),
    ),
    Sample(
        "error_cells_and_uncached_formulas.xlsx",
        check=4,
        plan=4,
        counts={"invalid": 7, "to_update": 2},
        says=("Title is an error in the sheet (#N/A): row 3", "DisplayOrder is a formula that was never calculated"),
    ),
    Sample(
        "unknown_heading.csv",
        check=0,
        plan=0,
        counts={"unchanged": 12},
        says=("Titel", "did you mean Title?"),
    ),
    Sample("duplicate_heading.csv", check=3, plan=3, says=("The column Title is there twice", "B1", "D1")),
    Sample("no_id_column.csv", check=3, plan=3, says=("has no Id column: row 1 has CourseTitle, Title, DisplayOrder",)),
    Sample("german_headings_semicolon.csv", check=3, plan=3, says=("name your headings under [aliases]",)),
)
samples = pytest.mark.parametrize("sample", [pytest.param(sample, id=sample.name) for sample in SHEETS])


def test_every_sample_sheet_is_in_the_table() -> None:
    """A sheet that nobody runs shows nothing."""
    present = {path.name for path in SAMPLES.iterdir() if path.suffix in {".xlsx", ".csv"}}

    assert {sample.name for sample in SHEETS} == present


@samples
def test_check_says_what_the_sheet_is_there_to_show(shell: Shell, sandbox: SandboxProcess, sample: Sample) -> None:
    """Its exit code and its sentences; no network."""
    ran = shell("check", SAMPLES / sample.name, "--out", "out")

    assert ran.code == sample.check
    for sentence in sample.says:
        assert sentence in ran.out + ran.err
    assert sandbox.log() == []
    if sample.check != 3:
        assert summary_of(shell.folder / "out")["exit_code"] == sample.check
        assert set(statuses(shell.folder / "out").values()) <= {"valid", "invalid", "skipped"}


@samples
def test_plan_says_what_would_be_sent_and_sends_nothing(shell: Shell, sandbox: SandboxProcess, sample: Sample) -> None:
    """`--detailed-exitcode`: 4 before 10 before 0; every request is a read, and no record moves."""
    before = sandbox.records()

    ran = shell("plan", SAMPLES / sample.name, "--out", "out", "--detailed-exitcode")

    assert ran.code == sample.plan
    assert {entry["method"] for entry in sandbox.log()} <= {"GET"}
    assert sandbox.records() == before
    if sample.plan != 3:
        assert counts_of(shell.folder / "out") == sample.counts


def test_without_the_option_pending_changes_are_no_reason_for_another_code(shell: Shell) -> None:
    """A plan that went well exits 0."""
    ran = shell("plan", SAMPLES / "reorder_a_course.csv", "--out", "out")

    assert ran.code == 0
    assert counts_of(shell.folder / "out") == {"unchanged": 3, "to_update": 10}


def test_a_check_may_be_the_first_command_of_all(shell: Shell) -> None:
    """It leaves a report in the state directory, and every other command takes that directory as it is."""
    sheet = SAMPLES / "reorder_a_course.csv"

    assert shell("check", sheet).code == 0
    assert shell("history").code == 0
    assert shell("plan", sheet).code == 0


def test_check_needs_no_profile_and_no_token(shell: Shell, sandbox: SandboxProcess) -> None:
    """It judges the sheet by itself."""
    shell.setenv(COURSESYNC_TOKEN=None)

    ran = shell.bare("check", SAMPLES / "translate_titles.xlsx")

    assert ran.code == 0
    assert sandbox.log() == []


def test_the_aliases_of_the_profile_explain_german_headings(shell: Shell, sandbox: SandboxProcess) -> None:
    """With them the sheet is as good as any other."""
    sheet = SAMPLES / "german_headings_semicolon.csv"
    shell.profile(ALIASES)

    checked = shell("check", sheet, "--out", "check")
    planned = shell("plan", sheet, "--out", "plan", "--detailed-exitcode")

    assert (checked.code, planned.code) == (0, 10)
    fields = {change["field"] for row in rows_of(shell.folder / "plan") for change in row["changes"]}
    assert fields <= {"Title", "DisplayOrder", "Active"}
    assert fields >= {"Title", "DisplayOrder"}
    assert sandbox.puts() == []


@pytest.mark.parametrize("words", [("check",), ("plan",), ("apply", "--yes")], ids=["check", "plan", "apply"])
def test_one_invalid_row_holds_the_sheet_where_the_profile_says_so(
    shell: Shell, sandbox: SandboxProcess, words: tuple[str, ...]
) -> None:
    """`on_invalid = "stop"`: exit code 3, nothing sent, and no run in the history."""
    shell.profile('on_invalid = "stop"')

    ran = shell(*words, SAMPLES / "invalid_rows.xlsx")

    assert ran.code == 3
    assert "invalid" in ran.why
    assert sandbox.log() == []
    assert "No runs yet" in shell("history").out


def test_a_sheet_without_invalid_rows_passes_where_the_profile_stops_at_them(shell: Shell) -> None:
    """`on_invalid = "stop"` is about invalid rows, not about conflicts or changes."""
    shell.profile('on_invalid = "stop"')

    ran = shell("plan", SAMPLES / "translate_titles.xlsx", "--detailed-exitcode")

    assert ran.code == 10


def test_a_plan_shows_each_change_and_where_it_would_go(shell: Shell, sandbox: SandboxProcess) -> None:
    """Field by field from live to asked, then the target, what it takes, and the next command."""
    live = sandbox.records()[1414925001]
    sheet = shell.write("mine.xlsx", ["Id", "Title", "DisplayOrder"], [1414925001, "A new title", live["DisplayOrder"]])

    ran = shell("plan", sheet)

    assert ran.code == 0
    assert f"row 2 · 1414925001 · A new title\n    Title: “{live['Title']}” → “A new title”" in ran.out
    assert f"Against {sandbox.base_url} (quayside)" in ran.out
    assert "1 update and " in ran.out
    assert f"Next: Nothing was sent. To send it: coursesync apply {sheet} --profile main" in ran.out
    (row,) = rows_of(shell.folder / "state" / "reports" / ran.out.rsplit("/", 1)[-1].strip())
    assert (row["status"], row["attempts"]) == ("to_update", 0)
    assert row["changes"] == [{"field": "Title", "base": None, "before": live["Title"], "after": "A new title"}]


def test_a_plan_leaves_no_run_behind(shell: Shell) -> None:
    """There is nothing to resume, and nothing to report again."""
    shell("plan", SAMPLES / "translate_titles.xlsx")

    assert "No runs yet" in shell("history").out


def test_the_same_plan_has_the_same_hash(shell: Shell) -> None:
    """The hash names what would be done."""
    for out in ("first", "second"):
        shell("plan", SAMPLES / "translate_titles.xlsx", "--out", out)
    shell("plan", SAMPLES / "many_rows_130.xlsx", "--out", "other")
    first, second, other = (summary_of(shell.folder / out)["plan_hash"] for out in ("first", "second", "other"))

    assert first == second != other


def test_planning_a_whole_account_takes_a_handful_of_reads(shell: Shell, sandbox: SandboxProcess) -> None:
    """As many batches as the Ids need URLs, and one read more at most; no URL longer than servers take."""
    assert shell("export", "-o", "all.xlsx", "--quiet").code == 0
    ids = sorted(sandbox.records())
    seen = len(sandbox.log())

    ran = shell("plan", "all.xlsx", "--quiet")

    reads = sandbox.log()[seen:]
    batches = split_ids([SectionId(key) for key in ids], sandbox.base_url)
    assert ran.code == 0
    assert len(ids) >= 290
    assert {read["method"] for read in reads} == {"GET"}
    assert len(reads) <= len(batches) + 1
    assert max(len(f"{sandbox.base_url}{read['path']}?{read['query']}") for read in reads) <= URL_LONGEST


def test_a_missing_id_is_asked_for_by_itself(shell: Shell, sandbox: SandboxProcess) -> None:
    """Only a 404 on its own address means that there is no such section: `rejected` in the plan already."""
    sheet = shell.write("mine.csv", ["Id", "Title"], [1414925001, "x"], [1414999999, "y"])

    ran = shell("plan", sheet, "--out", "out")

    assert ran.code == 4
    assert statuses(shell.folder / "out") == {2: "to_update", 3: "rejected"}
    assert "/api/content/coursesections/1414999999" in {entry["path"] for entry in sandbox.log()}
