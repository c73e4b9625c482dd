"""What somebody decides about rows of a plan: it holds, and it is kept."""

from pathlib import Path

import pytest

from tests.sandbox_process import SandboxProcess
from tests.web.page_process import PageProcess, Visitor
from tests.web.sheets import write_sheet
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


def test_a_tick_is_kept_across_pages_filters_and_a_reload(visitor: Visitor, tmp_path: Path) -> None:
    """For each person and plan, by the server; the plan that is made with it leaves those rows out."""
    ids = SECTIONS[10:130]
    plan, _ = visitor.planned(titles(tmp_path / "long.xlsx", "Long", ids))
    tick = {"HX-Request": "true", "HX-Target": "kept"}

    first = visitor.client.post(f"{plan}/kept/2", data={"csrf": visitor.csrf, "leave": "2"}, headers=tick).text
    visitor.post(f"{plan}/kept/60", {"on_page": ["60", "61"], "leave": ["60", "61"]})
    second = visitor.post(f"{plan}/kept/119", {"leave": "119"}).text

    assert "1 row is left out: 2." in first
    assert "<html" not in first
    assert "3 rows are left out: 2, 60, 119." in second
    assert "has decided about 3 rows since this plan was made" in second
    page = visitor.get(plan).text
    assert ticked(page) == ["2"]
    assert "3 rows are left out" in page
    assert ticked(visitor.get(f"{plan}?page=2").text) == ["60"]
    assert ticked(visitor.get(f"{plan}?page=3", **{"HX-Request": "true", "HX-Target": "rows"}).text) == ["119"]
    assert "since this plan was made" in visitor.get(f"{plan}/approval").text
    visitor.post(f"{plan}/kept/60", {"on_page": ["60"]})

    again = visitor.post(f"{plan}/decisions", {"on_page": ["2"], "leave": ["2"]}).headers["location"]
    made = visitor.made(again)
    assert visitor.counts(made) == {"to_update": 118, "skipped": 2}
    assert "2 rows are left out of this plan" in made.text
    assert "since this plan was made" not in made.text
    assert "2 rows of the sheet are left out: 2, 119." in visitor.get(f"{again}/approval").text
    assert ticked(visitor.get(f"{again}?status=skipped").text) == ["2", "119"]


def ticked(page: str) -> list[str]:
    """The rows whose tick a page shows."""
    import re

    boxes = re.findall(r'<input type="checkbox" name="leave" value="(\d+)"[^>]*>', page)
    return [row for row in boxes if re.search(rf'name="leave" value="{row}"[^>]* checked>', page)]


def test_words_for_conflicts_are_kept_and_can_be_taken_back(
    visitor: Visitor, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    """A word is shown wherever its row is; a plan that was made with it lets it be changed."""
    ids = SECTIONS[140:143]
    first, _ = visitor.planned(titles(tmp_path / "first.xlsx", "Ours", ids))
    visitor.ended(visitor.run_of(visitor.approve(first)))
    for key in ids:
        sandbox.edit(key, Title=f"Theirs {key}")
    plan, _ = visitor.planned(titles(tmp_path / "second.xlsx", "Others", ids))

    visitor.post(f"{plan}/kept/2", {"choice-2": "live"})
    visitor.post(f"{plan}/kept/3", {"choice-3": "sheet"})
    visitor.post(f"{plan}/kept/4", {"choice-4": "nonsense"})
    page = visitor.get(plan).text

    assert "2 conflicts are decided." in page
    assert page.count('<option value="live" selected>') == page.count('<option value="sheet" selected>') == 1
    decided = visitor.post(f"{plan}/decisions").headers["location"]
    assert visitor.counts(visitor.made(decided)) == {"conflict": 1, "to_update": 1, "unchanged": 1}
    back = visitor.post(f"{decided}/decisions", {"on_page": ["2", "3"], "choice-2": "", "choice-3": ""})
    assert visitor.counts(visitor.made(back.headers["location"])) == {"conflict": 3}


def test_without_scripts_a_button_keeps_the_ticks_of_a_page(visitor: Visitor, tmp_path: Path) -> None:
    """And leads back to where one was, whatever a form says of that."""
    plan, page = visitor.planned(titles(tmp_path / "a.xlsx", "Plain", SECTIONS[150:152]))
    form = {"on_page": ["2", "3"], "leave": ["3"], "back": "status=to_update&page=2&evil=//elsewhere.example"}

    answer = visitor.post(f"{plan}/kept", form)

    assert f'formaction="{plan}/kept"' in page.text
    assert answer.headers["location"] == f"{plan}?status=to_update&page=2#rows"
    assert ticked(visitor.get(plan).text) == ["3"]


def test_each_person_has_ticks_of_their_own(sandbox: SandboxProcess, tmp_path: Path) -> None:
    """Others see that there are some, and of whom; a viewer keeps none."""
    people = {"ada": "approver", "olga": "operator", "vera": "viewer"}
    with PageProcess(tmp_path, sandbox, people=people) as site:
        ada, olga, vera = (site.visitor(name) for name in people)
        plan, _ = olga.planned(titles(tmp_path / "a.xlsx", "Shared", SECTIONS[160:164]))

        assert olga.post(f"{plan}/kept/2", {"leave": "2"}).status_code == 200
        assert vera.post(f"{plan}/kept/3", {"leave": "3"}).status_code == 403

        assert ticked(olga.get(plan).text) == ["2"]
        assert ticked(ada.get(plan).text) == []
        assert "olga has decided about 1 row since this plan was made" in ada.get(f"{plan}/approval").text
        assert 'name="leave"' not in vera.get(plan).text


def test_what_is_kept_of_nonsense_is_nothing(visitor: Visitor, tmp_path: Path) -> None:
    """Rows that are no numbers, words that are none, plans that are not there or not made."""
    plan, _ = visitor.planned(write_sheet(tmp_path / "a.xlsx", ("Id", "Title"), (SECTIONS[170], "Hello")))

    assert visitor.post(f"{plan}/kept/{'9' * 30}", {"leave": "2"}).status_code == 404
    assert visitor.post("/plans/" + "0" * 32 + "/kept/2", {"leave": "2"}).status_code == 404
    assert visitor.post(f"{plan}/kept/2", {"leave": "x", "choice-x": "live", "choice-2": "both"}).status_code == 200
    assert ticked(visitor.get(plan).text) == []
