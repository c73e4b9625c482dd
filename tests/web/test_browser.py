"""The operator's way in a real browser: what is clicked, typed and seen, with the page's own scripts and policy."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from tests.programs import needs
from tests.sandbox_process import SandboxProcess
from tests.web.browser import DESKTOP, PHONE, chromium
from tests.web.page_process import PASSWORD, PageProcess, slowed
from tests.web.sheets import write_sheet
from tests.web.test_journey import SECTIONS, titles

pytestmark = [pytest.mark.e2e, needs("chromium")]

WAIT_MS = 60_000
expect.set_options(timeout=WAIT_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this file."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def staffed(tmp_path_factory: pytest.TempPathFactory, sandbox: SandboxProcess) -> Iterator[PageProcess]:
    """The page with two people who may approve."""
    people = {"ada": "approver", "ben": "approver"}
    with PageProcess(tmp_path_factory.mktemp("staffed"), sandbox, people=people) as started:
        yield started


@pytest.fixture
def watched() -> list[str]:
    """What a browser complains of: refused by the policy, broken scripts."""
    return []


def opened(browser: Browser, watched: list[str], size: tuple[int, int] = DESKTOP) -> Page:
    page = browser.new_context(viewport={"width": size[0], "height": size[1]}).new_page()
    page.set_default_timeout(WAIT_MS)
    page.on("console", lambda said: watched.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: watched.append(str(error)))
    return page


def signed_in(browser: Browser, site: PageProcess, watched: list[str], size: tuple[int, int] = DESKTOP) -> Page:
    page = opened(browser, watched, size)
    page.goto(site.address)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{site.base}/")
    return page


def test_the_whole_way(
    browser: Browser, site: PageProcess, sandbox: SandboxProcess, watched: list[str], tmp_path: Path
) -> None:
    """Upload, leave a row out, approve, watch it happen, read the report; no script or policy complains."""
    ids, before = SECTIONS[0:20], len(sandbox.puts())
    rows = [(key, f"In a browser number-{at}-") for at, key in enumerate(ids)]
    sheet = write_sheet(tmp_path / "lessons.xlsx", ("Id", "Title"), *rows)
    page = signed_in(browser, site, watched)
    page.set_input_files("input[type=file]", sheet)
    page.get_by_role("button", name="Upload").click()

    expect(page.get_by_role("heading", name="20 rows would be sent")).to_be_visible()
    page.get_by_role("searchbox").fill("browser number-7-")
    expect(page.locator("article.row")).to_have_count(1)
    expect(page.locator("article.row ins")).to_have_text(re.compile("In a browser number-7-"))
    page.get_by_label("Leave this row out").check()
    page.get_by_role("button", name="Plan again").click()
    expect(page.get_by_role("heading", name="19 rows would be sent")).to_be_visible()

    page.get_by_role("link", name="Approve").click()
    expect(page.get_by_text("19 sections of quayside")).to_be_visible()
    with slowed(sandbox, 400):
        page.get_by_role("button", name="Approve and send").click()
        begun(page)
        expect(page.locator("[data-live=said]")).to_have_text(re.compile(r"^[1-9]\d* of 19 rows"))
        expect(page.locator("[data-count=updated]")).to_have_text(re.compile(r"^[1-9]"))
        page.reload()
        expect(page.get_by_role("heading", name="Finished")).to_be_visible()

    with page.expect_download() as taken:
        page.get_by_role("link", name="report.xlsx").click()
    assert taken.value.suggested_filename.endswith("report.xlsx")
    assert len(sandbox.puts()) == before + 19
    assert not sandbox.records()[ids[7]]["Title"].startswith("In a browser")
    assert watched == []
    page.context.close()


def test_a_run_outlives_the_browser_and_the_server(
    browser: Browser, staffed: PageProcess, sandbox: SandboxProcess, watched: list[str], tmp_path: Path
) -> None:
    """The tab is closed and the server is killed in mid-run: the run ends, and a server started anew shows it."""
    ids = SECTIONS[100:160]
    before = len(sandbox.puts())
    page = by_name(browser, staffed, "ada", watched)
    upload(page, titles(tmp_path / "long.xlsx", "Outlives", ids))
    page.get_by_role("link", name="Approve").click()
    with slowed(sandbox, 600):
        page.get_by_role("button", name="Approve and send").click()
        begun(page)
        expect(page.locator("[data-live=said]")).to_have_text(re.compile(r"^[1-9]"))
        address = page.url
        staffed.stop(kill=True)
        staffed.start()
        expect(page.get_by_role("heading", name=re.compile("At work|Finished"))).to_be_visible()
        page.context.close()

    again = by_name(browser, staffed, "ada", [])
    again.goto(address)
    expect(again.get_by_role("heading", name="Finished")).to_be_visible()
    assert len(sandbox.puts()) == before + len(ids)
    again.context.close()


def upload(page: Page, sheet: Path) -> None:
    page.get_by_role("link", name="Start").click()
    page.set_input_files("input[type=file]", sheet)
    page.get_by_role("button", name="Upload").click()


def approve(page: Page) -> None:
    page.get_by_role("link", name="Approve").click()
    page.get_by_role("button", name="Approve and send").click()
    begun(page)
    expect(page.get_by_role("heading", name="Finished")).to_be_visible()


def begun(page: Page) -> None:
    """Wait for the run's own page; what stands on the page instead is the failure's message."""
    try:
        page.wait_for_url("**/runs/*")
    except PlaywrightTimeoutError as error:
        raise AssertionError(f"{page.url}: {page.inner_text('main')}") from error


def test_a_file_that_is_too_large_or_no_sheet_is_told(
    browser: Browser, staffed: PageProcess, watched: list[str], tmp_path: Path
) -> None:
    """Before it is sent where it is too large; in the loader's words, by its own name, where it is no sheet."""
    page = by_name(browser, staffed, "ada", watched)
    large, picture = tmp_path / "large.xlsx", tmp_path / "picture.xlsx"
    large.write_bytes(b"\0" * 21_500_000)
    picture.write_bytes(b"\xff\xd8\xff\xe0 a picture")

    upload(page, large)
    expect(page.get_by_role("alert")).to_have_text("The file is larger than 20 MB.")
    upload(page, picture)
    expect(page.get_by_role("alert")).to_have_text("picture.xlsx is an image, not a sheet.")
    assert watched == []
    page.context.close()


def test_what_failed_is_mended_and_uploaded_again_and_undone(
    browser: Browser, staffed: PageProcess, sandbox: SandboxProcess, watched: list[str], tmp_path: Path
) -> None:
    """The way back: failed.xlsx is taken away, mended and uploaded; what it wrote is put back by an undo."""
    good, mended = SECTIONS[180:182]
    before = sandbox.records()[mended]["Title"]
    page = by_name(browser, staffed, "ada", watched)
    upload(page, write_sheet(tmp_path / "two.xlsx", ("Id", "Title"), (good, "Good"), ("no id", "To be mended")))
    expect(page.get_by_role("heading", name="1 row would be sent")).to_be_visible()
    approve(page)
    with page.expect_download() as taken:
        page.get_by_role("link", name="failed.xlsx").click()
    failed = tmp_path / "failed.xlsx"
    taken.value.save_as(failed)
    mend(failed, "no id", mended)

    upload(page, failed)
    expect(page.get_by_role("heading", name="1 row would be sent")).to_be_visible()
    approve(page)
    assert sandbox.records()[mended]["Title"] == "To be mended"

    page.get_by_role("button", name="Undo this run").click()
    expect(page.locator("article.row ins")).to_contain_text(before)
    approve(page)
    assert sandbox.records()[mended]["Title"] == before
    assert sandbox.records()[good]["Title"] == "Good"
    assert watched == []
    page.context.close()


def mend(path: Path, wrong: str, right: int) -> None:
    workbook = load_workbook(path)
    cells = [cell for row in workbook.worksheets[0].iter_rows() for cell in row if cell.value == wrong]
    cells[0].value = right
    workbook.save(path)
    workbook.close()


def test_two_people_approve_at_once(
    browser: Browser, staffed: PageProcess, sandbox: SandboxProcess, watched: list[str], tmp_path: Path
) -> None:
    """Both see both; one run waits for the other in plain sight, begins by itself, and each is shown its own end."""
    pages = {name: by_name(browser, staffed, name, watched) for name in ("ada", "ben")}
    for at, (name, page) in enumerate(pages.items()):
        upload(page, titles(tmp_path / f"{name}.xlsx", f"By {name}", SECTIONS[190 + 2 * at : 192 + 2 * at]))
        page.get_by_role("link", name="Approve").click()
    with slowed(sandbox, 1000):
        for page in pages.values():
            page.get_by_role("button", name="Approve and send").click()
        expect(pages["ben"].get_by_text("It waits for the run of ada.xlsx")).to_be_visible()
        looking = by_name(browser, staffed, "ada", watched)
        expect(looking.get_by_role("link", name="ben.xlsx").first).to_be_visible()
        expect(looking.get_by_text(re.compile("approved by ben"))).to_be_visible()
        looking.context.close()

    for name, page in pages.items():
        expect(page.get_by_role("heading", name="Finished")).to_be_visible()
        expect(page.get_by_role("heading", name=f"{name}.xlsx")).to_be_visible()
        page.context.close()
    assert [sandbox.records()[SECTIONS[190 + at]]["Title"] for at in (0, 2)] == ["By ada 0", "By ben 0"]
    assert watched == []


def test_a_session_ends_and_the_work_goes_on(
    browser: Browser, staffed: PageProcess, sandbox: SandboxProcess, watched: list[str], tmp_path: Path
) -> None:
    """An approval after the session's end does nothing but lead to the sign-in, and that leads back to the page."""
    page = by_name(browser, staffed, "ada", watched)
    upload(page, titles(tmp_path / "late.xlsx", "Late", SECTIONS[198:199]))
    page.get_by_role("link", name="Approve").click()
    before = len(sandbox.puts())

    end_sessions(staffed)
    page.get_by_role("button", name="Approve and send").click()
    expect(page.get_by_role("alert")).to_contain_text("your session has ended")
    assert len(sandbox.puts()) == before

    sign_in(page, "ada")
    page.get_by_role("link", name="late.xlsx").click()
    end_sessions(staffed)
    page.get_by_role("link", name="Approve").click()
    expect(page.get_by_role("alert")).to_contain_text("your session has ended")
    sign_in(page, "ada")
    page.wait_for_url("**/approval")
    page.get_by_role("button", name="Approve and send").click()
    expect(page.get_by_role("heading", name="Finished")).to_be_visible()
    assert len(sandbox.puts()) == before + 1
    assert watched == []
    page.context.close()


def end_sessions(site: PageProcess) -> None:
    """Let an hour pass for everybody who is signed in."""
    with closing(sqlite3.connect(site.state / "store.sqlite3")) as store, store:
        store.execute("UPDATE sessions SET seen_wall = seen_wall - 3600")


def by_name(browser: Browser, site: PageProcess, name: str, watched: list[str]) -> Page:
    page = opened(browser, watched)
    page.goto(site.base)
    sign_in(page, name)
    page.wait_for_url(f"{site.base}/")
    return page


def sign_in(page: Page, name: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_two_people_with_two_roles(
    browser: Browser, sandbox: SandboxProcess, watched: list[str], tmp_path: Path
) -> None:
    """An operator uploads and cannot approve; with four eyes an approver approves others' uploads, not the own."""
    people = {"olga": "operator", "ada": "approver", "vera": "viewer"}
    with PageProcess(tmp_path, sandbox, "--four-eyes", people=people) as site:
        olga, ada = by_name(browser, site, "olga", watched), by_name(browser, site, "ada", watched)
        vera = by_name(browser, site, "vera", watched)
        expect(vera.get_by_role("button", name="Upload")).to_have_count(0)

        addresses = []
        for page, at, leads_on in ((olga, 160, False), (ada, 162, True)):
            sheet = titles(tmp_path / f"{at}.xlsx", "Two people", SECTIONS[at : at + 2])
            page.set_input_files("input[type=file]", sheet)
            page.get_by_role("button", name="Upload").click()
            expect(page.get_by_role("heading", name="2 rows would be sent")).to_be_visible()
            expect(page.get_by_role("link", name="Approve")).to_have_count(1 if leads_on else 0)
            if leads_on:
                page.get_by_role("link", name="Approve").click()
            expect(page.get_by_role("button", name="Approve and send")).to_have_count(0)
            addresses.append(page.url)
        expect(olga.get_by_text("Your role may not approve")).to_be_visible()
        expect(ada.get_by_text("somebody else has to approve it")).to_be_visible()

        ada.goto(addresses[0])
        ada.get_by_role("link", name="Approve").click()
        ada.get_by_role("button", name="Approve and send").click()
        ada.wait_for_url("**/runs/*")
        expect(ada.get_by_role("heading", name="Finished")).to_be_visible()
        assert sandbox.records()[SECTIONS[160]]["Title"] == "Two people 0"
        for page in (olga, ada, vera):
            page.context.close()


def test_it_works_on_a_phone_and_by_keyboard(
    browser: Browser, sandbox: SandboxProcess, watched: list[str], tmp_path: Path
) -> None:
    """At 360 px nothing is wider than the screen; every field has a name, and the keyboard reaches the main button."""
    with PageProcess(tmp_path, sandbox) as site:
        page = signed_in(browser, site, watched, PHONE)
        sheet = write_sheet(
            tmp_path / "wide.xlsx",
            ("Id", "Title", "SectionContents"),
            (SECTIONS[170], "W" * 120, f"<p>{'w' * 900}</p>"),
        )
        page.set_input_files("input[type=file]", sheet)
        for place in ("start", "plan", "approval"):
            if place == "plan":
                page.get_by_role("button", name="Upload").focus()
                page.keyboard.press("Enter")
                page.wait_for_selector("article.row")
            if place == "approval":
                page.get_by_role("link", name="Approve").focus()
                page.keyboard.press("Enter")
                page.wait_for_url("**/approval")
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= PHONE[0], place
            unnamed = page.evaluate(
                """[...document.querySelectorAll('input:not([type=hidden]),select,button,progress,meter,[role=region]')]
                .filter(e => !(e.labels && e.labels.length) && !e.getAttribute('aria-label')
                  && !e.getAttribute('aria-labelledby') && !e.textContent.trim()).map(e => e.outerHTML)"""
            )
            assert unnamed == []
        assert watched == []
        page.context.close()


def test_a_long_name_hides_no_column(
    browser: Browser, staffed: PageProcess, watched: list[str], tmp_path: Path
) -> None:
    """One file whose name has no space leaves when, who and result of all others on the screen."""
    page = by_name(browser, staffed, "ada", watched)
    page.set_input_files("input[type=file]", write_sheet(tmp_path / f"{'x' * 110}.xlsx", ("Id", "Title"), ("1", "A")))
    page.get_by_role("button", name="Upload").click()
    page.wait_for_selector("article.row")
    page.goto(f"{staffed.base}/")
    table = page.get_by_role("group", name="Plans")

    expect(table).to_contain_text("x" * 90)
    assert table.evaluate("all => all.scrollWidth - all.clientWidth") <= 0
    page.context.close()


def test_s13_s15_a_hostile_sheet_is_text_in_a_browser(
    browser: Browser, staffed: PageProcess, watched: list[str], tmp_path: Path
) -> None:
    """S13 and S15: markup in names, titles and contents runs nowhere, asks for nothing, and is there to be read."""
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script><svg onload=alert(3)>"
    sheet = write_sheet(
        tmp_path / "a.xlsx",
        ("Id", "Title", "SectionContents", evil),
        (SECTIONS[210], "{{7*7}} ${7*7} " + evil, f"<p>Hello</p>{evil}<a href='javascript:alert(4)'>x</a>", evil),
        (SECTIONS[211], evil, "<iframe srcdoc=x></iframe>", None),
    )
    hostile = sheet.rename(tmp_path / "<b>'onfocus=alert(5) autofocus.xlsx")
    page = by_name(browser, staffed, "ada", watched)
    page.on("dialog", lambda dialog: watched.append(f"dialog {dialog.message}"))
    asked_of: list[str] = []
    page.on("request", lambda request: asked_of.append(request.url))

    upload(page, hostile)
    expect(page.get_by_role("heading", name="2 rows would be sent")).to_be_visible()
    page.get_by_role("searchbox").fill("<svg onload")
    expect(page.locator("article.row")).to_have_count(2)
    page.get_by_role("link", name="Start").click()
    expect(page.get_by_role("link", name="onfocus=alert(5)").first).to_be_visible()
    page.goto(f"{staffed.base}/people")

    expect(page.get_by_text("onfocus=alert(5)").first).to_be_visible()
    assert watched == []
    assert {url.split("/")[2] for url in asked_of} == {staffed.base.split("/")[2]}
    page.context.close()
