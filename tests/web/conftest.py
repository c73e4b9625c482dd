"""A sandbox and a page for the tests of one file, and somebody who is signed in."""

from collections.abc import Iterator

import pytest

from tests.e2e.command_line import SAMPLES
from tests.sandbox_process import SandboxProcess
from tests.web.hostile import EVIL, HOSTILE_NAMES, MARKUP
from tests.web.page_process import PageProcess, Visitor
from tests.web.sheets import write_sheet


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    """A sandbox with the academy's sections, and without limits."""
    with SandboxProcess("--no-limits", seed=SAMPLES / "sandbox_seed.json") as started:
        yield started


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, sandbox: SandboxProcess) -> Iterator[PageProcess]:
    """The page without people, on this machine alone."""
    with PageProcess(tmp_path_factory.mktemp("page"), sandbox) as started:
        yield started


@pytest.fixture(scope="module")
def visitor(site: PageProcess) -> Visitor:
    """Who has opened the one-time link."""
    return site.visitor()


@pytest.fixture(scope="module")
def staffed(tmp_path_factory: pytest.TempPathFactory, sandbox: SandboxProcess) -> Iterator[PageProcess]:
    """The page with somebody of each role."""
    people = {"ada": "approver", "olga": "operator", "vera": "viewer"}
    with PageProcess(tmp_path_factory.mktemp("staffed"), sandbox, people=people) as started:
        yield started


@pytest.fixture(scope="module")
def hostile(visitor: Visitor, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A plan of a sheet that is markup wherever it can be: the address, and the page."""
    sheet = write_sheet(
        tmp_path_factory.mktemp("hostile") / "a.xlsx",
        ("Id", "Title", "SectionContents", "DisplayOrder", "NewImageUrl"),
        (1414925001, EVIL, MARKUP, EVIL, None),
        (1414925007, EVIL, MARKUP, 2, None),
        (1414925023, "Hello", None, None, "http://169.254.169.254/x.png"),
        (1414925046, "Hello", None, None, "https://0x7f.1/x.png"),
        (1414925064, "Hello", None, None, "https://localhost/x.png"),
    )
    plan, page = visitor.planned(sheet, name=HOSTILE_NAMES[0] + HOSTILE_NAMES[5])
    return plan, page.text
