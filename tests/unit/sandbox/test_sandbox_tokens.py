"""Sign-in, as the documentation tells it."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from sync.sandbox.options import SandboxOptions
from sync.sandbox.tokens import GrantRequest, Identity, TokenDesk

FORM = "application/x-www-form-urlencoded; charset=utf-8"
USER, PASSWORD = "admin@example.com", "sandbox-password"


@dataclass
class FakeClock:
    """A clock that stands until it is moved."""

    now: float = 0

    def __call__(self) -> float:
        """Return the second that it stands at."""
        return self.now


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def desk(clock: FakeClock) -> TokenDesk:
    return TokenDesk(clock)


def ask(
    desk: TokenDesk,
    form: dict[str, str],
    options: SandboxOptions | None = None,
    client_id: str | None = None,
    content_type: str = FORM,
) -> tuple[int, Any]:
    answer = desk.grant(GrantRequest(content_type, form, client_id), options or SandboxOptions())
    return answer.status, json.loads(answer.body)


def password(**more: str) -> dict[str, str]:
    return {"grant_type": "password", "username": USER, "password": PASSWORD, **more}


def refresh(token: str) -> dict[str, str]:
    return {"grant_type": "refresh_token", "refresh_token": token}


def bearer(desk: TokenDesk, token: str, options: SandboxOptions | None = None) -> Identity | None:
    return desk.identify(f"Bearer {token}", options or SandboxOptions())


def test_a_password_grant_gives_a_token_that_is_good_for_its_life(desk: TokenDesk, clock: FakeClock) -> None:
    """The user is known by it until `expires_in` has passed."""
    status, grant = ask(desk, password())

    assert (status, grant["token_type"], grant["expires_in"]) == (200, "bearer", 604_799)
    assert bearer(desk, grant["access_token"]) == Identity(USER, USER)
    clock.now = 604_799
    assert bearer(desk, grant["access_token"]) is None


@pytest.mark.parametrize(
    ("form", "content_type", "error"),
    [
        pytest.param(password(), "application/json", "unsupported_grant_type", id="json"),
        pytest.param({"grant_type": "implicit"}, FORM, "unsupported_grant_type", id="unknown"),
        pytest.param({}, FORM, "unsupported_grant_type", id="nothing"),
        pytest.param(password(password="x"), FORM, "invalid_grant", id="wrong-password"),
        pytest.param(password(username="x"), FORM, "invalid_grant", id="wrong-user"),
        pytest.param(refresh("x"), FORM, "invalid_grant", id="unknown-refresh"),
    ],
)
def test_refused_grants(desk: TokenDesk, form: dict[str, str], content_type: str, error: str) -> None:
    """Each refusal has its own word."""
    assert ask(desk, form, content_type=content_type) == (400, {"error": error})


def test_refusals_are_401_on_older_pages(desk: TokenDesk) -> None:
    """The status is a switch."""
    assert ask(desk, {}, SandboxOptions(token_error_status=401))[0] == 401


def test_a_password_that_must_be_reset(desk: TokenDesk) -> None:
    """Even the right password gives no token then."""
    assert ask(desk, password(), SandboxOptions(must_reset=True))[1] == {"error": "must_reset_password"}


def test_a_code_is_good_once(desk: TokenDesk) -> None:
    """With two-factor sign-in each password grant needs a fresh code."""
    options = SandboxOptions(totp=("111", "222"))

    tried = [
        ask(desk, password(**code), options)[0] for code in ({}, {"totp": "111"}, {"totp": "111"}, {"totp": "222"})
    ]

    assert tried == [400, 200, 400, 200]


def test_refresh_tokens_rotate(desk: TokenDesk) -> None:
    """A refresh gives a new pair and uses the old refresh token up."""
    first = ask(desk, password(), client_id="me")[1]
    status, second = ask(desk, refresh(first["refresh_token"]), client_id="me")

    assert status == 200
    assert ask(desk, refresh(first["refresh_token"]), client_id="me")[1] == {"error": "invalid_grant"}
    assert bearer(desk, second["access_token"]) == Identity(USER, "me")


@pytest.mark.parametrize("client_id", [None, "other"])
def test_a_refresh_needs_the_same_client_id(desk: TokenDesk, client_id: str | None) -> None:
    """Without the header, or with another's, the token is worth nothing."""
    first = ask(desk, password(), client_id="me")[1]

    assert ask(desk, refresh(first["refresh_token"]), client_id=client_id)[1] == {"error": "invalid_grant"}


def test_a_new_token_invalidates_earlier_refresh_tokens_of_that_client_only(desk: TokenDesk) -> None:
    """Two clients live side by side; two sign-ins of one do not."""
    mine, theirs = (ask(desk, password(), client_id=name)[1]["refresh_token"] for name in ("me", "other"))
    ask(desk, password(), client_id="me")

    assert ask(desk, refresh(mine), client_id="me")[0] == 400
    assert ask(desk, refresh(theirs), client_id="other")[0] == 200


def test_refresh_tokens_live_for_a_time(desk: TokenDesk, clock: FakeClock) -> None:
    """Fifteen days."""
    token = ask(desk, password(), client_id="me")[1]["refresh_token"]
    clock.now = 1_296_000

    assert ask(desk, refresh(token), client_id="me")[0] == 400


def test_a_refresh_can_be_refused_by_switch(desk: TokenDesk) -> None:
    """As after a revocation."""
    token = ask(desk, password(), client_id="me")[1]["refresh_token"]

    assert ask(desk, refresh(token), SandboxOptions(refresh_refused=True), client_id="me")[0] == 400


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer x", "Basic sandbox-token", "sandbox-token"])
def test_what_is_no_good_token(desk: TokenDesk, header: str | None) -> None:
    """Nobody is behind such a request."""
    assert desk.identify(header, SandboxOptions()) is None


def test_the_ready_token_is_good_until_all_are_refused(desk: TokenDesk) -> None:
    """It needs no sign-in, and falls under the switch as every token does."""
    assert bearer(desk, "sandbox-token") == Identity(USER, USER)
    assert bearer(desk, "sandbox-token", SandboxOptions(tokens_refused=True)) is None


def test_access_tokens_can_be_made_to_expire(desk: TokenDesk) -> None:
    """Refresh tokens stay good, so that a client can go on."""
    grant = ask(desk, password(), client_id="me")[1]

    desk.expire_access()

    assert bearer(desk, grant["access_token"]) is None
    assert ask(desk, refresh(grant["refresh_token"]), client_id="me")[0] == 200
