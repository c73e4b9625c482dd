"""Wrong words, profiles and environments: one clear line, the right exit code, no traceback, and nothing sent."""

from pathlib import Path

import pytest

from sync.cli.main import COMMANDS, run
from tests.e2e.command_line import SAMPLES, Shell, refused
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.e2e

DEMO = str(SAMPLES / "demo.xlsx")
PLAIN_COMMANDS = [name for name in COMMANDS if name not in ("sandbox", "users")] + ["users list"]
"""The sandbox answers wrong words as argparse does: with all its switches; `users` takes a word first."""

WRONG_WORDS: list[tuple[tuple[str, ...], int, str]] = [
    ((), 2, "Missing command"),
    (("chek", DEMO), 2, "There is no command 'chek'. Did you mean 'check'?"),
    (("--nope",), 2, "No such option '--nope'"),
    (("check",), 2, "Missing argument 'SHEET'"),
    (("plan",), 2, "Missing argument 'SHEET'"),
    (("apply", "--yes"), 2, "Missing argument 'SHEET'"),
    (("report",), 2, "Missing argument 'RUN'"),
    (("check", DEMO, DEMO), 2, "unexpected extra argument"),
    (("resume", "a", "b"), 2, "unexpected extra argument"),
    (("history", "a"), 2, "unexpected extra argument"),
    (("doctor", "a"), 2, "unexpected extra argument"),
    (("check", DEMO, "--log-format", "xml"), 2, "'xml' is not one of 'text', 'json'"),
    (("check", DEMO, "--profile", "mian"), 2, 'There is no profile "mian". Did you mean "main"?'),
    (("check", DEMO, "--profile", "../main"), 2, "cannot name a profile"),
    (("plan", DEMO, "--profile", "main", "--config", "configs/main.toml"), 2, "--profile and --config both name"),
    (("plan", DEMO, "--config", "nowhere.toml"), 2, "nowhere.toml cannot be read: No such file"),
    (("plan", DEMO), 2, "no profile or base URL was given. Use --profile NAME. Found: main"),
    (("export",), 2, "no profile or base URL was given"),
    (("login",), 2, "no profile or base URL was given"),
    (("logout",), 2, "no profile or base URL was given"),
    (("resume",), 2, "no profile or base URL was given"),
    (("apply", DEMO, "--yes"), 2, "no profile or base URL was given"),
    (("apply", DEMO), 6, "there is no terminal to ask at. Give --yes"),
    (("apply", DEMO, "--yes", "--until", "noon", "--profile", "main"), 2, "--until takes a time of day"),
    (("export", "--course", "x", "--profile", "main"), 2, "'x' is not a valid integer"),
    (("export", "-o", "all.pdf", "--profile", "main"), 2, "Name a file that ends in .xlsx or .csv"),
    (("export", "-o", "nowhere/all.xlsx", "--profile", "main"), 2, "There is no folder nowhere"),
    (("template", "-o", "all.csv"), 2, "Name a file that ends in .xlsx"),
    (("template", "-o", "configs"), 2, "configs is a folder"),
    (("template", "-o", "."), 2, "is a folder"),
    (("template", "-o", "nowhere/all.xlsx"), 2, "There is no folder nowhere"),
    (("report", "nope", "--profile", "main"), 2, "There is no run 'nope'. See `coursesync history`"),
    (("status", "nope", "--profile", "main"), 2, "There is no run 'nope'"),
    (("resume", "nope", "--profile", "main"), 2, "There is no run 'nope'"),
    (("login", "--profile", "main"), 2, "no user name or no password"),
    (("check", DEMO, "--out", "configs/main.toml"), 2, "configs/main.toml is no folder. Choose another --out"),
    (("plan", DEMO, "--out", "configs/main.toml/x", "--profile", "main"), 2, "is no folder. Choose another --out"),
    (("apply", DEMO, "--yes", "--out", "configs/main.toml", "--profile", "main"), 2, "Choose another --out"),
    (("demo", "--out", "configs/main.toml"), 2, "Choose another --out"),
]
WORDS = [
    pytest.param(words, code, text, id=" ".join(Path(word).name or word for word in words) or "(no words)")
    for words, code, text in WRONG_WORDS
]


@pytest.mark.parametrize(("words", "code", "text"), WORDS)
def test_wrong_words_are_answered_in_one_line(
    shell: Shell, sandbox: SandboxProcess, words: tuple[str, ...], code: int, text: str
) -> None:
    """What is wrong, what is near, and where to look; before any request."""
    ran = shell.bare(*words)

    refused(ran, code, text)
    assert ran.out == ""
    assert sandbox.log() == []


@pytest.mark.parametrize(("words", "code", "text"), WORDS[1:])
def test_a_machine_is_told_the_same_as_one_object(shell: Shell, words: tuple[str, ...], code: int, text: str) -> None:
    """`--json`: exit code, error and remedy on standard output, for errors too."""
    ran = shell.bare(*words, "--json")

    assert ran.json.keys() == {"exit_code", "error", "remedy"}
    assert ran.json["exit_code"] == ran.code == code
    assert text in f"{ran.json['error']} {ran.json['remedy']}"


@pytest.mark.parametrize("command", PLAIN_COMMANDS)
@pytest.mark.parametrize(
    ("option", "text"), [("--nope", "No such option '--nope'"), ("--state-dir", "'--state-dir' requires an argument")]
)
def test_every_command_refuses_an_option_that_it_does_not_have(
    shell: Shell, command: str, option: str, text: str
) -> None:
    """Nothing is passed over in silence."""
    refused(shell.bare(*command.split(), option), 2, text)


@pytest.mark.parametrize("command", PLAIN_COMMANDS)
def test_every_command_explains_itself(shell: Shell, command: str) -> None:
    """`--help` on standard output, exit code 0."""
    ran = shell.bare(*command.split(), "--help")

    assert ran.code == 0
    assert ran.out.startswith(f"Usage: coursesync {command}")
    assert ran.err == ""


def test_the_sandbox_refuses_a_switch_that_it_does_not_have(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and the words are named."""
    assert run(["sandbox", "--nope"]) == 2
    assert "unrecognized arguments: --nope" in capsys.readouterr().err
    assert shell.folder.is_dir()


BASE = 'base_url = "https://api.example.com/api"\n'
WRONG_PROFILES: list[tuple[str, str, str]] = [
    ("unknown key", BASE + 'account = "a"\ntimout_s = 3', 'Unknown key "timout_s"'),
    ("nearest name", BASE + 'account = "a"\ntimout_s = 3', 'Did you mean "timeout_s"?'),
    ("wrong type", BASE + 'account = "a"\ntimeout_s = "30"', '"timeout_s" in'),
    ("no number", BASE + 'account = "a"\nattempts = "many"', 'it is "many"'),
    ("out of range", BASE + 'account = "a"\nquota_share = 1.5', "less than or equal to 1"),
    ("no choice", BASE + 'account = "a"\non_invalid = "ignore"', "'skip' or 'stop'"),
    ("no account", BASE, 'names no account. Write account = "a-name-for-it"'),
    ("a token", BASE + 'account = "a"\ntoken = "s3cret-canary"', '"token" in'),
    ("a password", BASE + 'account = "a"\npassword = "s3cret-canary"', "a secret has no place there"),
    ("plain http", 'base_url = "http://api.example.com/api"\naccount = "a"', "https"),
    ("no address", 'base_url = "spaces"\naccount = "a"', "base_url"),
    ("no base URL", 'account = "a"', "has no base_url"),
    ("no TOML", "base_url = ", "is no valid TOML"),
    ("limit", BASE + 'account = "a"\n[[limits]]\nscope = "write"\ncount = 0\nseconds = 60', "limits[1].count"),
    ("limit's key", BASE + 'account = "a"\n[[limits]]\nscop = "write"', 'Did you mean "scope"?'),
    ("alias", BASE + 'account = "a"\n[aliases]\n"Titel" = "Titl"', 'Did you mean "Title"?'),
    ("rail", BASE + 'account = "a"\n[rails.drift]\nmaxi = 3', 'Did you mean "max"?'),
    ("certificate", BASE + 'account = "a"\nca_file = "nowhere.pem"', "there is no file"),
    ("throttle", BASE + 'account = "a"\nthrottle_statuses = [400]', "never means a throttle"),
    ("body_omit", BASE + 'account = "a"\nbody_omit = ["Title"]', "body_omit names Title"),
]


@pytest.mark.parametrize(
    ("content", "text"), [pytest.param(content, text, id=name) for name, content, text in WRONG_PROFILES]
)
def test_a_wrong_profile_is_named_with_its_key(shell: Shell, sandbox: SandboxProcess, content: str, text: str) -> None:
    """Exit code 2 for what needs the network and what does not; a secret's value is never repeated."""
    (shell.folder / "configs" / "wrong.toml").write_text(content, encoding="utf-8")

    ran = shell.bare("plan", DEMO, "--profile", "wrong")

    refused(ran, 2, text)
    assert "s3cret-canary" not in ran.out + ran.err
    assert sandbox.log() == []


WRONG_ENVIRONMENTS: list[tuple[str, dict[str, str | None], str]] = [
    ("no token", {"COURSESYNC_TOKEN": None}, "There is no sign-in for this account"),
    ("misspelt", {"COURSESYNC_TOKN": "x"}, "Unknown variable COURSESYNC_TOKN. Did you mean COURSESYNC_TOKEN?"),
    ("twice", {"COURSESYNC_TOKEN_FILE": "token"}, "COURSESYNC_TOKEN and COURSESYNC_TOKEN_FILE are both set"),
    ("no file", {"COURSESYNC_TOKEN": None, "COURSESYNC_TOKEN_FILE": "nowhere"}, "nowhere cannot be read"),
    ("open file", {"COURSESYNC_TOKEN": None, "COURSESYNC_TOKEN_FILE": "open"}, "chmod 600 open"),
    ("white space", {"COURSESYNC_TOKEN": "two words"}, "The secret in the variable COURSESYNC_TOKEN holds"),
    ("password only", {"COURSESYNC_PASSWORD": "pw-canary"}, "There is a password and no user name"),
    ("profile", {"COURSESYNC_PROFILE": "mian"}, 'Did you mean "main"?'),
]


@pytest.mark.parametrize(
    ("variables", "text"), [pytest.param(variables, text, id=name) for name, variables, text in WRONG_ENVIRONMENTS]
)
def test_a_wrong_environment_is_named_with_its_variable(
    shell: Shell, sandbox: SandboxProcess, variables: dict[str, str | None], text: str
) -> None:
    """Exit code 2, and the secret's value is never repeated."""
    (shell.folder / "open").write_text("file-canary", encoding="utf-8")
    (shell.folder / "open").chmod(0o644)
    shell.setenv(**variables)

    ran = shell.bare("plan", DEMO) if "COURSESYNC_PROFILE" in variables else shell("plan", DEMO)

    refused(ran, 2, text)
    assert "canary" not in ran.out + ran.err
    assert sandbox.log() == []
