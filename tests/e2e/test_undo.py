"""`undo`: what a run wrote is taken back where nobody wrote after it, and everything else is left and named."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command_line import Ran, Shell, as_json, counts_of, refused, rows_of, statuses, summary_of, table_of
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.e2e

KEY, OTHER, THIRD = 1414925001, 1414925007, 1414925023
HEADINGS = ["Id", "Title", "DisplayOrder", "SectionContents"]
ONE_A_DAY = '[{ scope = "write", count = 1, seconds = 3600 }]'
EVE = "eve@example.com"


def runs_of(shell: Shell) -> list[dict[str, Any]]:
    """The runs of the profile, newest first."""
    found: list[dict[str, Any]] = json.loads(shell("history", "--json").out)
    return found


def last_run(shell: Shell) -> str:
    return str(runs_of(shell)[0]["run_id"])


def content(sandbox: SandboxProcess) -> dict[int, dict[str, Any]]:
    """What sections hold, without who wrote them last and when."""
    ours = {"UpdatedOn", "UpdatedBy"}
    return {
        key: {name: value for name, value in record.items() if name not in ours}
        for key, record in sandbox.records().items()
    }


@pytest.fixture
def run(shell: Shell) -> str:
    """A run that changed three sections; row 3 of its sheet was left out."""
    shell.write(
        "mine.xlsx",
        ["Command", *HEADINGS],
        [None, KEY, "Mine", 77, None],
        ["skip", KEY, None, None, None],
        [None, OTHER, "Mine too", None, "<p>Mine, and as long as it has to be</p>"],
        [None, THIRD, None, 79, None],
    )
    assert shell.apply("mine.xlsx", "--allow", "contents_shrunk").code == 0
    return last_run(shell)


def undo(shell: Shell, run: str, *words: str, out: str = "undone") -> Ran:
    return shell("undo", run, "--yes", "--out", out, *words)


def test_apply_and_undo_is_the_identity_where_nobody_else_wrote(shell: Shell, sandbox: SandboxProcess) -> None:
    """Every field is exactly as it was; an undo is a run, and its undo gives what the first run had made."""
    first = content(sandbox)
    shell.write("mine.xlsx", HEADINGS, [KEY, "Mine", 77, None], [OTHER, "Mine too", None, "<p>Mine</p>"])
    shell.apply("mine.xlsx", "--allow", "contents_shrunk")
    applied, run = content(sandbox), last_run(shell)

    undone = undo(shell, run)
    back, of_undo = content(sandbox), last_run(shell)
    redone = undo(shell, of_undo, "--allow", "contents_shrunk", out="redone")

    assert (undone.code, redone.code) == (0, 0)
    assert as_json(back) == as_json(first)
    assert as_json(content(sandbox)) == as_json(applied)
    assert [(entry["command"], entry["undoes"]) for entry in runs_of(shell)] == [
        ("undo", of_undo),
        ("undo", run),
        ("apply", None),
    ]


def test_the_report_is_about_the_rows_of_the_run(shell: Shell, sandbox: SandboxProcess, run: str) -> None:
    """Only those that it wrote, by the row of its sheet, with the run that was taken back; done again, it is quiet."""
    ran = undo(shell, run)
    puts = len(sandbox.puts())
    again = undo(shell, run, out="again")

    out = shell.folder / "undone"
    summary = summary_of(out)
    assert ran.code == 0
    assert statuses(out) == {2: "updated", 4: "updated", 5: "updated"}
    assert (summary["command"], summary["input"]["rows"]) == ("undo", 3)
    assert [(issue["code"], issue["message"]) for issue in summary["issues"]] == [
        ("undo.run", f"takes back what run {run} wrote")
    ]
    assert [(row["row"], row["changed"], row["verified"]) for row in table_of(out)] == [
        ("2", "Title;DisplayOrder", "yes"),
        ("4", "Title;SectionContents", "yes"),
        ("5", "DisplayOrder", "yes"),
    ]
    assert {path.name for path in out.iterdir()} == {"report.xlsx", "report.csv", "report.jsonl", "summary.json"}
    assert (again.code, counts_of(shell.folder / "again")) == (0, {"unchanged": 3})
    assert len(sandbox.puts()) == puts


# two editors -------------------------------------------------------------------------------------------------------


def test_what_somebody_changed_since_stays_and_is_named(shell: Shell, sandbox: SandboxProcess, run: str) -> None:
    """Field by field: their Title stays, our DisplayOrder goes; a row of which nothing is ours is a conflict."""
    was = next(change["before"] for change in sandbox.history() if change["id"] == KEY)
    sandbox.edit(KEY, EVE, Title="Theirs")
    sandbox.edit(THIRD, EVE, DisplayOrder=5)
    sandbox.edit(OTHER, EVE, Active=False)

    ran = undo(shell, run)

    records, rows = sandbox.records(), {row["row"]: row for row in rows_of(shell.folder / "undone")}
    assert ran.code == 4
    assert statuses(shell.folder / "undone") == {2: "updated", 4: "updated", 5: "conflict"}
    assert (records[KEY]["Title"], records[KEY]["DisplayOrder"]) == ("Theirs", was["DisplayOrder"])
    assert records[THIRD]["DisplayOrder"] == 5
    assert records[OTHER]["Active"] is False
    (partly,) = rows[2]["issues"]
    assert (partly["code"], partly["property"], partly["severity"]) == ("undo.changed_since", "Title", "warning")
    assert EVE in partly["message"]
    (left,) = rows[5]["issues"]
    assert (left["code"], left["property"], left["severity"]) == ("undo.changed_since", "DisplayOrder", "error")
    assert (shell.folder / "undone" / "failed.xlsx").exists()


def test_an_edit_between_the_undos_plan_and_its_put_is_kept(shell: Shell, sandbox: SandboxProcess, run: str) -> None:
    """An undo that was stopped is resumed later: what moved meanwhile is a conflict, whatever the profile says."""
    shell.profile('wait_max_s = 0.5\nverify = false\non_conflict = "sheet"', limits=ONE_A_DAY)
    stopped = undo(shell, run)
    (left, *_) = [row["id"] for row in rows_of(shell.folder / "undone") if row["status"] == "not_attempted"]
    sandbox.edit(left, EVE, Title="Theirs", DisplayOrder=1234)
    shell.profile('on_conflict = "sheet"')
    puts = len(sandbox.puts())

    resumed = shell("resume", "--out", "resumed")

    row = next(row for row in rows_of(shell.folder / "resumed") if row["id"] == left)
    assert (stopped.code, resumed.code) == (5, 4)
    assert row["status"] == "conflict"
    assert all("was changed by somebody else since this was planned" in issue["message"] for issue in row["issues"])
    assert sandbox.records()[left]["DisplayOrder"] == 1234
    assert left not in [put["id"] for put in sandbox.puts()[puts:]]
    assert counts_of(shell.folder / "resumed") == {"updated": 2, "conflict": 1}


def test_what_the_server_rewrote_is_known_as_ours(shell: Shell, sandbox: SandboxProcess) -> None:
    """It is put back even after a later run was, whose value had taken its place."""
    sandbox.options(html="rewrite")
    first = sandbox.records()[KEY]["SectionContents"]
    runs = []
    for text in ("<B>One", "<B>Two"):
        shell.write("mine.xlsx", ["Id", "SectionContents"], [KEY, text])
        assert shell.apply("mine.xlsx", "--allow", "contents_shrunk").code == 0
        runs.append(last_run(shell))
    assert sandbox.records()[KEY]["SectionContents"] != "<B>Two"

    later, earlier = undo(shell, runs[1], out="later"), undo(shell, runs[0], out="earlier")

    assert (later.code, earlier.code) == (0, 0)
    assert counts_of(shell.folder / "earlier") == {"updated": 1}
    assert len(sandbox.records()[KEY]["SectionContents"]) == pytest.approx(len(first), rel=0.1)


def test_images_cannot_be_undone(shell: Shell, sandbox: SandboxProcess) -> None:
    """The plan says so before, the undo says so after, and the image stays."""
    shell.write("mine.xlsx", ["Id", "Title", "NewImageUrl"], [KEY, "Mine", "https://example.com/new.png"])
    planned = shell("plan", "mine.xlsx", "--out", "plan")
    shell.apply("mine.xlsx", "--allow", "images_removed")
    image = sandbox.records()[KEY]["ImageFileName"]

    ran = undo(shell, last_run(shell))

    (row,) = rows_of(shell.folder / "undone")
    assert "they cannot be undone" in planned.out
    assert ran.code == 0
    assert [(issue["code"], issue["property"]) for issue in row["issues"]] == [("undo.image", "NewImageUrl")]
    assert "cannot be undone" in ran.out
    assert sandbox.records()[KEY]["ImageFileName"] == image
    assert sandbox.puts()[-1]["body"]["NewImageUrl"] is None


# seeing and choosing -----------------------------------------------------------------------------------------------


def test_without_a_terminal_and_without_yes_it_only_shows(shell: Shell, sandbox: SandboxProcess, run: str) -> None:
    """The plan as text, as a report and as JSON; exit 6, and nothing is sent or begun."""
    puts = len(sandbox.puts())

    shown, as_object = shell("undo", run, "--out", "shown"), shell("undo", run, "--json", "--out", "shown")

    assert (shown.code, as_object.code) == (6, 6)
    assert "77 →" in shown.out
    assert "Give --yes" in shown.why
    assert as_object.json["counts"]["to_update"] == 3
    assert (as_object.json["exit_code"], as_object.json["command"]) == (6, "undo")
    assert statuses(shell.folder / "shown") == {2: "to_update", 4: "to_update", 5: "to_update"}
    assert len(sandbox.puts()) == puts
    assert len(runs_of(shell)) == 1


def test_it_can_be_limited_to_rows_and_fields(shell: Shell, sandbox: SandboxProcess, run: str) -> None:
    """Only these are put back and reported; the rest of the run stands until it is asked for."""
    expected = {
        ("--rows", "4-5", "--fields", "Title"): {4: "Title"},
        ("--fields", "display order"): {2: "DisplayOrder", 5: "DisplayOrder"},
        ("--rows", "2, 5-9"): {2: "Title", 5: ""},
        (): {2: "", 4: "SectionContents", 5: ""},
    }
    for words, changed in expected.items():
        assert undo(shell, run, *words).code == 0
        assert {int(row["row"]): row["changed"] for row in table_of(shell.folder / "undone")} == changed
    assert len(sandbox.puts()) == 3 + 5


def test_a_choice_that_means_nothing_is_refused(shell: Shell, sandbox: SandboxProcess, run: str) -> None:
    """Exit 2 with the way on, and nothing is sent."""
    refused(undo(shell, run, "--rows", "x"), 2, "--rows takes row numbers")
    refused(undo(shell, run, "--rows", "9-5"), 2, "--rows takes a range from its lower end: 5-9")
    refused(undo(shell, run, "--rows", "3"), 2, "wrote nothing in these rows and fields")
    refused(undo(shell, run, "--fields", "Titel"), 2, 'Did you mean "Title"?')
    refused(undo(shell, run, "--fields", "UpdatedOn"), 2, "no field that a run can write")
    refused(undo(shell, "no-such-run"), 2, "There is no run", "coursesync history")
    assert len(sandbox.puts()) == 3


def test_a_rail_holds_an_undo_as_any_other_plan(shell: Shell, sandbox: SandboxProcess, run: str) -> None:
    """Exit 6, the option is named and lifts it, and the history shows that."""
    shell.profile("[rails.rows_changed]\nmax = 2")

    held, lifted = undo(shell, run, out="held"), undo(shell, run, "--allow", "rows_changed")

    refused(held, 6, "rows_changed", "--allow rows_changed")
    assert counts_of(shell.folder / "held") == {"to_update": 3}
    assert lifted.code == 0
    assert len(sandbox.puts()) == 6
    assert runs_of(shell)[0]["allowed"] == ["rows_changed"]


# stopped runs ------------------------------------------------------------------------------------------------------


def test_a_stopped_undo_is_resumed_and_no_sheet_takes_it_for_its_own(shell: Shell, run: str) -> None:
    """`resume` ends it; applying the sheet of the run that it takes back is another run."""
    shell.profile("wait_max_s = 0.5", limits=ONE_A_DAY)
    stopped = undo(shell, run)
    shell.profile()
    applied = shell.apply("mine.xlsx", "--allow", "contents_shrunk")
    commands = [(entry["command"], entry["state"]) for entry in runs_of(shell)]

    resumed = shell("resume", "--out", "resumed")

    assert stopped.code == 5
    assert applied.code == 0
    assert commands == [("apply", "finished"), ("undo", "stopped"), ("apply", "finished")]
    assert resumed.code == 0
    assert counts_of(shell.folder / "resumed") == {"updated": 3}


def test_a_run_that_was_stopped_can_be_undone(shell: Shell, sandbox: SandboxProcess) -> None:
    """What it has written is taken back; the rest of it stays to be resumed."""
    first = content(sandbox)
    shell.write("mine.xlsx", HEADINGS, [KEY, "Mine", 77, None], [OTHER, "Mine too", None, None])
    shell.profile("wait_max_s = 0.5", limits=ONE_A_DAY)
    stopped = shell.apply("mine.xlsx")
    shell.profile()

    ran = undo(shell, last_run(shell))

    assert (stopped.code, ran.code) == (5, 0)
    assert counts_of(shell.folder / "undone") == {"updated": 1}
    assert as_json(content(sandbox)) == as_json(first)


def test_a_run_that_wrote_nothing_has_nothing_to_undo(shell: Shell, sandbox: SandboxProcess) -> None:
    """Exit 0 and an empty report."""
    shell.write("mine.xlsx", ["Id", "Title"], [KEY, sandbox.records()[KEY]["Title"]])
    shell.apply("mine.xlsx")

    ran = undo(shell, last_run(shell))

    assert ran.code == 0
    assert counts_of(shell.folder / "undone") == {}
    assert sandbox.puts() == []


def test_a_report_of_an_undo_asks_for_nothing_if_it_is_sent(shell: Shell, sandbox: SandboxProcess, run: str) -> None:
    """Its labels are no edits: every row of it is skipped."""
    sandbox.edit(THIRD, EVE, DisplayOrder=5)
    undo(shell, run)
    puts = len(sandbox.puts())

    for name in ("report.xlsx", "failed.xlsx"):
        ran = shell.apply(Path("undone") / name)

        assert set(counts_of(shell.folder / "out")) == {"skipped"}, ran.err
    assert len(sandbox.puts()) == puts
