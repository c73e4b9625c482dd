"""`login`, `logout` and `doctor`: one kept sign-in, closed to others, renewed when it ends."""

import json
from typing import Any

import pytest

from sync.adapters.lock import run_lock
from tests.e2e.command_line import SAMPLES, Shell, refused
from tests.sandbox_process import TOKEN, SandboxProcess

pytestmark = pytest.mark.e2e

TITLES = SAMPLES / "translate_titles.xlsx"
USER = "admin@example.com"
PASSWORD = "sandbox-password"


@pytest.fixture
def person(shell: Shell) -> Shell:
    """The command line of somebody who has a user name and a password, and no ready token."""
    shell.setenv(COURSESYNC_TOKEN=None, COURSESYNC_USERNAME=USER, COURSESYNC_PASSWORD=PASSWORD)
    return shell


def _kept(shell: Shell) -> dict[str, Any]:
    kept: dict[str, Any] = json.loads((shell.state / "token.json").read_text(encoding="utf-8"))
    return kept


def _grants(sandbox: SandboxProcess) -> int:
    return sum(entry["path"] == "/api/token" for entry in sandbox.log())


def test_a_sign_in_is_kept_closed_to_others(person: Shell, sandbox: SandboxProcess) -> None:
    """The token's file has mode 0600 in a folder of mode 0700; the command says where."""
    ran = person("login")

    assert ran.code == 0
    assert f"Signed in at {sandbox.base_url}; the sign-in is kept in {person.state}." in ran.out
    assert (person.state / "token.json").stat().st_mode & 0o777 == 0o600
    assert person.state.stat().st_mode & 0o777 == 0o700
    assert PASSWORD not in (person.state / "token.json").read_text(encoding="utf-8")


def test_a_kept_sign_in_serves_without_the_password(person: Shell, sandbox: SandboxProcess) -> None:
    """Sign in once at a desk; cron goes on with what is kept."""
    person("login")
    person.setenv(COURSESYNC_USERNAME=None, COURSESYNC_PASSWORD=None)

    ran = person("apply", TITLES, "--yes", "--quiet")

    assert ran.code == 0
    assert _grants(sandbox) == 1
    assert len(sandbox.puts()) == 12


def test_without_a_kept_sign_in_the_password_is_used_once(person: Shell, sandbox: SandboxProcess) -> None:
    """Two commands, one sign-in."""
    assert person("plan", TITLES, "--quiet").code == 0
    assert person("plan", TITLES, "--quiet").code == 0

    assert _grants(sandbox) == 1


def test_sign_ins_are_counted_with_the_writes_of_every_command(person: Shell, sandbox: SandboxProcess) -> None:
    """Two sign-ins by `login`, then a run: its allowance of the day is less by both."""
    person.profile(limits='[{ scope = "write", count = 5, seconds = 86400 }]')
    assert (person("login").code, person("login").code) == (0, 0)
    ran = person("apply", TITLES, "--yes")

    assert (ran.code, len(sandbox.puts()), _grants(sandbox)) == (5, 3, 2)
    assert "5 of 5 taken" in person("status").out


def test_a_state_directory_takes_the_sign_in_of_its_own_account_alone(person: Shell, sandbox: SandboxProcess) -> None:
    """`login` binds it as every command does; `logout` works even where the store is damaged."""
    assert person("login").code == 0
    path = person.folder / "configs" / "main.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("quayside", "another"), encoding="utf-8")
    refused = person("login")
    (person.state / "store.sqlite3").write_bytes(b"no store " * 1000)
    out = person("logout")

    assert (refused.code, "belongs to account" in refused.why) == (2, True)
    assert (out.code, (person.state / "token.json").exists(), _grants(sandbox)) == (0, False, 1)


def test_a_password_may_come_from_a_file(person: Shell) -> None:
    """`COURSESYNC_PASSWORD_FILE`, mode 0600."""
    path = person.folder / "password"
    path.write_text(PASSWORD + "\n", encoding="utf-8")
    path.chmod(0o600)
    person.setenv(COURSESYNC_PASSWORD=None, COURSESYNC_PASSWORD_FILE=str(path))

    assert person("login").code == 0


def test_an_expired_token_is_refreshed(person: Shell, sandbox: SandboxProcess) -> None:
    """A 401 is answered with the refresh token, under the same client; the new one is kept before it is used."""
    person("login")
    before = _kept(person)
    person.setenv(COURSESYNC_USERNAME=None, COURSESYNC_PASSWORD=None)
    sandbox.expire_tokens()

    ran = person("apply", TITLES, "--yes")
    after = _kept(person)

    assert ran.code == 0
    assert "12 rows read: 12 updated." in ran.out
    assert _grants(sandbox) == 2
    assert after["client_id"] == before["client_id"]
    assert after["access_token"] != before["access_token"]
    assert after["refresh_token"] != before["refresh_token"]
    assert (person.state / "token.json").stat().st_mode & 0o777 == 0o600


def test_a_refresh_that_is_refused_falls_back_to_the_password(person: Shell, sandbox: SandboxProcess) -> None:
    """Where the password is known, nobody need be called."""
    person("login")
    sandbox.expire_tokens()
    sandbox.options(refresh_refused=True)

    assert person("plan", TITLES, "--quiet").code == 0
    assert _grants(sandbox) == 3


def test_a_sign_in_that_has_ended_asks_for_another(person: Shell, sandbox: SandboxProcess) -> None:
    """Without the password: exit code 2, and the next command."""
    person("login")
    person.setenv(COURSESYNC_USERNAME=None, COURSESYNC_PASSWORD=None)
    sandbox.expire_tokens()
    sandbox.options(refresh_refused=True)

    ran = person("plan", TITLES)

    assert ran.code == 2
    assert "coursesync login" in ran.why
    assert sandbox.puts() == []


def test_logout_forgets_the_sign_in(person: Shell) -> None:
    """Its file is gone; a second time there is nothing to forget, which is no error."""
    person("login")

    first, second = person("logout"), person("logout", "--json")

    assert (first.code, first.out) == (0, "Signed out.\n")
    assert second.json == {"signed_out": False}
    assert not (person.state / "token.json").exists()


def test_the_journal_outlives_a_logout(person: Shell) -> None:
    """Runs stay known."""
    person("apply", TITLES, "--yes", "--quiet")
    person("logout")

    assert "12 rows" in person("history").out


def test_a_second_factor_is_asked_for_and_taken(person: Shell, sandbox: SandboxProcess) -> None:
    """Without the code: exit code 2 and what to do; with it, signed in."""
    sandbox.options(totp=["123456"])

    without, wrong, right = person("login"), person("login", "--totp", "000000"), person("login", "--totp", "123456")

    assert (without.code, wrong.code, right.code) == (2, 2, 0)
    assert "--totp" in without.why


def test_a_password_that_must_be_changed_is_said(person: Shell, sandbox: SandboxProcess) -> None:
    """Exit code 2, in the server's sense."""
    sandbox.options(must_reset=True)

    ran = person("login")

    assert ran.code == 2
    assert "password" in ran.why


def test_a_sign_in_that_others_can_read_is_refused(person: Shell, sandbox: SandboxProcess) -> None:
    """Exit code 2 before any request."""
    person("login")
    (person.state / "token.json").chmod(0o644)
    seen = len(sandbox.log())

    ran = person("plan", TITLES)

    assert ran.code == 2
    assert "token.json" in ran.why
    assert len(sandbox.log()) == seen


def test_doctor_finds_everything_in_place_and_changes_nothing(shell: Shell, sandbox: SandboxProcess) -> None:
    """Configuration, state directory, the roles to list and to read; that to edit only an update would show."""
    ran = shell("doctor")

    assert ran.code == 0
    marks = [line[:11].strip() for line in ran.out.splitlines()]
    assert marks[:5] == ["ok", "ok", "ok", "ok", "not tried"]
    assert marks[5:] == ["ok", "ok", "ok", "ok", "ok", "ok", "not tried", "ok"]
    assert f"profile main, account quayside, {sandbox.base_url}" in ran.out
    assert f"{len(sandbox.records())} sections in this account" in ran.out
    assert {entry["method"] for entry in sandbox.log()} == {"GET"}


def test_doctor_tells_a_machine(shell: Shell) -> None:
    """`--json`: the findings in order, and the exit code."""
    said = shell("doctor", "--json").json

    assert said["exit_code"] == 0
    assert [what for what, _state, _detail in said["findings"]] == [
        "configuration",
        "state directory and sign-in",
        "CourseSection-List",
        "CourseSection-Read",
        "CourseSection-Edit",
        "disk",
        "permissions",
        "lock",
        "sign-in kept",
        "clock",
        "allowance",
        "alerts",
        "last run",
    ]


def test_doctor_judges_an_unattended_set_up(shell: Shell) -> None:
    """A lock that is held, a state directory open to others, a dead alert target: each is said, with what to do."""
    shell("doctor")
    shell.state.chmod(0o755)
    shell.setenv(COURSESYNC_ALERT_TARGETS="json://127.0.0.1:9/")
    with run_lock(shell.state / "run.lock", since="2026-03-02", holds="night.xlsx"):
        looked = shell("doctor", "--json").json
        tried = shell("doctor", "--try-alerts")

    found = {what: (state, detail) for what, state, detail in looked["findings"]}
    assert looked["exit_code"] == 0
    assert "night.xlsx" in found["lock"][1]
    assert found["permissions"][0] == "look"
    assert found["alerts"] == ("ok", "1 to tell; `doctor --try-alerts` sends each a message")
    refused(tried, 2, "alerts: not delivered: alert target 1")
    assert TOKEN not in tried.out


def test_history_tells_who_did_what(shell: Shell) -> None:
    """Counts, digest and user of each run; the audit log with the plan and what was lifted."""
    assert shell("apply", TITLES, "--yes").code == 0
    listed = shell("history")
    (run,) = shell_json(shell, "history")
    (entry,) = shell_json(shell, "history", "--audit")

    assert run["counts"] == {"updated": 12}
    assert f"12 updated  {TITLES} ({run['input']['sha256'][:8]}, by {run['user']})" in listed.out
    assert (entry["action"], entry["run_id"], entry["user"]) == ("run.ended", run["run_id"], run["user"])
    assert entry["facts"]["sha256"] == run["input"]["sha256"]
    assert entry["facts"]["counts"] == {"updated": 12}
    assert "run.ended" in shell("history", "--audit").out


def shell_json(shell: Shell, *words: str) -> list[dict[str, Any]]:
    """A list that a command prints for a program."""
    found: list[dict[str, Any]] = json.loads(shell(*words, "--json").out)
    return found


def test_who_signed_in_and_out_stands_in_the_audit_log(person: Shell) -> None:
    """With the server and the user name, and without a secret; where nothing was kept, nothing was done."""
    for command in ("login", "logout", "logout"):
        assert person(command).code == 0

    told = person("history", "--audit", "--json")

    assert [(entry["action"], entry["facts"]["username"]) for entry in json.loads(told.out)] == [
        ("signed_out", USER),
        ("signed_in", USER),
    ]
    assert PASSWORD not in told.out
