"""A run at work: its rows are found as in a report, and what is found moves with it."""

from pathlib import Path

import pytest

from tests.sandbox_process import SandboxProcess
from tests.web.page_process import Visitor
from tests.web.sheets import write_sheet
from tests.web.test_journey import SECTIONS

pytestmark = pytest.mark.e2e


def test_rows_of_a_run_at_work_are_found_by_words_field_course_and_status(
    visitor: Visitor, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    """The same filter as in its report, before there is one; and the same answer afterwards."""
    sandbox.options(latency_ms=600)
    records = sandbox.records()
    ids = SECTIONS[0:80]
    rows = [(key, f"Findable number-{at}-", 900 + at if at < 5 else None) for at, key in enumerate(ids)]
    plan, _ = visitor.planned(write_sheet(tmp_path / "long.xlsx", ("Id", "Title", "DisplayOrder"), *rows))
    run = visitor.run_of(visitor.approve(plan))
    visitor.wait_for(run, lambda answer: visitor.counts(answer).get("updated", 0) > 0)

    page = visitor.get(run).text
    course = str(records[ids[0]]["CourseId"])
    of_course = sum(str(records[key]["CourseId"]) == course for key in ids)
    assert "data-events" in page
    assert f"<option>{course}</option>" in page
    assert "<option>DisplayOrder</option>" in page
    assert found(visitor, f"{run}?words=number-7-") == 1
    assert found(visitor, f"{run}?field=DisplayOrder") == 5
    assert found(visitor, f"{run}?course={course}") == of_course
    assert found(visitor, f"{run}?words=nothing-has-this") == 0
    piece = visitor.get(f"{run}?words=number-7-", **{"HX-Request": "true", "HX-Target": "rows"}).text
    assert "<html" not in piece
    before = found(visitor, f"{run}?status=updated")
    visitor.wait_for(f"{run}?status=updated", lambda _: found(visitor, f"{run}?status=updated") > before)
    assert "data-events" in visitor.get(run).text
    sandbox.options(latency_ms=0)

    visitor.ended(run)
    assert found(visitor, f"{run}?words=number-7-") == 1
    assert found(visitor, f"{run}?course={course}") == of_course


def found(visitor: Visitor, address: str) -> int:
    """How many rows a page says that it has found."""
    import re

    said = re.search(r'<p class="found" role="status">([\d,]*)', visitor.get(address).text)
    assert said is not None
    return int(said[1].replace(",", "") or "0")
