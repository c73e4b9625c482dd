"""`make screenshots`: every page as an operator sees it, at a desk and on a phone, by day and by night.

`make page-pictures` draws those of the README as well.
"""

import sys
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, BrowserContext, Page

from tests.e2e.command_line import SAMPLES
from tests.sandbox_process import SandboxProcess
from tests.web.browser import DESKTOP, PHONE, chromium
from tests.web.sheets import write_sheet
from tests.web.tour import NEW_LESSON, OLD_LESSON, SIGNED_OUT, Tour, tour

WAIT_MS = 90_000
WIDE = 1_060
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def main(folder: Path, pictures: Path | None) -> None:
    """Fill a site, and look at each page in every size; draw the README's pictures, if told where."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as place,
        SandboxProcess("--no-limits", seed=SAMPLES / "sandbox_seed.json") as sandbox,
        tour(Path(place), sandbox) as toured,
        chromium() as browser,
    ):
        for name in toured.paths:
            context = signed_in(browser, toured) if name != SIGNED_OUT else browser.new_context()
            look(opened(context, toured, name), folder, name)
            context.close()
        if pictures is not None:
            draw(browser, toured, sandbox, pictures)


def draw(browser: Browser, toured: Tour, sandbox: SandboxProcess, folder: Path) -> None:
    """A plan of every kind of row, and the run that is at work."""
    plan, _ = toured.visitor.planned(every_kind(toured.site.folder / "spring term.xlsx", sandbox))
    for name, path, height in (("page", plan, 1_070), ("page_run", toured.paths["run"], 620)):
        context = signed_in(browser, toured)
        page = context.new_page()
        page.set_viewport_size({"width": WIDE, "height": height})
        page.goto(toured.site.base + path)
        page.screenshot(path=folder / f"{name}.png")
        context.close()


def every_kind(path: Path, sandbox: SandboxProcess) -> Path:
    """A sheet with a new title, a text that was edited, a moved lesson, and a cell that has to be mended."""
    sections = sorted(sandbox.records())[60:66]
    sandbox.edit(sections[2], SectionContents=OLD_LESSON)
    return write_sheet(
        path,
        ("Id", "Title", "SectionContents", "DisplayOrder", "UnlockType"),
        (sections[2], None, NEW_LESSON, None, None),
        (sections[0], "Opening hours in spring", None, None, None),
        (sections[1], None, None, 12, "Timed or so"),
        (sections[3], "The kitchen, and who cleans it", None, 4, "Immediate"),
    )


def signed_in(browser: Browser, toured: Tour) -> BrowserContext:
    """A browser that has the cookie of the tour's visitor."""
    context = browser.new_context(device_scale_factor=1)
    cookies = toured.visitor.client.cookies.items()
    context.add_cookies([{"name": key, "value": value, "url": toured.site.base} for key, value in cookies])
    return context


def opened(context: BrowserContext, toured: Tour, name: str) -> Page:
    """The page of this name."""
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(toured.site.base + toured.paths[name])
    return page


def look(page: Page, folder: Path, name: str) -> None:
    """Take the page as it is now, in both sizes, by day and by night; what is below the screen too."""
    for size, (width, height) in (("desk", DESKTOP), ("phone", PHONE)):
        page.set_viewport_size({"width": width, "height": height})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            tall = min(int(page.evaluate("document.documentElement.scrollHeight")), 3 * height)
            clip = {"x": 0, "y": 0, "width": width, "height": max(height, tall)}
            page.screenshot(path=folder / f"{name}-{size}-{scheme}.png", full_page=True, clip=clip)  # type: ignore[arg-type]  # its type is not exported


if __name__ == "__main__":
    main(*[*map(Path, sys.argv[1:]), None][:2])
