"""Stop for good, from the page: asked for in words, carried out by the run's own process or by one of its own."""

from pathlib import Path

import pytest

from tests.sandbox_process import SandboxProcess
from tests.web.page_process import PageProcess, Visitor
from tests.web.test_journey import SECTIONS, titles

pytestmark = pytest.mark.e2e


def at_work(visitor: Visitor, sandbox: SandboxProcess, sheet: Path) -> str:
    """The address of a run that has sent something, and has much left."""
    sandbox.options(latency_ms=700)
    plan, _ = visitor.planned(sheet)
    run = visitor.run_of(visitor.approve(plan))
    visitor.wait_for(run, lambda answer: visitor.counts(answer).get("updated", 0) > 0)
    return run


def stopped(visitor: Visitor, run: str) -> str:
    """Ask for the stop, and wait until it is done: the run's page."""
    asked = visitor.post(f"{run}/stop")
    assert asked.status_code == 303, asked.text
    return visitor.wait_for(run, lambda answer: ">Stopped for good<" in answer.text, seconds=60).text


def test_a_run_at_work_is_stopped_for_good(
    site: PageProcess, visitor: Visitor, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    """First it is said what that means; then the run ends by itself, its rows add up, and nothing goes on with it."""
    run = at_work(visitor, sandbox, titles(tmp_path / "long.xlsx", "Stopped", SECTIONS[0:100]))
    question = visitor.get(f"{run}/stop").text

    assert "Stop this run for good?" in question
    assert "The run of long.xlsx for quayside ends now" in question
    assert "cannot be resumed" in question

    page = stopped(visitor, run)
    counts = visitor.counts(visitor.get(run))
    sent = len(sandbox.puts())
    sandbox.options(latency_ms=0)

    assert counts["updated"] == sent
    assert counts["not_attempted"] == 100 - sent > 0
    assert "stopped the run for good" in page
    assert f'action="{run}/resume"' not in page
    assert f'href="{run}/stop"' not in page
    assert "failed.xlsx" in page
    assert visitor.post(f"{run}/resume").status_code == 404
    assert "No run of this profile waits" in site.command("resume").stdout
    assert "stopped for good" in visitor.get("/").text
    assert "page.stop_asked" in visitor.get("/people").text
    assert len(sandbox.puts()) == sent


@pytest.mark.soak
def test_a_paused_run_is_ended_by_a_process_of_its_own(
    visitor: Visitor, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    """Nothing is sent any more, and the report is written anew."""
    run = at_work(visitor, sandbox, titles(tmp_path / "paused.xlsx", "Paused", SECTIONS[100:160]))
    visitor.post(f"{run}/pause")
    visitor.ended(run)
    sent = len(sandbox.puts())
    sandbox.options(latency_ms=0)

    page = stopped(visitor, run)

    assert "stopped the run for good" in page
    assert visitor.counts(visitor.get(run))["not_attempted"] > 0
    assert len(sandbox.puts()) == sent
    told = visitor.get(f"{run}/files/summary.json").json()
    assert told["exit_code"] == 4
    assert told["counts"]["not_attempted"] == visitor.counts(visitor.get(run))["not_attempted"]


@pytest.mark.soak
def test_a_stop_outlives_the_server_and_the_run(
    site: PageProcess, visitor: Visitor, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    """The run's process is killed before it sees the request: who looks after orders ends it all the same."""
    import os
    import signal
    import sqlite3

    run = at_work(visitor, sandbox, titles(tmp_path / "killed.xlsx", "Killed", SECTIONS[200:260]))
    with sqlite3.connect(site.state / "store.sqlite3") as store:
        (pid,) = store.execute("SELECT pid FROM runs WHERE run_id = ?", (run.rpartition("/")[2],)).fetchone()
    os.kill(pid, signal.SIGSTOP)
    assert visitor.post(f"{run}/stop").status_code == 303
    os.kill(pid, signal.SIGKILL)
    sandbox.options(latency_ms=0)

    page = visitor.wait_for(run, lambda answer: ">Stopped for good<" in answer.text, seconds=60)

    assert visitor.counts(page).get("unknown", 0) == 0
    assert visitor.counts(page)["updated"] == len([put for put in sandbox.puts() if put["id"] in SECTIONS[200:260]])


@pytest.mark.soak
def test_only_who_may_operate_stops(sandbox: SandboxProcess, tmp_path: Path) -> None:
    """A viewer sees neither the link nor the question, and cannot ask for it."""
    with PageProcess(tmp_path, sandbox, people={"ada": "approver", "vera": "viewer"}) as site:
        ada, vera = site.visitor("ada"), site.visitor("vera")
        run = at_work(ada, sandbox, titles(tmp_path / "seen.xlsx", "Seen", SECTIONS[260:300]))

        assert f"{run}/stop" not in vera.get(run).text
        assert vera.get(f"{run}/stop").status_code == 403
        assert vera.post(f"{run}/stop").status_code == 403
        sandbox.options(latency_ms=0)
        ada.ended(run)
        assert ada.get(f"{run}/stop").status_code == 200
        assert ada.post(f"{run}/stop").status_code == 303
        assert ">Finished<" in ada.get(run).text
