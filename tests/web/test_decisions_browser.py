"""Ticks, and the stop of a run, in a real browser: by mouse at a desk, by keyboard on a narrow screen."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.programs import needs
from tests.sandbox_process import SandboxProcess
from tests.web.browser import DESKTOP, PHONE, chromium
from tests.web.page_process import PageProcess
from tests.web.test_browser import signed_in
from tests.web.test_journey import SECTIONS, titles

pytestmark = [pytest.mark.e2e, needs("chromium")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this file."""
    with chromium() as started:
        yield started


def planned(page: Page, sheet: Path, rows: int) -> None:
    page.set_input_files("input[type=file]", sheet)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", name=f"{rows} rows would be sent")).to_be_visible()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_ticks_outlive_paging_searching_and_a_reload(
    size: tuple[int, int], browser: Browser, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    """What is ticked on one page is there when one comes back, and all of it is in the plan that is made again."""
    watched: list[str] = []
    with PageProcess(tmp_path, sandbox) as site:
        page = signed_in(browser, site, watched, size)
        planned(page, titles(tmp_path / "many.xlsx", "Ticked", SECTIONS[0:70]), 70)
        page.get_by_label("Leave this row out").nth(1).check()
        expect(page.locator("#kept")).to_have_text(re.compile(r"1 row is left out: 3\."))
        page.get_by_role("link", name="Next page").click()
        expect(page.locator("article.row")).to_have_count(20)
        box = page.get_by_label("Leave this row out").nth(0)
        box.focus()
        page.keyboard.press("Space")
        expect(page.locator("#kept")).to_have_text(re.compile(r"2 rows are left out: 3, 52\."))
        expect(page.locator("#pending")).to_contain_text("has decided about 2 rows")
        page.get_by_role("searchbox").fill("Ticked 50")
        expect(page.locator("article[aria-label='row 53']")).to_have_count(0)
        expect(page.locator("article[aria-label='row 52'] input[type=checkbox]")).to_be_checked()
        page.reload()
        expect(page.locator("article[aria-label='row 52'] input[type=checkbox]")).to_be_checked()
        expect(page.locator("#kept")).to_contain_text("2 rows are left out")
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        page.get_by_role("button", name="Plan again").click()
        expect(page.get_by_role("heading", name="68 rows would be sent")).to_be_visible()
        expect(page.get_by_text("2 rows are left out of this plan.")).to_be_visible()
        assert watched == []
        page.context.close()


def test_a_stop_is_asked_for_in_words_and_by_keyboard(
    browser: Browser, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    """The link leads to a question, its button stops the run, and the page shows how it ends without being asked."""
    watched: list[str] = []
    with PageProcess(tmp_path, sandbox) as site:
        page = signed_in(browser, site, watched, PHONE)
        sandbox.options(latency_ms=700)
        planned(page, titles(tmp_path / "long.xlsx", "To be stopped", SECTIONS[100:200]), 100)
        page.get_by_role("link", name="Approve").click()
        page.get_by_role("button", name="Approve and send").click()
        page.wait_for_url("**/runs/*")
        expect(page.locator("[data-count=updated]")).to_have_text(re.compile(r"^[1-9]"))

        page.get_by_role("link", name="Stop for good").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Stop this run for good?")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        page.get_by_role("button", name="Stop it for good").focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/runs/*")

        expect(page.get_by_role("heading", name="Stopped for good", exact=True)).to_be_visible()
        expect(page.get_by_role("button", name="Resume")).to_have_count(0)
        sandbox.options(latency_ms=0)
        assert watched == []
        page.context.close()
