"""Rails on the command line: what looks like an accident is held whole, told with its numbers, and lifted by name."""

import json
from collections.abc import Sequence

import pytest

from tests.e2e.command_line import SAMPLES, Cell, Shell, counts_of, refused, summary_of
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.e2e

SEED = json.loads((SAMPLES / "sandbox_seed.json").read_text(encoding="utf-8"))
SECTIONS = [section for section in SEED["sections"] if section["Title"] and section["SectionContents"]]
OTHER_COURSE = SECTIONS[-1]["CourseId"]
WITH_IMAGE = [section for section in SEED["sections"] if section["ImageFileName"]]
WITHOUT_IMAGE = [section for section in SEED["sections"] if not section["ImageFileName"]]
ONE_IMAGE = "[rails.images_removed]\nmax = 0"


def moved(count: int) -> list[Sequence[Cell]]:
    """Rows that would move to another course."""
    return [(section["Id"], OTHER_COURSE) for section in SECTIONS[:count]]


@pytest.mark.parametrize("command", [("plan",), ("apply", "--yes")], ids=["plan", "apply"])
def test_a_held_run_sends_nothing_and_says_what_lifts_it(
    shell: Shell, sandbox: SandboxProcess, command: Sequence[str]
) -> None:
    """Exit 6; rule, numerator, denominator, limit, three examples and the option; a report, and no run."""
    sheet = shell.write("moved.csv", ["Id", "CourseId"], *moved(5))

    ran = shell(*command, sheet, "--out", "out")

    refused(ran, 6, "sections_moved: 5 of 5 rows to be sent would move to another course", "--allow sections_moved")
    assert "the limit is at most 0" in ran.out
    assert ran.out.count(f"CourseId: {SECTIONS[0]['CourseId']} → {OTHER_COURSE}") >= 3
    assert "… and 2 more" in ran.out
    assert sandbox.puts() == []
    assert counts_of(shell.folder / "out") == {"to_update": 5}
    assert summary_of(shell.folder / "out")["exit_code"] == 6
    assert [issue["code"] for issue in summary_of(shell.folder / "out")["issues"]] == ["rail.held"]
    assert "No runs yet" in shell("history").out


def test_a_rail_is_lifted_by_its_name_and_the_run_remembers_it(shell: Shell, sandbox: SandboxProcess) -> None:
    """What was lifted stands in the report and in `history`."""
    sheet = shell.write("moved.csv", ["Id", "CourseId"], *moved(3))

    planned = shell("plan", sheet, "--allow", "sections_moved")
    ran = shell.apply(sheet, "--allow", "sections_moved", "--allow", "rows_changed")

    assert planned.code == 0
    assert f"coursesync apply {sheet} --allow sections_moved --profile main" in planned.out
    assert ran.code == 0
    assert len(sandbox.puts()) == 3
    assert [issue["code"] for issue in summary_of(shell.folder / "out")["issues"]] == ["rail.lifted"]
    assert "--allow sections_moved" in shell("history").out
    (run,) = json.loads(shell("history", "--json").out)
    assert run["allowed"] == ["sections_moved"]


def test_a_program_reads_the_numbers_of_a_held_plan(shell: Shell) -> None:
    """`--json`: each rail with its numbers, beside the summary."""
    sheet = shell.write("moved.csv", ["Id", "CourseId"], *moved(4))

    ran = shell("plan", sheet, "--json")

    (rail,) = ran.json["rails"]
    assert ran.code == ran.json["exit_code"] == 6
    assert (rail["name"], rail["held"], rail["numerator"], rail["denominator"]) == ("sections_moved", True, 4, 4)
    assert len(rail["examples"]) == 3


@pytest.mark.parametrize("command", [("plan",), ("apply", "--yes")], ids=["plan", "apply"])
def test_a_name_that_is_no_rail_is_refused(shell: Shell, sandbox: SandboxProcess, command: Sequence[str]) -> None:
    """Exit 2, with the nearest, before anything is read."""
    sheet = shell.write("moved.csv", ["Id", "CourseId"], *moved(1))

    refused(shell(*command, sheet, "--allow", "section_moved"), 2, '"sections_moved"')
    refused(shell(*command, sheet, "--allow", "everything"), 2, "rows_changed")
    assert sandbox.log() == []


def test_the_limits_of_the_profile_hold(shell: Shell, sandbox: SandboxProcess) -> None:
    """A number, a share, and the population from which on the share counts."""
    sheet = shell.write("order.csv", ["Id", "DisplayOrder"], *[(section["Id"], 99) for section in SECTIONS[:4]])
    shell.profile("[rails.rows_changed]\nmax = 3")
    assert shell("plan", sheet).code == 6

    shell.profile("[rails.rows_changed]\nshare = 0.5\nshare_from = 4")
    assert shell("plan", sheet).code == 6

    shell.profile("[rails.rows_changed]\nshare = 0.5\nshare_from = 5")
    assert shell("plan", sheet).code == 0
    assert sandbox.puts() == []


def test_only_an_image_that_is_there_can_be_lost(shell: Shell, sandbox: SandboxProcess) -> None:
    """A first image removes nothing; one in place of another does."""
    shell.profile(ONE_IMAGE)
    url = "https://images.quayside.example/new.jpg"
    first = shell.write("first.csv", ["Id", "NewImageUrl"], (WITHOUT_IMAGE[0]["Id"], url))
    other = shell.write("other.csv", ["Id", "NewImageUrl"], (WITHOUT_IMAGE[1]["Id"], url), (WITH_IMAGE[0]["Id"], url))

    assert shell("plan", first).code == 0
    refused(shell("plan", other), 6, "images_removed: 1 of 2 rows to be sent")
    assert sandbox.puts() == []


def test_a_rail_outweighs_rows_that_need_attention_and_pending_changes(shell: Shell) -> None:
    """6 before 4 before 10."""
    sheet = shell.write("both.csv", ["Id", "CourseId"], *moved(1), (SECTIONS[1]["Id"], "soon"))

    assert shell("plan", sheet, "--detailed-exitcode").code == 6
    assert shell("plan", sheet, "--detailed-exitcode", "--allow", "sections_moved").code == 4


# F37: sheets that look like an accident -----------------------------------------------------------------------------


def test_f37_a_sheet_without_rows_is_refused(shell: Shell, sandbox: SandboxProcess) -> None:
    """0 data rows: exit 3, nothing asked of the server."""
    refused(shell.apply(shell.write("empty.csv", ["Id", "Title"])), 3)
    assert sandbox.log() == []


def test_f37_a_sheet_that_matches_nothing_sends_nothing(shell: Shell, sandbox: SandboxProcess) -> None:
    """0 matches: every row says that there is no such section, exit 4."""
    sheet = shell.write("foreign.csv", ["Id", "Title"], *[(7_000 + number, "A") for number in range(5)])

    assert shell.apply(sheet).code == 4
    assert counts_of(shell.folder / "out") == {"rejected": 5}
    assert sandbox.puts() == []


def test_f37_a_sheet_that_changes_every_row_is_held_beyond_the_rail(shell: Shell, sandbox: SandboxProcess) -> None:
    """All rows change: an ordinary day's sheet, until there are more than the rail lets through."""
    sheet = shell.write("all.csv", ["Id", "DisplayOrder"], *[(section["Id"], 77) for section in SECTIONS[:30]])

    assert shell("plan", sheet).code == 0
    shell.profile("[rails.rows_changed]\nmax = 29")
    refused(shell.apply(sheet), 6, "rows_changed: 30 of 30 rows of the sheet would be changed", "at most 29")
    assert sandbox.puts() == []


def test_f37_a_blank_column_leaves_its_field_alone_and_a_cleared_one_is_held(
    shell: Shell, sandbox: SandboxProcess
) -> None:
    """One column all blank: nothing to do. The same column all `[clear]`: most texts would be lost, exit 6."""
    ids = [section["Id"] for section in SECTIONS[:22]]
    blank = shell.write("blank.csv", ["Id", "SectionContents"], *[(each, None) for each in ids])
    cleared = shell.write("cleared.csv", ["Id", "SectionContents"], *[(each, "[clear]") for each in ids])

    assert shell.apply(blank).code == 0
    assert counts_of(shell.folder / "out") == {"unchanged": 22}
    refused(shell.apply(cleared), 6, "cells_cleared: 22 of 22 rows to be sent would lose a text", "at most 50 %")
    assert sandbox.puts() == []


def test_f37_a_filled_down_text_is_held(shell: Shell, sandbox: SandboxProcess) -> None:
    """The same new text in more rows than anybody means."""
    sheet = shell.write("filled.csv", ["Id", "Title"], *[(section["Id"], "Introduction") for section in SECTIONS[:21]])

    refused(shell.apply(sheet), 6, "same_value: 21 of 21")
    assert sandbox.puts() == []


def test_f37_titles_sorted_without_their_ids_are_held(shell: Shell, sandbox: SandboxProcess) -> None:
    """A column sorted alone: the Title of one Id stands in the row of another."""
    some = SECTIONS[:24]
    titles = sorted({section["Title"] for section in some})
    rows = list(zip((section["Id"] for section in some), titles, strict=False))

    refused(shell.apply(shell.write("sorted.csv", ["Id", "Title"], *rows)), 6, "titles_mismatched: ")
    assert sandbox.puts() == []
