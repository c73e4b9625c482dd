"""axe-core finds nothing serious on any page, at a desk and on a phone, by day and by night, in a real browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.programs import needs
from tests.sandbox_process import SandboxProcess
from tests.web.browser import DESKTOP, PHONE, chromium
from tests.web.page_process import PageProcess
from tests.web.tour import SIGNED_OUT, Tour, tour

pytestmark = [pytest.mark.e2e, needs("chromium")]

PAGES = {
    SIGNED_OUT: "Password",
    "start": "Upload a sheet",
    "refused": "This sheet was not taken",
    "plan": "rows would be sent",
    "conflicts": "when exported",
    "html": "lines as before",
    "approve": "I have looked at this, and it is meant",
    "order": "It waits",
    "run": "About",
    "stop": "Stop this run for good?",
    "report": "Finished",
    "undo": "would put back",
    "file": "Download",
    "people": "Who did what",
    "error": "There is no such plan",
}
"""By name, each with words that stand on it alone."""
GRAVE = ("serious", "critical")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this file."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def toured(tmp_path_factory: pytest.TempPathFactory, sandbox: SandboxProcess) -> Iterator[Tour]:
    """Every page, with something on it."""
    with tour(tmp_path_factory.mktemp("tour"), sandbox) as made:
        yield made


def faults_of(page: Page) -> dict[str, list[str]]:
    """What axe-core calls serious or critical: the rule, and where."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return {
        each["id"]: [str(node["html"])[:200] for node in each["nodes"]] for each in found if each["impact"] in GRAVE
    }


def faults_in_every_size(page: Page) -> dict[tuple[int, str, str], list[str]]:
    """At a desk and on a phone, by day and by night."""
    faults = {}
    for width, height in (DESKTOP, PHONE):
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            faults |= {(width, scheme, rule): where for rule, where in faults_of(page).items()}
    return faults


@pytest.mark.parametrize("name", PAGES)
def test_no_page_has_a_serious_fault(browser: Browser, toured: Tour, name: str) -> None:
    """Labels, contrast, roles, names, order of headings: in both sizes and both schemes of colours."""
    context = browser.new_context()
    if name != SIGNED_OUT:
        cookies = toured.visitor.client.cookies.items()
        context.add_cookies([{"name": key, "value": value, "url": toured.site.base} for key, value in cookies])
    page = context.new_page()
    page.goto(toured.site.base + toured.paths[name])
    assert PAGES[name] in page.inner_text("main")
    assert faults_in_every_size(page) == {}
    context.close()


def test_a_live_account_has_no_serious_fault_either(browser: Browser, tmp_path: Path) -> None:
    """What is real looks different from a sandbox; its colours are read as well."""
    with PageProcess(tmp_path, "https://spaces.example.test/api", people={"ada": "approver"}) as site:
        page = browser.new_page()
        page.goto(f"{site.base}/sign-in")

        assert "Live account" in page.inner_text("header")
        assert faults_in_every_size(page) == {}
        page.close()


def test_a_fault_would_be_found(browser: Browser) -> None:
    """A picture without words, a field without a name and grey on grey are told: the check can fail."""
    page = browser.new_page()
    page.set_content(
        "<html lang=en><title>x</title><main><h1>x</h1><img src=x><input>"
        "<p><span id=grey>grey on grey</span></p></main></html>"
    )
    page.evaluate("document.getElementById('grey').style.cssText = 'color:#888;background:#999'")

    assert {"image-alt", "label", "color-contrast"} <= set(faults_of(page))
    page.close()
