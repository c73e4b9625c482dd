"""The README names what there is: every command, exit code and setting."""

import re

import pytest

from sync.cli.main import COMMANDS
from sync.profiles import ProfileKeys
from tests.sandbox_process import ROOT

pytestmark = pytest.mark.e2e

README = (ROOT / "README.md").read_text(encoding="utf-8")
EXIT_CODES = (0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 130, 143)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_named(command: str) -> None:
    """In the table of commands."""
    assert re.search(rf"^\| [^|]*`{command}[` ]", README, re.MULTILINE)


@pytest.mark.parametrize("code", EXIT_CODES)
def test_every_exit_code_is_named(code: int) -> None:
    """In the table of exit codes."""
    assert re.search(rf"^\| (?:\d+, )*{code}(?:, \d+)* \|", README, re.MULTILINE)


@pytest.mark.parametrize("key", ProfileKeys.model_fields)
def test_every_key_of_a_profile_is_named(key: str) -> None:
    """In the table of settings."""
    table = README.split("## Settings", maxsplit=1)[1]

    assert re.search(rf"^\| [^|]*`\[*{key}[\].`]", table, re.MULTILINE)
