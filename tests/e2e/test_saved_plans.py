"""Saved plans on the command line: what was reviewed is what is sent, or less of it, or nothing."""

import hashlib
import json
import re
import stat
import time
from datetime import datetime
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.e2e.command_line import SAMPLES, Ran, Shell, counts_of, refused, rows_of, statuses, summary_of
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.e2e

TITLES = SAMPLES / "translate_titles.xlsx"
"""Twelve rows, each a new title."""


def saved(shell: Shell, sheet: Path = TITLES, *words: str, name: str = "plan.json") -> Path:
    """Plan `sheet`, and save the plan."""
    ran = shell("plan", sheet, "-o", name, "--out", "planned", *words)
    assert ran.code in {0, 4, 6}, ran.err
    return shell.folder / name


def apply(shell: Shell, plan: Path, *words: str) -> Ran:
    return shell.apply(plan, *words)


def checksum_of(plan: Path) -> str:
    return hashlib.sha256(plan.read_bytes()).hexdigest()


def test_a_saved_plan_is_sent_as_it_was_shown(shell: Shell, sandbox: SandboxProcess) -> None:
    """0600, beside the sheet and among the report's files; its run reports on the operator's own sheet."""
    plan = saved(shell)

    assert stat.S_IMODE(plan.stat().st_mode) == 0o600
    assert stat.S_IMODE((shell.state / "plan.key").stat().st_mode) == 0o600
    assert (shell.folder / "planned" / "plan.json").read_bytes() == plan.read_bytes()
    planned = {row["id"]: row["changes"] for row in rows_of(shell.folder / "planned")}
    assert sandbox.puts() == []

    ran = apply(shell, plan)

    assert ran.code == 0
    assert {row["id"]: row["changes"] for row in rows_of(shell.folder / "out")} == planned
    assert len(sandbox.puts()) == 12
    assert (shell.folder / "out" / "report.xlsx").is_file()
    summary = summary_of(shell.folder / "out")
    assert summary["plan_hash"] == summary_of(shell.folder / "planned")["plan_hash"]
    assert summary["input"]["path"] == str(TITLES)


def test_every_row_of_the_sheet_is_in_the_report(shell: Shell, sandbox: SandboxProcess) -> None:
    """Rows that the plan does not send keep what it found of them, messages included; the exit code is theirs too."""
    plan = saved(shell, SAMPLES / "demo.xlsx")

    ran = apply(shell, plan)

    planned, applied = statuses(shell.folder / "planned"), statuses(shell.folder / "out")
    assert ran.code == 4
    assert planned.keys() == applied.keys()
    sent = {row for row, status in planned.items() if status == "to_update"}
    assert {row: applied[row] for row in applied.keys() - sent} == {row: planned[row] for row in planned.keys() - sent}
    (bad,) = next(row["issues"] for row in rows_of(shell.folder / "out") if row["row"] == 10)
    assert (bad["property"], bad["attempted_value"], bad["cell"]) == ("DisplayOrder", "soon", "Sections!F10")
    assert len(sandbox.puts()) == len(sent)


def test_a_plan_is_known_by_its_content(shell: Shell) -> None:
    """Not by its name; and a sheet is none, whatever it is called."""
    plan = saved(shell)
    other = plan.rename(shell.folder / "march.txt")

    assert apply(shell, other).code == 0
    refused(shell.apply(TITLES, "--checksum", "0" * 64), 2, "--checksum holds a saved plan")


def test_a_checksum_holds_the_plan_that_was_reviewed(shell: Shell, sandbox: SandboxProcess) -> None:
    """Printed at `plan`, the same as `sha256sum` gives, demanded at `apply`."""
    ran = shell("plan", TITLES, "-o", "plan.json")
    plan = shell.folder / "plan.json"
    machine = shell("plan", TITLES, "-o", "other.json", "--json").json["plan"]

    assert f"Checksum: {checksum_of(plan)}" in ran.out
    assert machine["checksum"] == checksum_of(shell.folder / "other.json")
    assert (machine["updates"], machine["rows_by_field"]) == (12, {"Title": 12})
    assert machine["finish_at"] < machine["expires_at"]
    refused(apply(shell, plan, "--checksum", machine["checksum"]), 7, "not the plan that was reviewed")
    assert sandbox.puts() == []
    assert apply(shell, plan, "--checksum", checksum_of(plan)).code == 0


def test_a_row_whose_section_moved_is_decided_again(shell: Shell, sandbox: SandboxProcess) -> None:
    """Changed by somebody: a conflict, whatever the profile says. As asked by now: unchanged. Elsewhere: sent."""
    shell.profile('on_conflict = "sheet"')
    plan = saved(shell)
    ids = [row["id"] for row in rows_of(shell.folder / "planned")]
    wanted = rows_of(shell.folder / "planned")[1]["changes"][0]["after"]
    sandbox.edit(ids[0], Title="Somebody's own")
    sandbox.edit(ids[1], Title=wanted)
    sandbox.edit(ids[2], DisplayOrder=77)

    ran = apply(shell, plan)

    assert ran.code == 4
    assert counts_of(shell.folder / "out") == {"updated": 10, "unchanged": 1, "conflict": 1}
    assert sandbox.records()[ids[0]]["Title"] == "Somebody's own"
    assert sandbox.records()[ids[2]]["DisplayOrder"] == 77
    rows = {row["id"]: row for row in rows_of(shell.folder / "out")}
    assert "since this plan was made" in rows[ids[0]]["issues"][0]["message"]
    assert [issue["code"] for issue in rows[ids[2]]["issues"]] == ["plan.moved"]


@pytest.fixture
def moved(shell: Shell, sandbox: SandboxProcess) -> Path:
    """Two titles that a run has made so and somebody has changed since, and a sheet that asks for others."""
    shell.apply(shell.write("first.csv", ("Id", "Title"), (1414925001, "Ours 1"), (1414925007, "Ours 2")))
    sandbox.edit(1414925001, Title="Theirs 1")
    sandbox.edit(1414925007, Title="Theirs 2")
    return shell.write("second.csv", ("Id", "Title"), (1414925001, "New 1"), (1414925007, "New 2"))


def test_a_live_value_that_was_accepted_is_what_is_wanted_from_then_on(
    shell: Shell, sandbox: SandboxProcess, moved: Path
) -> None:
    """`live` for a conflict of a saved plan: no drift any more, and no conflict for the next sheet."""
    saved(shell, moved)
    plan = saved(shell, moved, "--choose", "2=live,3=live")
    assert counts_of(shell.folder / "planned") == {"unchanged": 2}
    before = len(sandbox.puts())
    assert shell("drift", "--detailed-exitcode", "--out", "drift").code == 10

    ran = apply(shell, plan)

    assert (ran.code, len(sandbox.puts())) == (0, before)
    assert shell("drift", "--detailed-exitcode", "--out", "drift").code == 0
    third = shell.write("third.csv", ("Id", "Title"), (1414925001, "Newest 1"))
    shell("plan", third, "--out", "later")
    assert counts_of(shell.folder / "later") == {"to_update": 1}


def test_a_live_value_that_has_changed_again_is_not_accepted(
    shell: Shell, sandbox: SandboxProcess, moved: Path
) -> None:
    """The word was for what the reviewer saw; the report says so, and the next plan shows the conflict anew."""
    saved(shell, moved)
    plan = saved(shell, moved, "--choose", "2=live,3=sheet")
    sandbox.edit(1414925001, Title="Theirs once more")

    ran = apply(shell, plan)

    assert ran.code == 0
    assert counts_of(shell.folder / "out") == {"unchanged": 1, "updated": 1}
    first, _second = rows_of(shell.folder / "out")
    assert [issue["code"] for issue in first["issues"]] == ["plan.moved"]
    assert "has changed again since it was accepted" in first["issues"][0]["message"]
    shell("plan", moved, "--out", "later")
    assert counts_of(shell.folder / "later") == {"conflict": 1, "unchanged": 1}


def test_a_resume_of_a_plan_overwrites_nobody_either(shell: Shell, sandbox: SandboxProcess) -> None:
    """Even long after the plan has expired, its run goes on, and by the rule of the plan."""
    # With more than one in flight, an accepted row may be heard between the two that are rejected.
    shell.profile('on_conflict = "sheet"\nplan_good_for_s = 10\nstop_after = 2\nin_flight = 1')
    plan = saved(shell)
    ids = [row["id"] for row in rows_of(shell.folder / "planned")]
    sandbox.faults([{"match": {"method": "PUT", "nth": n}, "action": "status", "status": 422} for n in (1, 2)])
    assert apply(shell, plan).code == 5
    sandbox.faults([])
    left = [row["id"] for row in rows_of(shell.folder / "out") if row["status"] == "not_attempted"]
    sandbox.edit(left[0], Title="Somebody's own")
    (expires_at,) = re.findall(r'"expires_at":"([^"]+)"', plan.read_text(encoding="utf-8"))
    time.sleep(max(0.0, datetime.fromisoformat(expires_at).timestamp() - time.time()))

    ran = apply(shell, plan)

    assert ran.code == 4
    assert set(left) < set(ids)
    assert sandbox.records()[left[0]]["Title"] == "Somebody's own"
    assert counts_of(shell.folder / "out")["conflict"] == 1
    assert counts_of(shell.folder / "out")["updated"] >= len(left) - 1


# F38: edited, re-used, expired, from elsewhere -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"Drying & stacking", b"Drying & stocking", id="one letter of a value"),
        pytest.param(b'"row":13', b'"row":14', id="a row"),
        pytest.param(b'"expires_at":"20', b'"expires_at":"30', id="its expiry"),
        pytest.param(b'"allowed":[]', b'"allowed":["sections_moved"]', id="what is lifted"),
        pytest.param(b"}\n", b"} \n", id="white space"),
    ],
)
def test_f38_an_edited_plan_is_refused(shell: Shell, sandbox: SandboxProcess, old: bytes, new: bytes) -> None:
    """Whatever the edit is: exit 7, one sentence, the next command, nothing sent."""
    plan = saved(shell)
    text = plan.read_bytes()
    assert old in text
    plan.write_bytes(text.replace(old, new, 1))

    refused(apply(shell, plan), 7, "edited after it was made", "`coursesync plan`")
    assert sandbox.puts() == []


def test_f38_a_plan_that_was_written_anew_is_refused(shell: Shell) -> None:
    """As a program that pretty-prints JSON leaves it."""
    plan = saved(shell)
    plan.write_text(json.dumps(json.loads(plan.read_text(encoding="utf-8")), indent=2), encoding="utf-8")

    refused(apply(shell, plan), 7, "edited after it was made")


def test_f38_an_expired_plan_is_refused(shell: Shell, sandbox: SandboxProcess) -> None:
    """Its time is in the plan; exit 7."""
    shell.profile("plan_good_for_s = 0.001")

    refused(apply(shell, saved(shell)), 7, "expired at")
    assert sandbox.puts() == []


def test_f38_a_plan_that_is_used_again_sends_nothing(shell: Shell, sandbox: SandboxProcess) -> None:
    """Done already: unchanged. Put back by somebody meanwhile: a conflict, not the same change once more."""
    plan = saved(shell)
    before = sandbox.records()
    assert apply(shell, plan).code == 0
    assert apply(shell, plan).code == 0
    assert counts_of(shell.folder / "out") == {"unchanged": 12}
    taken_back = rows_of(shell.folder / "out")[0]["id"]
    sandbox.edit(taken_back, Title=before[taken_back]["Title"])

    assert apply(shell, plan).code == 4
    assert counts_of(shell.folder / "out") == {"unchanged": 11, "conflict": 1}
    assert len(sandbox.puts()) == 12


def test_f39_a_plan_of_another_account_server_or_state_directory_is_refused(
    shell: Shell, sandbox: SandboxProcess
) -> None:
    """Both sides are named; exit 7, nothing sent."""
    plan = saved(shell)
    shell.profile(name="other")
    other = shell.folder / "configs" / "other.toml"
    words = other.read_text(encoding="utf-8").replace('"state"', '"elsewhere"')

    other.write_text(words, encoding="utf-8")
    refused(shell.bare("apply", plan, "--yes", "--profile", "other"), 7, "another state directory")
    other.write_text(words.replace("quayside", "harbour"), encoding="utf-8")
    (shell.folder / "elsewhere" / "store.sqlite3").unlink()
    refused(shell.bare("apply", plan, "--yes", "--profile", "other"), 7, "quayside", "harbour")
    with SandboxProcess("--no-limits", seed=SAMPLES / "sandbox_seed.json") as second:
        other.write_text(words.replace(sandbox.base_url, second.base_url), encoding="utf-8")
        (shell.folder / "elsewhere" / "store.sqlite3").unlink()
        refused(shell.bare("apply", plan, "--yes", "--profile", "other"), 7, sandbox.base_url, second.base_url)
        assert second.puts() == []
    assert sandbox.puts() == []


# rails ---------------------------------------------------------------------------------------------------------------


def test_what_was_lifted_is_sealed_into_the_plan_and_what_was_not_has_to_be_named(
    shell: Shell, sandbox: SandboxProcess
) -> None:
    """A reviewer sees what was lifted; a plan that is held can be applied only by naming the rail."""
    seed = json.loads((SAMPLES / "sandbox_seed.json").read_text(encoding="utf-8"))["sections"]
    sheet = shell.write("moved.csv", ["Id", "CourseId"], (seed[0]["Id"], seed[-1]["CourseId"]))
    held, lifted = saved(shell, sheet, name="held.json"), saved(shell, sheet, "--allow", "sections_moved")

    refused(apply(shell, held), 6, "--allow sections_moved")
    assert sandbox.puts() == []
    assert json.loads(lifted.read_text(encoding="utf-8"))["plan"]["allowed"] == ["sections_moved"]
    assert apply(shell, lifted).code == 0
    assert "--allow sections_moved" in shell("history").out


def test_a_plan_in_excel_has_a_page_with_every_change_before_and_after(shell: Shell, sandbox: SandboxProcess) -> None:
    """A page of the report's workbook, which is a valid sheet all the same; a run's report has it no more."""
    texts = shell.write("texts.xlsx", ["Id", "Title", "SectionContents"], *_edited(sandbox))
    saved(shell, texts)
    book = shell.folder / "planned" / "report.xlsx"

    page = list(load_workbook(book)["Changes"].values)

    assert page[0][0] == "What would change"
    assert page[3] == ("Row", "Section", "Name", "What", "Before", "After", "Remark")
    assert page[4][3:6] == ("Title", f"“{_titles(sandbox)[0]}”", "“New”")
    assert [line[3] for line in page[4:]] == ["Title", "SectionContents"] * 3
    assert shell("check", book).code == 0
    assert shell.apply(book).code == 0
    assert len(sandbox.puts()) == 3
    assert "Changes" not in load_workbook(shell.folder / "out" / "report.xlsx").sheetnames


def _edited(sandbox: SandboxProcess) -> list[tuple[int, str, str]]:
    return [(record["Id"], "New", "<p>New</p>" * 40) for record in list(sandbox.records().values())[:3]]


def _titles(sandbox: SandboxProcess) -> list[str]:
    return [record["Title"] for record in sandbox.records().values()]


def test_a_plan_that_changes_nothing_ends_well(shell: Shell, sandbox: SandboxProcess) -> None:
    """An empty plan is a plan."""
    assert apply(shell, saved(shell, SAMPLES / "nothing_changes.xlsx")).code == 0
    assert sandbox.puts() == []


def test_a_canary_goes_before_a_plan_too(shell: Shell, sandbox: SandboxProcess) -> None:
    """The same stages, the same end."""
    ran = apply(shell, saved(shell), "--canary", "1,50%")

    assert ran.code == 0
    assert "going on from 1 to 6 rows" in ran.err
    assert len(sandbox.puts()) == 12
