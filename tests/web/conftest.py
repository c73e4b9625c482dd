"""A sandbox and a page for the tests of one file, and somebody who is signed in."""

from collections.abc import Iterator

import pytest

from tests.e2e.command_line import SAMPLES
from tests.sandbox_process import SandboxProcess
from tests.web.page_process import PageProcess, Visitor


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
