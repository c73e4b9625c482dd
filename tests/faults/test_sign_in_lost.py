"""F25: tokens that expire or are revoked in the middle, and roles that are missing."""

import pytest

from tests.faults.desk import PASSWORD, Desk

pytestmark = pytest.mark.e2e


def with_password(desk: Desk) -> None:
    del desk.env["COURSESYNC_TOKEN"]
    desk.env |= {"COURSESYNC_USERNAME": "admin@example.com", "COURSESYNC_PASSWORD": PASSWORD}


def in_the_middle(desk: Desk) -> None:
    """Start a run of 12 rows and let three PUTs pass."""
    desk.profile(in_flight=1)
    desk.sandbox.options(latency_ms=60)
    desk.rename(12)


@pytest.mark.parametrize("refresh_refused", [False, True], ids=["by-refresh", "by-password"])
def test_a_token_that_expires_is_renewed_once(desk: Desk, *, refresh_refused: bool) -> None:
    """The 401 costs the row nothing, and the run goes on with the new token."""
    with_password(desk)
    in_the_middle(desk)
    running = desk.start("apply", str(desk.sheet), "--yes")
    desk.wait_for_puts(3)
    desk.sandbox.options(refresh_refused=refresh_refused)
    desk.sandbox.expire_tokens()
    ended = desk.note(running.ended())

    assert (ended.code, set(desk.statuses()), desk.broken()) == (0, {"updated"}, []), ended
    assert sum(entry["status"] == 401 for entry in desk.sandbox.log()) == 1
    assert (desk.state_dir / "token.json").stat().st_mode & 0o777 == 0o600


def test_a_revoked_sign_in_ends_the_run(desk: Desk) -> None:
    """Exit 5 with the roles named, the rest `not_attempted`; `resume` goes on with a good one."""
    in_the_middle(desk)
    running = desk.start("apply", str(desk.sheet), "--yes")
    desk.wait_for_puts(3)
    desk.sandbox.options(tokens_refused=True)
    ended = desk.note(running.ended())

    assert (ended.code, set(desk.statuses()), desk.broken()) == (5, {"updated", "not_attempted"}, []), ended
    assert "CourseSection-Edit" in ended.stderr
    desk.sandbox.options(tokens_refused=False)
    again = desk.resume()
    assert (again.code, set(desk.statuses()), desk.broken()) == (0, {"updated"}, []), again


def test_a_password_that_no_longer_helps_ends_the_run(desk: Desk) -> None:
    """Signed in, revoked, and the renewed token is refused too: no endless sign-in, exit 5."""
    with_password(desk)
    in_the_middle(desk)
    running = desk.start("apply", str(desk.sheet), "--yes")
    desk.wait_for_puts(3)
    desk.sandbox.options(tokens_refused=True)
    ended = desk.note(running.ended())
    grants = sum(entry["path"].endswith("/token") for entry in desk.sandbox.log())

    assert (ended.code, set(desk.statuses()), desk.broken()) == (5, {"updated", "not_attempted"}, []), ended
    assert grants <= 3


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(("roles", "code"), [(["List"], 2), (["List", "Read"], 5)], ids=["no-read", "no-edit"])
def test_a_missing_role_is_named(status: int, roles: list[str], code: int, desk: Desk) -> None:
    """Without Read nothing begins: 2. Without Edit the first PUT shows it: 5. The message names the roles."""
    desk.profile(in_flight=1)
    desk.rename(3)
    desk.sandbox.options(roles=roles, missing_role_status=status)
    ended = desk.apply()

    assert (ended.code, desk.broken()) == (code, []), ended
    assert "CourseSection-Edit" in ended.stderr
    assert len(desk.sandbox.puts()) == (1 if code == 5 else 0)


def test_a_wrong_password_is_refused_at_the_start(desk: Desk) -> None:
    """Exit 2, nothing read, nothing sent, and the password in no file."""
    with_password(desk)
    desk.sandbox.options(must_reset=True)
    desk.rename(1)
    ended = desk.apply()

    assert (ended.code, desk.broken()) == (2, []), ended
    assert [entry["method"] for entry in desk.sandbox.log()] == ["POST"]
