"""Where alerts go: Apprise's addresses and a webhook, all at once, within a time that is bounded. Apprise's only home.

A target that hangs is left behind: its thread ends with the process, and harms no run. What Apprise has to say is not
logged, since its lines can hold the passwords of its addresses.
"""

import logging
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Final

from sync.adapters.secret import Secret
from sync.adapters.webhook import post
from sync.alerts import AlertSettings, AlertSeverity, Message, Only, addresses
from sync.errors import ConfigError
from sync.frozen import Frozen

_REMEDY: Final = "Install the extra: pip install 'coursesync[alerts]' (pins: requirements-unattended.txt)."
_KINDS: Final[dict[AlertSeverity, str]] = {"info": "info", "warning": "warning", "error": "failure"}

Deliver = Callable[[Message], bool]


class Target(Frozen):
    """One way out."""

    name: str
    """For logs: never an address, which may hold a password."""
    takes: Callable[[Message], bool]
    deliver: Deliver


def need_alerts(alert_targets: Secret | None) -> None:
    """Make sure, before a run, that what is to be told can be; Apprise itself is loaded only where there is news.

    Raises:
        ConfigError: Apprise is not installed, or a word before an address is none of ours.
    """
    if alert_targets is None:
        return
    if find_spec("apprise") is None:
        raise ConfigError("Alerts need Apprise, which is not installed.", remedy=_REMEDY)
    _addresses(alert_targets)


def targets_of(
    settings: AlertSettings, *, alert_targets: Secret | None, webhook_secret: Secret | None, wall: Callable[[], float]
) -> tuple[Target, ...]:
    """Every target of a profile.

    Raises:
        ConfigError: an address is wrong, or Apprise is not installed.
    """
    found = [] if alert_targets is None else list(_apprise_targets(alert_targets))
    if settings.webhook is not None and webhook_secret is not None:
        address, secret, timeout_s = settings.webhook, webhook_secret, settings.timeout_s

        def deliver(message: Message) -> bool:
            return post(address, message.object, secret=secret, at_wall=wall(), timeout_s=timeout_s)

        found.append(Target("the webhook", lambda _: True, deliver))
    return tuple(found)


def tell(message: Message, targets: Sequence[Target], *, timeout_s: float) -> tuple[tuple[str, bool], ...]:
    """Hand the message to every target that takes it; by target's name: whether it was taken in time."""
    return tell_all(message, [target for target in targets if target.takes(message)], timeout_s=timeout_s)


def tell_all(message: Message, targets: Sequence[Target], *, timeout_s: float) -> tuple[tuple[str, bool], ...]:
    """The same, whatever the targets are for."""
    done: dict[str, bool] = {}

    def deliver(target: Target) -> None:
        try:
            done[target.name] = target.deliver(message)
        except Exception:  # noqa: BLE001 - whatever a service's plugin raises, no run is harmed by it
            done[target.name] = False

    threads = [threading.Thread(target=deliver, args=(target,), daemon=True) for target in targets]
    for thread in threads:
        thread.start()
    end = time.monotonic() + timeout_s
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return tuple((target.name, done.get(target.name, False)) for target in targets)


def _apprise_targets(secret: Secret) -> Sequence[Target]:
    need_alerts(secret)
    from apprise import Apprise  # noqa: PLC0415 - an extra, and slow to load

    for library in ("apprise", "requests", "urllib3"):
        logging.getLogger(library).setLevel(logging.CRITICAL + 1)
    return [
        _apprise_target(number, each, Apprise.instantiate) for number, each in enumerate(_addresses(secret), start=1)
    ]


def _addresses(secret: Secret) -> tuple[Only, ...]:
    try:
        return addresses(secret.reveal())
    except ValueError as exc:
        raise ConfigError(
            f"COURSESYNC_ALERT_TARGETS: {exc} is neither an event nor a severity.",
            remedy="Write address, or error,held=address.",
        ) from None


def _apprise_target(number: int, only: Only, instantiate: Callable[..., object]) -> Target:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its plugins load modules that Python is about to drop, with or without us
        plugin = instantiate(only.address, suppress_exceptions=True)
    name = f"alert target {number}"
    notify = getattr(plugin, "notify", None)
    if notify is None:
        raise ConfigError(f"{name} is no address that Apprise knows.", remedy="Check COURSESYNC_ALERT_TARGETS.")

    def deliver(message: Message) -> bool:
        return bool(notify(body=message.body, title=message.title, notify_type=_KINDS[message.severity]))

    return Target(name, only.takes, deliver)
