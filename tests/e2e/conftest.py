"""One sandbox process a module, as at the start before each test, and a command line in a folder of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.adapters import spreadsheet
from sync.jobs import sheets
from tests.e2e.command_line import SAMPLES, Shell
from tests.reading_here import NotAhead
from tests.sandbox_process import SandboxProcess


@pytest.fixture(scope="module")
def sandbox_of_module() -> Iterator[SandboxProcess]:
    """A sandbox with the academy's sections, and without limits."""
    with SandboxProcess("--no-limits", seed=SAMPLES / "sandbox_seed.json") as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(sandbox_of_module: SandboxProcess) -> SandboxProcess:
    """The module's sandbox, as at its start."""
    sandbox_of_module.reset()
    return sandbox_of_module


@pytest.fixture
def reads_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parse sheets in this process: for tests of many commands, on plain sheets of their own making."""
    monkeypatch.setattr(sheets, "load", spreadsheet.load_here)
    monkeypatch.setattr(spreadsheet, "ReadingAhead", NotAhead)


@pytest.fixture
def shell(
    tmp_path: Path,
    sandbox: SandboxProcess,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Shell:
    """The command line in a folder of its own, with a profile `main` that leads to the sandbox."""
    return Shell(tmp_path, sandbox, monkeypatch, capsys)
