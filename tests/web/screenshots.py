"""`make screenshots`: every page as an operator sees it, at a desk and on a phone, by day and by night."""

import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.e2e.command_line import SAMPLES
from tests.sandbox_process import SandboxProcess
from tests.web.browser import DESKTOP, PHONE, chromium
from tests.web.page_process import PageProcess

WAIT_MS = 90_000


def main(folder: Path) -> None:
    """Go the operator's way once, and look at each page in every size."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as place,
        SandboxProcess("--no-limits", seed=SAMPLES / "sandbox_seed.json") as sandbox,
        PageProcess(Path(place), sandbox, limits="[{ scope = 'write', count = 60, seconds = 60 }]") as site,
        chromium() as browser,
    ):
        walk(browser, site, folder)


def walk(browser: Browser, site: PageProcess, folder: Path) -> None:
    """The pages in the order in which an operator meets them."""
    context = browser.new_context(viewport={"width": DESKTOP[0], "height": DESKTOP[1]})
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(site.address)
    look(page, folder, "sign-in")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{site.base}/")
    page.set_input_files("input[type=file]", SAMPLES / "demo.xlsx")
    look(page, folder, "start")
    page.get_by_role("button", name="Upload").click()
    page.wait_for_selector(".counts")
    look(page, folder, "plan")
    page.get_by_role("link", name="Approve").click()
    look(page, folder, "approve")
    page.get_by_role("button", name="Approve and send").click()
    page.wait_for_url("**/runs/*")
    look(page, folder, "run")
    page.wait_for_selector("h2.finished, h2.stopped")
    look(page, folder, "report")
    page.goto(f"{site.base}/people")
    look(page, folder, "people")
    context.close()


def look(page: Page, folder: Path, name: str) -> None:
    """Take the page as it is now, in both sizes, and dark."""
    for size, (width, height) in (("desk", DESKTOP), ("phone", PHONE)):
        page.set_viewport_size({"width": width, "height": height})
        time.sleep(0.2)
        page.screenshot(path=folder / f"{name}-{size}.png")
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
    page.screenshot(path=folder / f"{name}-dark.png")
    page.emulate_media(color_scheme="light")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
