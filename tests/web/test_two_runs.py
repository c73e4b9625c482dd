"""Two people who approve plans for the same sections: one run after the other, and nobody's word is written over."""

from pathlib import Path

import pytest

from tests.sandbox_process import SandboxProcess
from tests.web.page_process import PageProcess, slowed
from tests.web.test_journey import SECTIONS, titles

pytestmark = pytest.mark.e2e


def test_the_second_of_two_runs_is_decided_anew(sandbox: SandboxProcess, tmp_path: Path) -> None:
    """It waits in plain sight; what the first has written by then is a conflict, told with who, and stays."""
    ids = SECTIONS[0:30]
    people = {"ada": "approver", "ben": "approver"}
    with PageProcess(tmp_path, sandbox, people=people) as site:
        ada, ben = site.visitor("ada"), site.visitor("ben")
        first, _ = ada.planned(titles(tmp_path / "ada.xlsx", "As Ada says", ids))
        second, page = ben.planned(titles(tmp_path / "ben.xlsx", "As Ben says", [*ids[10:], *SECTIONS[40:45]]))
        assert ben.counts(page) == {"to_update": 25}
        with slowed(sandbox, 1_000):
            running = ada.run_of(ada.approve(first))
            order = ben.approve(second)
            waiting = ben.get(order.headers["location"]).text
            assert "It waits for the run of ada.xlsx" in waiting
            assert "Number 2 in the queue" in ada.get("/").text
        ada.ended(running)
        run = ben.run_of(order)
        ended = ben.ended(run)

        records = sandbox.records()
        sent = [put["id"] for put in sandbox.puts()]
        assert ben.counts(ended) == {"conflict": 20, "updated": 5}
        assert [records[key]["Title"] for key in ids] == [f"As Ada says {at}" for at in range(30)]
        assert [records[key]["Title"] for key in SECTIONS[40:45]] == [f"As Ben says {at}" for at in range(20, 25)]
        assert sorted(sent) == sorted([*ids, *SECTIONS[40:45]])
        shown = ben.get(f"{run}?status=conflict").text
        assert "was changed by somebody else since this plan was made" in shown
        assert "As Ada says 10" in shown
        assert "As Ben says 0" in shown
