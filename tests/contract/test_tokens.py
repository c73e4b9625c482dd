"""Signing in, renewing and keeping the token, against a token server in the process."""

import copy
import json
import logging
import os
import pickle
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl

import httpx
import pytest

from sync.adapters.secret import Secret
from sync.adapters.token_file import StoredToken, TokenFile
from sync.adapters.tokens import PasswordGrant
from sync.errors import ConfigError, CourseSyncError, SignInError, StoppedEarly

BASE = "https://spaces.example.com/api"
WEEK_S = 604_799
PASSWORD = "canary-password"
USER = "admin+x@example.com"


@dataclass
class TokenServer:
    """Rotating refresh tokens, each good once and for its client id alone."""

    password: str = PASSWORD
    lifetime_s: object = WEEK_S
    answer: httpx.Response | None = None
    """Said instead of anything else."""
    error: Exception | None = None
    rotates: bool = True
    seen: list[tuple[dict[str, str], str | None]] = field(default_factory=list)
    issued: int = 0
    refreshable: dict[str, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer as the API documents it."""
        assert (request.method, str(request.url)) == ("POST", BASE + "/token")
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        assert "authorization" not in request.headers
        form = dict(parse_qsl(request.content.decode(), strict_parsing=True))
        client_id = request.headers.get("client_id")
        with self.lock:
            self.seen.append((form, client_id))
            if self.error is not None:
                raise self.error
            return self.answer or self._granted(form, str(client_id))

    def _granted(self, form: dict[str, str], client_id: str) -> httpx.Response:
        if form["grant_type"] == "refresh_token":
            good = self.refreshable.get(form["refresh_token"]) == client_id
            if self.rotates:
                self.refreshable.pop(form["refresh_token"], None)
        else:
            good = form["password"] == self.password
        if not good:
            return httpx.Response(400, json={"error": "invalid_grant", "error_description": f"{form}"})
        self.issued += 1
        refresh_token = f"canary-refresh-{self.issued}"
        if self.rotates:
            self.refreshable[refresh_token] = client_id
        return httpx.Response(
            200,
            json={
                "access_token": f"canary-access-{self.issued}",
                "token_type": "bearer",
                "expires_in": self.lifetime_s,
                "refresh_token": refresh_token if self.rotates else None,
            },
        )

    @property
    def grants(self) -> list[str]:
        """What was asked for, in order."""
        return [form["grant_type"] for form, _ in self.seen]


@dataclass
class Wall:
    """A clock that only the test moves."""

    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        """The time of day that the test says it is."""
        return self.now


@dataclass
class Account:
    """Makes token sources of one state directory, as several processes would."""

    state_dir: Path
    server: TokenServer = field(default_factory=TokenServer)
    wall: Wall = field(default_factory=Wall)

    def source(
        self,
        *,
        username: str | None = USER,
        password: str | None = PASSWORD,
        base_url: str = BASE,
        client_id: str | None = None,
        sleep: Callable[[float], None] = lambda _: None,
    ) -> PasswordGrant:
        """A process of its own, as it were."""
        return PasswordGrant(
            base_url,
            state_dir=self.state_dir,
            username=username,
            password=Secret(password) if password else None,
            client_id=client_id,
            transport=httpx.MockTransport(self.server),
            wall=self.wall,
            sleep=sleep,
        )

    @property
    def file(self) -> Path:
        """Where the sign-in is kept."""
        return self.state_dir / "token.json"

    def stored(self) -> dict[str, object]:
        """What the file says."""
        content: dict[str, object] = json.loads(self.file.read_text())
        return content


@pytest.fixture
def account(tmp_path: Path) -> Account:
    return Account(tmp_path / "state")


def test_the_first_sign_in_is_stored_and_used(account: Account) -> None:
    """One password grant, with a client id of our own; the file is private."""
    token = account.source().current()

    ((form, client_id),) = account.server.seen
    assert (token.value, token.generation) == (Secret("canary-access-1"), 1)
    assert form == {"grant_type": "password", "username": USER, "password": PASSWORD}
    assert account.stored() == {
        "access_token": "canary-access-1",
        "refresh_token": "canary-refresh-1",
        "expires_at": account.wall.now + WEEK_S,
        "lifetime_s": WEEK_S,
        "client_id": client_id,
        "base_url": BASE,
        "username": USER,
    }
    assert account.file.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in account.state_dir.iterdir()) == ["token.json", "token.lock"]


def test_a_stored_sign_in_needs_no_server(account: Account) -> None:
    """Another process, another day: the same token."""
    account.source().current()
    account.wall.now += 3 * 86_400

    assert account.source(password=None).current().value == Secret("canary-access-1")
    assert account.server.grants == ["password"]


def test_state_directories_have_client_ids_of_their_own(tmp_path: Path) -> None:
    """A new token for a client id would end the other directory's refresh tokens."""
    server = TokenServer()
    for name in ("one", "two"):
        Account(tmp_path / name, server).source().current()

    assert len({client_id for _, client_id in server.seen}) == 2


def test_the_client_id_of_the_settings_is_used(account: Account) -> None:
    """Where an administrator wants us to be known by one."""
    account.source(client_id="given").current()

    assert account.server.seen[0][1] == "given"


@pytest.mark.parametrize(
    ("lifetime_s", "age_s", "grants"),
    [
        pytest.param(WEEK_S, WEEK_S - 3601, ["password"], id="over-an-hour-left"),
        pytest.param(WEEK_S, WEEK_S - 3599, ["password", "refresh_token"], id="under-an-hour-left"),
        pytest.param(WEEK_S, WEEK_S + 5, ["password", "refresh_token"], id="expired"),
        pytest.param(100, 89, ["password"], id="short-life-over-a-tenth-left"),
        pytest.param(100, 91, ["password", "refresh_token"], id="short-life-under-a-tenth-left"),
        pytest.param(3, 0, ["password"], id="shortest-life"),
        pytest.param("100", 91, ["password", "refresh_token"], id="life-in-digits"),
        pytest.param(None, 3000, ["password"], id="life-not-stated"),
        pytest.param(-5, 3000, ["password"], id="life-negative"),
        pytest.param(1e300, 3000, ["password"], id="life-absurd"),
        pytest.param(WEEK_S, -86_400, ["password"], id="clock-set-back"),
    ],
)
def test_a_token_is_renewed_ahead_of_its_end(
    account: Account, lifetime_s: object, age_s: float, grants: list[str]
) -> None:
    """Under an hour, or under a tenth of a short life: renewed before it fails, and not at every call."""
    account.server.lifetime_s = lifetime_s
    source = account.source()
    source.current()
    account.wall.now += age_s

    source.current()
    source.current()

    assert account.server.grants == grants


def test_a_renewal_uses_the_same_client_id_and_rotates(account: Account) -> None:
    """A refresh token belongs to a client id, and is good once."""
    source = account.source()
    tokens = [source.current()]
    for _ in range(2):
        assert source.renew(tokens[-1].generation)
        tokens.append(source.current())

    assert [token.value.reveal() for token in tokens] == ["canary-access-1", "canary-access-2", "canary-access-3"]
    assert [token.generation for token in tokens] == [1, 2, 3]
    assert account.server.grants == ["password", "refresh_token", "refresh_token"]
    assert len({client_id for _, client_id in account.server.seen}) == 1
    assert account.stored()["refresh_token"] == "canary-refresh-3"


def test_a_generation_is_renewed_once(account: Account) -> None:
    """Eight senders that all got a 401 for one token cost one renewal."""
    source = account.source()
    generation = source.current().generation
    with ThreadPoolExecutor(8) as senders:
        renewed = list(senders.map(source.renew, [generation] * 8))

    assert renewed == [True] * 8
    assert account.server.grants == ["password", "refresh_token"]


def test_what_another_process_renewed_is_taken_over(account: Account) -> None:
    """Two processes that refresh at once would end each other's sign-in."""
    first, second = account.source(password=None), account.source(password=None)
    account.source().current()
    generations = [first.current().generation, second.current().generation]

    renewed = [first.renew(generations[0]), second.renew(generations[1])]

    assert renewed == [True, True]
    assert first.current().value == second.current().value == Secret("canary-access-2")
    assert account.server.grants == ["password", "refresh_token"]


def test_a_renewal_waits_for_the_lock_and_then_takes_what_is_there(account: Account) -> None:
    """The one that waits has nothing left to do."""
    source = account.source()
    generation = source.current().generation
    other = account.source()
    other.current()
    file = TokenFile(account.state_dir)
    waits: list[float] = []
    holding = file.locked()
    holding.__enter__()

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            holding.__exit__(None, None, None)
            other.renew(1)

    waiting = account.source(sleep=sleep)
    waiting.current()
    assert waiting.renew(generation)

    assert len(waits) == 3
    assert waiting.current().value == Secret("canary-access-2")


def test_the_wait_for_the_lock_ends(account: Account) -> None:
    """A process that hangs does not hold ours for ever."""
    source = account.source()
    with TokenFile(account.state_dir).locked(), pytest.raises(StoppedEarly, match="Another process"):
        source.current()


def test_the_lock_dies_with_its_holder(account: Account) -> None:
    """The kernel lets it go, whatever way the process ended; a child that lives on does not hold it."""
    account.state_dir.mkdir()
    program = (
        "import os, subprocess, sys; from pathlib import Path; from sync.adapters.token_file import TokenFile\n"
        "lock = TokenFile(Path(sys.argv[1])).locked(); lock.__enter__()\n"
        "child = subprocess.Popen(['sleep', '30'], close_fds=False, stdout=-3, stderr=-3)\n"
        "print(child.pid, flush=True); os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(account.state_dir)], capture_output=True, check=False, timeout=30
    )
    try:
        with TokenFile(account.state_dir).locked():
            pass
    finally:
        os.kill(int(done.stdout), 9)

    assert done.returncode == -9


def test_a_lost_refresh_token_falls_back_to_the_password(account: Account) -> None:
    """Killed between the server's answer and our disk: the former refresh token is worth nothing any more."""
    source = account.source()
    generation = source.current().generation
    account.server.refreshable.clear()

    assert source.renew(generation)

    assert account.server.grants == ["password", "refresh_token", "password"]
    assert source.current().value == Secret("canary-access-2")


def test_without_a_password_a_lost_refresh_token_ends_the_sign_in(account: Account) -> None:
    """Somebody has to sign in again, and is told how."""
    account.source().current()
    account.server.refreshable.clear()
    source = account.source(password=None)

    with pytest.raises(SignInError, match="coursesync login"):
        source.renew(source.current().generation)


def test_a_renewal_without_a_new_refresh_token_keeps_the_former(account: Account) -> None:
    """Where refresh tokens do not rotate."""
    source = account.source()
    token = source.current()
    account.server.rotates = False
    account.server.refreshable["canary-refresh-1"] = str(account.server.seen[0][1])

    source.renew(token.generation)

    assert account.stored()["refresh_token"] == "canary-refresh-1"


def test_there_is_nothing_to_renew_with(account: Account) -> None:
    """No refresh token, no password: false, without a request."""
    account.server.rotates = False
    account.source().current()
    source = account.source(password=None)
    generation = source.current().generation

    assert not source.renew(generation)
    assert account.server.grants == ["password"]


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param({"error": httpx.ConnectError("down")}, id="unreachable"),
        pytest.param({"answer": httpx.Response(503)}, id="outage"),
        pytest.param({"answer": httpx.Response(400, json={"error": "invalid_grant"})}, id="refused"),
        pytest.param({"answer": httpx.Response(302, headers={"Location": "/x"})}, id="redirect"),
    ],
)
def test_a_token_that_is_still_good_outlives_a_failed_renewal(account: Account, trouble: dict[str, object]) -> None:
    """Ahead of time means that there is time: the run goes on, tries again a minute later, and stops at the end."""
    source = account.source()
    source.current()
    account.wall.now += WEEK_S - 1800
    for name, value in trouble.items():
        setattr(account.server, name, value)
    before = len(account.server.seen)

    used = [source.current().value for _ in range(3)]
    tries = len(account.server.seen) - before
    account.wall.now += 61
    source.current()

    assert used == [Secret("canary-access-1")] * 3
    assert len(account.server.seen) - before == 2 * tries > 0
    account.wall.now += 1800
    with pytest.raises(CourseSyncError):
        source.current()


@pytest.mark.parametrize("status", [400, 401])
@pytest.mark.parametrize(
    ("error", "words"),
    [
        pytest.param("invalid_grant", "COURSESYNC_PASSWORD", id="wrong-password"),
        pytest.param("two_factor_auth_check", "login --totp", id="two-factor"),
        pytest.param("must_reset_password", "new password", id="reset"),
        pytest.param("unsupported_grant_type", "COURSESYNC_TOKEN", id="grant-type"),
        pytest.param("canary", "refuses the sign-in", id="unlisted"),
        pytest.param({"canary": 1}, "refuses the sign-in", id="odd"),
    ],
)
def test_a_refused_sign_in_says_what_to_do(account: Account, status: int, error: object, words: str) -> None:
    """Each documented refusal has its words and its remedy; nothing else of the answer is repeated."""
    account.server.answer = httpx.Response(status, json={"error": error, "error_description": "canary"})

    with pytest.raises(SignInError, match=words) as caught:
        account.source().current()

    assert caught.value.exit_code == 2
    assert "canary" not in "".join(traceback.format_exception(caught.value))
    assert not account.file.exists()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(httpx.Response(404, json={"error": "x"}), ConfigError, id="404"),
        pytest.param(httpx.Response(200, html="<p>canary"), ConfigError, id="html"),
        pytest.param(httpx.Response(403, html="<p>canary"), ConfigError, id="403-html"),
        pytest.param(
            httpx.Response(301, headers={"Location": "https://a.example/?canary"}), ConfigError, id="redirect"
        ),
        pytest.param(httpx.Response(200, json={}), SignInError, id="no-token"),
        pytest.param(httpx.Response(200, json={"access_token": "canary\r\nX: y"}), SignInError, id="header-in-token"),
        pytest.param(httpx.Response(200, json=["canary"]), SignInError, id="array"),
        pytest.param(httpx.Response(200, text='{"canary'), SignInError, id="half-json"),
        pytest.param(httpx.Response(403), SignInError, id="403"),
        pytest.param(httpx.Response(500), StoppedEarly, id="500"),
        pytest.param(httpx.Response(503, html="<p>canary"), StoppedEarly, id="503-html"),
        pytest.param(httpx.Response(429, headers={"Retry-After": "30"}), StoppedEarly, id="429"),
        pytest.param(httpx.Response(409), StoppedEarly, id="409"),
    ],
)
def test_other_answers_are_sorted_by_what_to_do(
    account: Account, answer: httpx.Response, expected: type[CourseSyncError]
) -> None:
    """A wrong address is mended, an outage is waited for."""
    account.server.answer = answer

    with pytest.raises(CourseSyncError) as caught:
        account.source().current()

    assert type(caught.value) is expected
    assert "canary" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("error", [httpx.ConnectError("down"), httpx.ReadTimeout("slow")], ids=["connect", "read"])
def test_a_server_that_is_not_reached_stops_early(account: Account, error: Exception) -> None:
    """Not our settings: come again later."""
    account.server.error = error

    with pytest.raises(StoppedEarly, match="could not be reached"):
        account.source().current()


def test_no_sign_in_at_all_says_how_to_get_one(account: Account) -> None:
    """Nothing stored, no password: no request is made."""
    with pytest.raises(SignInError, match="coursesync login"):
        account.source(username=None, password=None).current()

    assert account.server.seen == []


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"username": "other@example.com"}, id="user"),
        pytest.param({"base_url": "https://other.example.com/api"}, id="server"),
    ],
)
def test_a_sign_in_of_another_account_is_not_used(account: Account, other: dict[str, str]) -> None:
    """Neither its token nor its refresh token goes anywhere else."""
    account.source().current()

    with pytest.raises(SignInError):
        account.source(password=None, **other).current()

    assert account.server.grants == ["password"]


def test_login_takes_a_one_time_code_and_signs_in_anew(account: Account) -> None:
    """One sign-in by a person; refreshes carry it on without one."""
    account.source().current()
    account.source().sign_in(totp=Secret("123456"))

    assert account.server.seen[1][0]["totp"] == "123456"
    assert account.source(password=None).current().value == Secret("canary-access-2")


def test_logout_forgets(account: Account) -> None:
    """The file is gone, whatever its state; a second logout finds nothing."""
    source = account.source()
    source.current()
    account.file.chmod(0o644)

    assert [source.logout(), source.logout()] == [True, False]
    assert [path.name for path in account.state_dir.iterdir()] == ["token.lock"]


def _readable_for_others(path: Path) -> None:
    path.chmod(0o644)


def _readable_for_the_group(path: Path) -> None:
    path.chmod(0o640)


def _link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def _damaged(path: Path) -> None:
    path.write_text('{"access_token": "canary', encoding="utf-8")


def _other_shape(path: Path) -> None:
    path.write_text('["canary"]', encoding="utf-8")


def _not_text(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00canary")


@pytest.mark.parametrize(
    "spoil", [_readable_for_others, _readable_for_the_group, _link, _pipe, _damaged, _other_shape, _not_text]
)
def test_a_token_file_that_cannot_be_believed_is_refused(account: Account, spoil: Callable[[Path], None]) -> None:
    """Others may have read it, or written it."""
    account.source().current()
    spoil(account.file)

    with pytest.raises(ConfigError, match=r"token\.json") as caught:
        account.source().current()

    assert "canary" not in "".join(traceback.format_exception(caught.value))
    assert len(account.server.seen) == 1


def test_a_new_token_is_on_the_disk_before_it_is_used(account: Account) -> None:
    """If it cannot be stored, it is not used: the next process could not renew."""
    source = account.source()
    generation = source.current().generation
    (account.state_dir / "token.json.new").mkdir()

    with pytest.raises(StoppedEarly, match="cannot be stored"):
        source.renew(generation)

    assert source.current().generation == generation
    assert account.stored()["access_token"] == "canary-access-1"


def test_what_a_killed_process_left_is_replaced(account: Account) -> None:
    """A half-written file beside the token does no harm and does not stay."""
    account.state_dir.mkdir()
    (account.state_dir / "token.json.new").write_text("half", encoding="utf-8")

    account.source().current()

    assert sorted(path.name for path in account.state_dir.iterdir()) == ["token.json", "token.lock"]


def test_a_folder_that_cannot_be_made_is_a_matter_of_configuration(tmp_path: Path) -> None:
    """Said before anything is sent."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    account = Account(tmp_path / "file" / "state")

    with pytest.raises(ConfigError):
        account.source().current()

    assert account.server.seen == []


def test_secrets_stay_in_the_token_file(account: Account, caplog: pytest.LogCaptureFixture) -> None:
    """No repr, no exception, no log and no other file holds password, token or refresh token."""
    caplog.set_level(logging.DEBUG)
    source = account.source()
    token = source.current()
    source.renew(token.generation)
    stored = TokenFile(account.state_dir).load()
    account.server.answer = httpx.Response(400, json={"error": "invalid_grant", "x": "canary"})
    with pytest.raises(SignInError) as caught:
        source.renew(source.current().generation)

    shown = [repr(source), repr(token), f"{token.value!s} {token.value!r} {token.value}", repr(stored), caplog.text]
    shown += traceback.format_exception(caught.value, chain=True)
    files = [path.read_text() for path in account.state_dir.iterdir() if path.name != "token.json"]
    assert "canary" not in "".join(shown + files)


def test_a_secret_is_opaque() -> None:
    """It compares, hashes and tells whether it is empty; it is not pickled or copied, and equals no string."""
    secret = Secret("canary")

    assert (secret == Secret("canary"), secret == Secret("x"), secret == "canary") == (True, False, False)
    assert (len({secret, Secret("canary")}), bool(secret), bool(Secret(""))) == (1, True, False)
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        copy.copy(secret)


def test_the_file_keeps_every_fact(tmp_path: Path) -> None:
    """Round trip of what is stored."""
    token = StoredToken(Secret("a"), None, 5.5, 3.0, "client", BASE, None)
    file = TokenFile(tmp_path)
    with file.locked():
        file.save(token)

    assert file.load() == token
