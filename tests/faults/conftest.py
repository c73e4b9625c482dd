"""One sandbox and one zygote for all tests of a worker; each test has a desk of its own."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.commands import Commands
from tests.faults.desk import PASSWORD, TOKEN, Desk, seed
from tests.sandbox_process import SandboxProcess

SECTIONS = 200


@pytest.fixture(scope="session")
def commands() -> Iterator[Commands]:
    """The process that forks commands."""
    with Commands() as commands:
        yield commands


@pytest.fixture(scope="session")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """The server, as it was left by the last test."""
    path = tmp_path_factory.mktemp("seed") / "seed.json"
    path.write_text(json.dumps(seed(SECTIONS)))
    with SandboxProcess("--no-limits", "--token", TOKEN, "--password", PASSWORD, seed=path) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: SandboxProcess) -> SandboxProcess:
    """The server as at its start."""
    shared_sandbox.reset()
    return shared_sandbox


@pytest.fixture
def desk(sandbox: SandboxProcess, commands: Commands, tmp_path: Path) -> Desk:
    """An operator's place, with nothing done yet."""
    return Desk(tmp_path, sandbox, commands)
