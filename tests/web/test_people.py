"""People who come, change and go while the server runs: what they may do is what the store says at that moment."""

from pathlib import Path

import pytest

from tests.sandbox_process import SandboxProcess
from tests.web.page_process import PASSWORD, PageProcess, Visitor
from tests.web.test_journey import SECTIONS, titles

pytestmark = pytest.mark.e2e


def add(site: PageProcess, name: str, role: str) -> None:
    added = site.command("users", "add", name, "--role", role, given=f"{PASSWORD}\n")
    assert added.returncode == 0, added.stderr


def is_out(visitor: Visitor) -> bool:
    """Whether the next page that is asked for is the sign-in."""
    return visitor.client.get("/").headers.get("location", "").startswith("/sign-in")


def test_people_who_are_added_take_over_from_the_link_at_once(sandbox: SandboxProcess, tmp_path: Path) -> None:
    """The session of the link is over, the link is worth nothing, and the page asks for name and password."""
    with PageProcess(tmp_path, sandbox) as site:
        owner = site.visitor()
        assert not is_out(owner)
        site.stop()
        site.start()
        fresh = site.address.partition("link=")[2]
        assert fresh

        add(site, "ada", "approver")

        assert is_out(owner)
        assert owner.post("/workbooks", {"kind": "template"}).headers["location"].startswith("/sign-in")
        question = site.stranger().get("/sign-in").text
        assert 'name="password"' in question
        refused = site.stranger().client.post("/sign-in", data={"link": fresh})
        assert refused.status_code == 403
        assert site.visitor("ada").get("/people").status_code == 200


def test_a_server_without_people_says_how_to_get_in(sandbox: SandboxProcess, tmp_path: Path) -> None:
    """Who has no session, or one that is over, reads where the link is, and what else can be done."""
    with PageProcess(tmp_path, sandbox) as site:
        stranger = site.stranger()
        first = site.address

        page = stranger.get("/").text
        assert "open the link that `coursesync serve` printed" in page
        assert "coursesync users add NAME" in page
        site.visitor()
        site.stop(kill=True)
        site.start()
        assert site.address != first
        spent = stranger.client.post("/sign-in", data={"link": first.partition("link=")[2]})
        assert spent.status_code == 403
        assert "belongs to an earlier start" in spent.text
        assert site.visitor().get("/").status_code == 200


def test_a_role_is_another_at_once(sandbox: SandboxProcess, tmp_path: Path) -> None:
    """Who is made a viewer, or removed, does nothing more with the session that was open."""
    with PageProcess(tmp_path, sandbox, people={"ada": "approver", "olga": "operator"}) as site:
        ada, olga = site.visitor("ada"), site.visitor("olga")
        plan, _ = olga.planned(titles(tmp_path / "a.xlsx", "Roles", SECTIONS[0:2]))

        add(site, "olga", "viewer")
        assert is_out(olga)
        again = site.visitor("olga")
        assert again.post("/workbooks", {"kind": "template"}).status_code == 403
        assert again.get(plan).status_code == 200
        assert ada.get("/").status_code == 200

        assert site.command("users", "remove", "olga").returncode == 0
        assert is_out(again)
        assert site.stranger().client.post("/sign-in", data={"name": "olga", "password": PASSWORD}).status_code == 403


def test_the_events_of_who_is_removed_end(sandbox: SandboxProcess, tmp_path: Path) -> None:
    """Within seconds, while the run that was watched goes on."""
    with PageProcess(tmp_path, sandbox, people={"ada": "approver", "vera": "viewer"}) as site:
        ada, vera = site.visitor("ada"), site.visitor("vera")
        sandbox.options(latency_ms=1500)
        plan, _ = ada.planned(titles(tmp_path / "long.xlsx", "Watched", SECTIONS[10:290]))
        run = ada.run_of(ada.approve(plan))

        with vera.client.stream("GET", f"{run}/events") as stream:
            lines = stream.iter_lines()
            next(lines)
            assert site.command("users", "remove", "vera").returncode == 0
            rest = list(lines)

        assert "event: ended" not in rest
        assert "data-events" in ada.get(run).text
        sandbox.options(latency_ms=0)
        ada.ended(run)
