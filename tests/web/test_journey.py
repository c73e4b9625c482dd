"""The operator's way through the page, over HTTP: upload, plan, decide, approve, watch, report, mend, undo."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.e2e.command_line import SAMPLES
from tests.sandbox_process import SandboxProcess
from tests.web.page_process import PageProcess, Visitor, slowed
from tests.web.sheets import write_sheet
from tests.web.tour import moved_meanwhile, rows_by_id

pytestmark = pytest.mark.e2e

SECTIONS = sorted(
    section["Id"] for section in json.loads((SAMPLES / "sandbox_seed.json").read_text(encoding="utf-8"))["sections"]
)
"""Each test takes sections of its own: the journal remembers what was made so."""


def titles(path: Path, word: str, ids: Sequence[int]) -> Path:
    return write_sheet(path, ("Id", "Title"), *((key, f"{word} {at}") for at, key in enumerate(ids)))


def test_from_the_upload_to_the_report(visitor: Visitor, sandbox: SandboxProcess, tmp_path: Path) -> None:
    """What the plan shows is what is sent, and the report's files can be taken away."""
    ids, before = SECTIONS[0:3], len(sandbox.puts())
    plan, page = visitor.planned(titles(tmp_path / "titles.xlsx", "From the page", ids))

    assert visitor.counts(page) == {"to_update": 3}
    assert "From the page 0" in page.text
    assert len(sandbox.puts()) == before

    run = visitor.run_of(visitor.approve(plan))
    ended = visitor.ended(run)

    assert visitor.counts(ended) == {"updated": 3}
    assert [sandbox.records()[key]["Title"] for key in ids] == [f"From the page {at}" for at in range(3)]
    for name in ("report.xlsx", "report.csv", "report.jsonl", "summary.json"):
        assert visitor.get(f"{run}/files/{name}").status_code == 200
    assert "titles.xlsx" in visitor.get("/").text


def test_a_row_that_is_left_out_is_not_sent(visitor: Visitor, sandbox: SandboxProcess, tmp_path: Path) -> None:
    """A new plan is made of the old one; the old one stays, and what was left out can be taken in again."""
    ids, before = SECTIONS[3:6], len(sandbox.puts())
    plan, _ = visitor.planned(titles(tmp_path / "titles.xlsx", "Without one", ids))

    without = visitor.post(f"{plan}/decisions", {"on_page": ["2", "3", "4"], "leave": ["3"]}).headers["location"]
    page = visitor.made(without)
    back = visitor.post(f"{without}/decisions", {"on_page": ["2", "3", "4"]}).headers["location"]

    assert visitor.counts(page) == {"to_update": 2, "skipped": 1}
    assert visitor.counts(visitor.made(back)) == {"to_update": 3}
    assert visitor.counts(visitor.get(plan)) == {"to_update": 3}
    visitor.ended(visitor.run_of(visitor.approve(without)))
    assert len(sandbox.puts()) == before + 2
    assert "Without one" not in sandbox.records()[ids[1]]["Title"]


def test_a_conflict_is_decided_row_by_row(
    site: PageProcess, visitor: Visitor, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    """Base, sheet and live are shown; `sheet` sends the row, `live` leaves it, and an undecided one is not sent."""
    ids = SECTIONS[6:9]
    sheet = moved_meanwhile(site, sandbox, tmp_path / "sections.xlsx", ids)
    rows = rows_by_id(sheet)

    plan, page = visitor.planned(sheet)
    shown = visitor.get(f"{plan}?status=conflict").text
    assert visitor.counts(page)["conflict"] == 3
    for word in ("when exported", "As the sheet says", "As somebody else says"):
        assert word in shown
    first, second, third = (str(rows[section]) for section in ids)

    decided = visitor.post(
        f"{plan}/decisions",
        {
            "on_page": [first, second, third],
            f"choice-{first}": "sheet",
            f"choice-{second}": "live",
            f"choice-{third}": "",
        },
    ).headers["location"]
    after = visitor.made(decided)

    assert visitor.counts(after)["to_update"] == 1
    assert visitor.counts(after)["conflict"] == 1
    visitor.ended(visitor.run_of(visitor.approve(decided)))
    assert [sandbox.records()[section]["Title"] for section in ids] == [
        "As the sheet says",
        "As somebody else says",
        "As somebody else says",
    ]


def test_a_rail_is_lifted_by_a_tick_of_its_own(visitor: Visitor, sandbox: SandboxProcess, tmp_path: Path) -> None:
    """A held plan says what it counted; approved without the tick nothing happens, with it the run begins."""
    other = next(
        record["CourseId"]
        for record in sandbox.records().values()
        if record["CourseId"] != sandbox.records()[SECTIONS[9]]["CourseId"]
    )
    plan, page = visitor.planned(write_sheet(tmp_path / "moved.xlsx", ("Id", "CourseId"), (SECTIONS[9], other)))
    assert "sections_moved" in page.text

    question = visitor.get(f"{plan}/approval").text
    token = question.split('name="token" value="')[1].split('"')[0]
    refused = visitor.post(f"{plan}/approval", {"token": token})

    assert refused.status_code == 403
    assert "Not every rail was ticked" in refused.text
    assert visitor.counts(visitor.ended(visitor.run_of(visitor.approve(plan)))) == {"updated": 1}


def test_the_failed_rows_are_mended_and_uploaded_again(
    visitor: Visitor, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    """`failed.xlsx` of a report is a valid upload: only what was mended is sent."""
    sheet = write_sheet(
        tmp_path / "a.xlsx", ("Id", "Title"), (SECTIONS[10], "Good"), (SECTIONS[11], ""), ("no id", "Bad")
    )
    plan, _ = visitor.planned(sheet)
    run = visitor.run_of(visitor.approve(plan))
    visitor.ended(run)
    failed = tmp_path / "failed.xlsx"
    failed.write_bytes(visitor.get(f"{run}/files/failed.xlsx").content)
    from openpyxl import load_workbook

    workbook = load_workbook(failed)
    worksheet = workbook.worksheets[0]
    found = [cell for row in worksheet.iter_rows() for cell in row if cell.value == "no id"]
    found[0].value = SECTIONS[12]
    workbook.save(failed)

    again, page = visitor.planned(failed)

    assert visitor.counts(page) == {"to_update": 1}
    visitor.ended(visitor.run_of(visitor.approve(again)))
    assert sandbox.records()[SECTIONS[12]]["Title"] == "Bad"


def test_an_undo_is_shown_and_approved_like_a_plan(visitor: Visitor, sandbox: SandboxProcess, tmp_path: Path) -> None:
    """It puts back what the run wrote, where nobody wrote after it."""
    ids = SECTIONS[13:15]
    before = sandbox.records()[ids[0]]["Title"]
    plan, _ = visitor.planned(titles(tmp_path / "titles.xlsx", "To be undone", ids))
    run = visitor.run_of(visitor.approve(plan))
    visitor.ended(run)
    sandbox.edit(ids[1], Title="Somebody was here")

    undo = visitor.post(f"{run}/undo").headers["location"]
    page = visitor.made(undo)
    assert "To be undone 0" in page.text
    order = visitor.approve(undo)
    undoing = visitor.run_of(order)
    ended = visitor.ended(undoing)
    visitor.wait_for("/", lambda start: 'class="queue"' not in start.text)

    assert undoing != run
    assert visitor.get(order.headers["location"]).url.path == undoing
    assert visitor.counts(ended)["updated"] == 1
    assert sandbox.records()[ids[0]]["Title"] == before
    assert sandbox.records()[ids[1]]["Title"] == "Somebody was here"


def test_rows_are_found_by_status_field_course_and_words(visitor: Visitor) -> None:
    """The filter asks the server; what is found is counted, and htmx gets the rows alone."""
    plan, page = visitor.planned(SAMPLES / "demo.xlsx")
    counts = visitor.counts(page)

    found = visitor.get(f"{plan}?status=invalid", **{"HX-Request": "true", "HX-Target": "rows"}).text

    assert "<html" not in found
    assert found.count('<article class="row"') == counts["invalid"]
    assert "No row is like that" in visitor.get(f"{plan}?words=nothing-has-this-word").text
    assert visitor.get(f"{plan}?page=999999999999&status=nonsense&field=%3Cscript%3E").status_code == 200


def test_a_second_approved_run_waits_in_plain_sight(visitor: Visitor, sandbox: SandboxProcess, tmp_path: Path) -> None:
    """It begins by itself once the first has ended; one that still waits can be taken back."""
    plans = [
        visitor.planned(titles(tmp_path / f"{word}.xlsx", word, SECTIONS[at : at + 2]))[0]
        for at, word in ((15, "First"), (17, "Second"), (45, "Third"))
    ]
    with slowed(sandbox, 1500):
        orders = [visitor.approve(plan) for plan in plans]
        start = visitor.get("/").text
        approved = '<td role="cell">approved</td>'
        assert start.count(approved) >= len(plans)
        taken_back = visitor.post(f"{orders[2].headers['location']}/withdrawal")

    assert "Number" in start
    assert "queue" in start
    assert taken_back.status_code == 303
    assert "taken back" in visitor.get(orders[2].headers["location"]).text
    assert visitor.get("/").text.count(approved) == start.count(approved) - 1
    assert f"{plans[2]}/approval" in visitor.get(plans[2]).text
    assert f"{plans[1]}/approval" not in visitor.get(plans[1]).text
    visitor.ended(visitor.run_of(orders[1]))
    assert sandbox.records()[SECTIONS[17]]["Title"] == "Second 0"


def test_a_run_is_paused_and_goes_on(visitor: Visitor, sandbox: SandboxProcess, tmp_path: Path) -> None:
    """Pause stops it within seconds, resumably; resumed, it is at work on the start page too; nothing is sent twice."""
    before = len(sandbox.puts())
    rows = [(key, f"Paused {at}") for at, key in enumerate(SECTIONS[60:160])]
    plan, _ = visitor.planned(write_sheet(tmp_path / "long.xlsx", ("Id", "Title"), *rows))
    with slowed(sandbox, 700):
        run = visitor.run_of(visitor.approve(plan))
        visitor.wait_for(run, lambda answer: visitor.counts(answer).get("updated", 0) > 0)
        visitor.post(f"{run}/pause")
        paused = visitor.ended(run)
        visitor.run_of(visitor.post(f"{run}/resume"))
        resumed = visitor.wait_for(run, lambda answer: ">At work<" in answer.text)
        start = visitor.get("/").text

    assert "paused the run" in paused.text
    assert visitor.counts(paused)["not_attempted"] > 0
    assert visitor.counts(resumed)["not_attempted"] > 0
    assert '<td role="cell">at work</td>' in start
    done = visitor.wait_for(run, lambda answer: ">Finished<" in answer.text)
    assert visitor.counts(done) == {"updated": len(rows)}
    assert len(sandbox.puts()) == before + len(rows)


def test_progress_comes_as_events(visitor: Visitor, sandbox: SandboxProcess, tmp_path: Path) -> None:
    """Counts, pace and what is left, about once a second, until the run has ended."""
    rows = [(key, f"Watched {at}") for at, key in enumerate(SECTIONS[20:44])]
    plan, _ = visitor.planned(write_sheet(tmp_path / "watched.xlsx", ("Id", "Title"), *rows))

    lines = []
    with slowed(sandbox, 500):
        run = visitor.run_of(visitor.approve(plan))
        with visitor.client.stream("GET", f"{run}/events") as stream:
            for line in stream.iter_lines():
                lines.append(line)
                if line == "event: ended":
                    break

    assert lines.count("event: progress") >= 2
    assert '"done": 24' in "".join(lines)
