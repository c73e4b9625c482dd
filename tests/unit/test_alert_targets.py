"""Alert targets: real ones on this machine, dead ones, hanging ones; a run is never harmed, and no secret is logged."""

import hashlib
import hmac
import json
import socket
import time
from contextlib import closing

import pytest

from sync.adapters.alert_targets import Target, targets_of, tell
from sync.adapters.secret import Secret
from sync.alerts import AlertSettings, Event, Message
from sync.errors import ConfigError
from tests.receiver import receiver

MESSAGE = Message(Event.HELD, "warning", "production", "s.xlsx", "held", ("one", "two"), {"rows": 3})
SECRET = Secret("webhook-secret-canary")


def targets(*, apprise: str | None = None, webhook: str | None = None, timeout_s: float = 5) -> tuple[Target, ...]:
    settings = AlertSettings(webhook=webhook, timeout_s=timeout_s)
    secret = None if apprise is None else Secret(apprise)
    return targets_of(settings, alert_targets=secret, webhook_secret=SECRET, wall=lambda: 1_772_442_847.0)


def test_the_webhook_gets_signed_json() -> None:
    """A receiver that knows the secret can tell that body and time are ours."""
    with receiver() as server:
        taken = tell(MESSAGE, targets(webhook=f"http://{server.authority}/hook"), timeout_s=5)

    ((path, headers, body),) = server.got
    timestamp = headers["X-Coursesync-Timestamp"]
    expected = hmac.new(SECRET.reveal().encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert (taken, path, timestamp) == ((("the webhook", True),), "/hook", "1772442847")
    assert headers["X-Coursesync-Signature"] == f"sha256={expected}"
    assert json.loads(body) == {
        "event": "held",
        "severity": "warning",
        "profile": "production",
        "subject": "s.xlsx",
        "title": "held",
        "text": "one\ntwo",
        "rows": 3,
    }


def test_apprise_delivers_to_its_addresses_by_their_words() -> None:
    """Each address gets what it is for; the type of Apprise follows the severity."""
    with receiver() as server:
        apprise = f"json://{server.authority}/all\nerror=json://{server.authority}/grave"
        taken = tell(MESSAGE, targets(apprise=apprise), timeout_s=5)

    ((path, _headers, body),) = server.got
    sent = json.loads(body)
    assert (taken, path) == ((("alert target 1", True),), "/all")
    assert (sent["title"], sent["message"], sent["type"]) == ("held", "one\ntwo", "warning")


@pytest.mark.parametrize("status", [301, 302, 307, 400, 500])
def test_a_receiver_that_does_not_take_it_is_not_believed(status: int) -> None:
    """No success, no redirect followed: the signature goes to one address only."""
    with receiver() as other, receiver(status, location=f"http://{other.authority}/") as server:
        taken = tell(MESSAGE, targets(webhook=f"http://{server.authority}/"), timeout_s=5)

    assert taken == (("the webhook", False),)
    assert other.got == []


def test_dead_and_hanging_targets_cost_a_bounded_time_and_hide_no_other() -> None:
    """Nobody listens, somebody never answers, a plugin raises: the living one is told, all within the time given."""

    def broken(_: Message) -> bool:
        raise RuntimeError("a plugin's own error")

    with closing(socket.create_server(("127.0.0.1", 0))) as silent, receiver() as server:
        port = silent.getsockname()[1]
        apprise = f"json://127.0.0.1:9/ json://127.0.0.1:{port}/ json://{server.authority}/"
        every = (*targets(apprise=apprise), Target("broken", lambda _: True, broken))
        started = time.monotonic()
        taken = tell(MESSAGE, every, timeout_s=0.8)
        took_s = time.monotonic() - started

    assert dict(taken) == {"alert target 1": False, "alert target 2": False, "alert target 3": True, "broken": False}
    assert took_s < 3


def test_a_wrong_address_is_said_without_being_quoted() -> None:
    """It may hold a password: the sentence names its number."""
    with pytest.raises(ConfigError, match=r"^alert target 1 is no address that Apprise knows") as error:
        targets(apprise="nothing-canary://x")
    with pytest.raises(ConfigError, match="eror is neither an event nor a severity"):
        targets(apprise="eror=json://x")

    assert "canary" not in str(error.value)
