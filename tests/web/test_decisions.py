"""What somebody decides about rows of a plan: it holds, and it is kept."""

from pathlib import Path

import pytest

from tests.sandbox_process import SandboxProcess
from tests.web.page_process import PageProcess, Visitor
from tests.web.test_journey import SECTIONS, titles

pytestmark = pytest.mark.e2e


def test_a_live_value_is_accepted_though_nothing_is_sent(
    site: PageProcess, visitor: Visitor, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    """Approved, it is what is wanted from then on: no drift any more, and no conflict for the next sheet."""
    ids = SECTIONS[0:2]
    first, _ = visitor.planned(titles(tmp_path / "first.xlsx", "Ours", ids))
    visitor.ended(visitor.run_of(visitor.approve(first)))
    for key in ids:
        sandbox.edit(key, Title=f"Theirs {key}")
    plan, page = visitor.planned(titles(tmp_path / "second.xlsx", "Others", ids))
    assert visitor.counts(page) == {"conflict": 2}

    form = {"on_page": ["2", "3"], "choice-2": "live", "choice-3": "live"}
    decided = visitor.post(f"{plan}/decisions", form).headers["location"]
    page = visitor.made(decided)
    question = visitor.get(f"{decided}/approval").text
    before = len(sandbox.puts())
    ended = visitor.ended(visitor.run_of(visitor.approve(decided)))

    assert visitor.counts(page) == {"unchanged": 2}
    assert "2 rows stay as somebody else has made them" in page.text
    assert "Nothing is sent." in question
    assert visitor.counts(ended) == {"unchanged": 2}
    assert len(sandbox.puts()) == before
    assert site.command("drift", "--detailed-exitcode", "--out", str(tmp_path / "drift")).returncode == 0
    _, later = visitor.planned(titles(tmp_path / "third.xlsx", "Newest", ids))
    assert visitor.counts(later) == {"to_update": 2}
