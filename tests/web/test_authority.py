"""Who may do what, what an approval holds for, and what is written down and told, S16, S17 and S22 of the list."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.sandbox_process import SandboxProcess
from tests.web.page_process import PageProcess, Visitor
from tests.web.sheets import write_sheet

pytestmark = pytest.mark.e2e


NO_PLAN, NO_RUN = "0" * 32, "2026-none"
LOOKING = ("/", f"/plans/{NO_PLAN}", f"/plans/{NO_PLAN}/approval", f"/runs/{NO_RUN}", "/orders/999")
DOING = ("/workbooks", f"/plans/{NO_PLAN}/decisions", f"/runs/{NO_RUN}/pause", f"/runs/{NO_RUN}/resume")
DECIDING = (f"/plans/{NO_PLAN}/approval", "/orders/999/withdrawal")


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        pytest.param("vera", (*DOING, f"/runs/{NO_RUN}/undo", *DECIDING), id="viewer"),
        pytest.param("olga", DECIDING, id="operator"),
        pytest.param("ada", (), id="approver"),
    ],
)
def test_s16_each_role_may_do_its_own_and_no_more(staffed: PageProcess, name: str, refused: Sequence[str]) -> None:
    """S16: a viewer looks, an operator uploads and plans, an approver approves; whatever the page shows or hides."""
    person = staffed.visitor(name)
    may_upload = name != "vera"
    form = {"csrf": person.csrf}

    answers = {path: person.post(path).status_code for path in (*DOING, f"/runs/{NO_RUN}/undo", *DECIDING)}
    upload = person.client.post("/uploads", data=form, files={"sheet": ("a.csv", b"Id\n")})

    assert {path for path, status in answers.items() if status == 403} == set(refused)
    assert (upload.status_code == 303) is may_upload
    assert person.get("/people").status_code == (200 if name == "ada" else 403)
    assert all(person.get(path).status_code in {200, 404} for path in LOOKING)
    assert person.get(f"/runs/{NO_RUN}/events").status_code in {200, 404}


def test_s16_who_may_not_approve_is_told_whom_to_ask(staffed: PageProcess, tmp_path: Path) -> None:
    """S16: the page of a plan leads only those to the approval who may give it; others hand its address on."""
    plan, _ = staffed.visitor("olga").planned(write_sheet(tmp_path / "a.xlsx", ("Id", "Title"), (1414925064, "Asked")))
    pages = {name: staffed.visitor(name).get(plan).text for name in ("vera", "olga", "ada")}

    assert {name for name, text in pages.items() if f"{plan}/approval" in text} == {"ada"}
    assert {name for name, text in pages.items() if "Your role may not approve" in text} == {"vera", "olga"}


def test_s16_nobody_approves_the_own_upload_where_four_eyes_are_asked_for(
    tmp_path: Path, sandbox: SandboxProcess
) -> None:
    """S16: with the token that was shown and every rail ticked, the own approval is refused; another's holds."""
    people = {"ada": "approver", "ben": "approver"}
    with PageProcess(tmp_path, sandbox, "--four-eyes", people=people) as page:
        ada, ben = page.visitor("ada"), page.visitor("ben")
        plan, _ = ada.planned(write_sheet(tmp_path / "a.xlsx", ("Id", "Title"), (1414925064, "Four eyes")))

        own, others = ada.approve(plan), ben.approve(plan)

        assert (own.status_code, others.status_code) == (403, 303)
        ben.ended(ben.run_of(others))


def test_s16_an_approval_holds_for_what_was_shown(visitor: Visitor, sandbox: SandboxProcess, tmp_path: Path) -> None:
    """S16: another checksum is refused, an edited plan is refused by its run, and a second approval starts nothing."""
    plan, _ = visitor.planned(write_sheet(tmp_path / "a.xlsx", ("Id", "Title"), (1414925023, "Held to its checksum")))
    writes = len(sandbox.puts())

    foreign = visitor.post(f"{plan}/approval", {"token": "0" * 64})
    first = visitor.approve(plan)
    again = visitor.approve(plan)

    assert foreign.status_code == 403
    assert "was not the one" in foreign.text or "not the one that was shown" in foreign.text
    assert first.headers["location"] == again.headers["location"]
    visitor.ended(visitor.run_of(first))
    assert len(sandbox.puts()) == writes + 1


def test_s16_a_plan_is_not_approved_after_its_time(tmp_path: Path, sandbox: SandboxProcess) -> None:
    """S16: what was seen too long ago is not what would be sent: the question says so, and the form is refused."""
    with PageProcess(tmp_path, sandbox, more="plan_good_for_s = 1") as page:
        visitor = page.visitor()
        section = sorted(sandbox.records())[40]
        plan, _ = visitor.planned(write_sheet(tmp_path / "a.xlsx", ("Id", "Title"), (section, "Too late")))
        question = visitor.wait_for(f"{plan}/approval", lambda answer: "has expired" in answer.text)

        refused = visitor.approve(plan)

        assert "Approve and send" not in question.text
        assert refused.status_code == 403
        assert "page.approved" not in page.command("history", "--audit", "--json").stdout


def test_s16_a_plan_that_was_edited_is_not_carried_out(
    site: PageProcess, visitor: Visitor, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    """S16: the seal holds against whoever can write to the disk, and the page says why nothing began."""
    plan, _ = visitor.planned(write_sheet(tmp_path / "a.xlsx", ("Id", "Title"), (1414925046, "Edited on the way")))
    file = site.state / plan.lstrip("/") / "plan.json"
    file.write_text(file.read_text(encoding="utf-8").replace("Edited on the way", "Something else"), encoding="utf-8")
    writes = len(sandbox.puts())

    order = visitor.approve(plan).headers["location"]
    page = visitor.wait_for(order, lambda answer: 'role="alert"' in answer.text)

    assert "not the plan that was reviewed" in page.text
    assert len(sandbox.puts()) == writes


def test_s17_who_did_what_is_written_down(site: PageProcess, visitor: Visitor, hostile: tuple[str, str]) -> None:
    """S17: sign-ins and refusals, uploads and approvals, with address and digests; no name breaks a line, no token."""
    site.stranger().client.post("/sign-in", data={"link": "forged\r\n2026 ada approved"})

    audit = site.command("history", "--audit", "--json").stdout

    assert hostile[0].rpartition("/")[2] in audit
    for action in ("page.signed_in", "page.sign_in_refused", "page.uploaded"):
        assert action in audit
    assert '"address": "127.0.0.1"' in audit
    assert "\\n" not in audit
    assert site.address.partition("link=")[2] not in audit
    assert not any(value in audit for value in visitor.client.cookies.values())
    assert not any(
        value.encode() in (site.state / "store.sqlite3").read_bytes() for value in visitor.client.cookies.values()
    )


def test_s22_an_error_shows_its_number_and_nothing_else(
    site: PageProcess, visitor: Visitor, hostile: tuple[str, str]
) -> None:
    """S22: what breaks inside is told by a number that the log knows; never a traceback, never a path."""
    plan, _ = hostile
    (site.state / plan.lstrip("/") / "report.jsonl").write_text("{broken", encoding="utf-8")

    answer = visitor.get(plan)

    assert answer.status_code == 500
    number = re.search(r"number: ([0-9a-f]{8})", answer.text)
    assert number is not None
    assert "Traceback" not in answer.text
    assert str(site.folder) not in answer.text
    assert number[1] in (site.folder / "serve.err").read_text(encoding="utf-8")
    assert answer.headers["content-security-policy"]
