"""Settings → adapters: build what a command needs, and take it down again. The only place that knows every adapter."""

import getpass
import os
import random
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from sync.adapters.addresses import split_ids
from sync.adapters.api import SectionApi
from sync.adapters.clock import SystemClock
from sync.adapters.secret import Secret
from sync.adapters.senders import ThreadedSenders
from sync.adapters.store import QuotaLedger, RequestMeter, RunJournal, Store, open_store
from sync.adapters.tokens import PasswordGrant, ReadyToken, TokenSource
from sync.adapters.workbook.own_process import OwnProcess
from sync.breaker import LONGEST_WINDOW_S, Breaker
from sync.config import Settings
from sync.departures import ApplySettings
from sync.errors import ConfigError, CourseSyncError
from sync.line import Line
from sync.logs import get_logger
from sync.model import RunId, SectionId
from sync.pipeline import Policies, Reading
from sync.ports import Clock
from sync.windows import shared

LONGEST_ID = 10
"""Digits of the Ids that a batch is sized for: the official pages show ten."""


def _log_strangers(missing: int, asked: int) -> None:
    get_logger().warning("reading.one_by_one", missing=missing, asked=asked)


@dataclass(slots=True)
class Session:
    """The adapters of one command on one profile."""

    settings: Settings
    clock: Clock
    store: Store
    ledger: QuotaLedger
    tokens: TokenSource
    api: SectionApi
    senders: ThreadedSenders
    meter: RequestMeter
    """Of sign-ins; who listens to signals tells it, too."""
    own: OwnProcess = field(default_factory=OwnProcess)
    """Carries the operator's workbook over into the report; begun ahead where a command asks for that."""
    random: Callable[[], float] = field(default=random.random)
    tell: Callable[[int, int], None] = field(default=_log_strangers)
    """Who is told that a sheet has many unknown Ids; see `Strangers.tell`."""

    def line(self, run_id: RunId | None = None) -> Line:
        """The way out to the server, for a run or for a command that only reads."""
        return Line(
            senders=self.senders,
            journal=RunJournal(self.store, self.ledger, run_id),
            ledger=self.ledger,
            tokens=self.tokens,
            clock=self.clock,
            random=self.random,
            breaker=_breaker(self.settings),
        )

    def reading(self, line: Line, stop_asked: Callable[[], CourseSyncError | None]) -> Reading:
        """How the live state is read."""
        return Reading(line, self.clock, self.ids_per_request, self.settings.wait_max_s, stop_asked, self.tell)

    @property
    def ids_per_request(self) -> int:
        """How many Ids of the usual length fit into one URL."""
        probe = [SectionId(10 ** (LONGEST_ID - 1) + number) for number in range(1000)]
        return len(split_ids(probe, self.settings.base_url)[0])

    @property
    def apply_settings(self) -> ApplySettings:
        """The profile's settings, as far as sending hangs on them."""
        settings = self.settings
        return ApplySettings(
            attempts=settings.attempts,
            fresh_for_s=settings.fresh_for_s,
            settle_after_s=settings.settle_after_s,
            stop_after=settings.stop_after,
            wait_max_s=settings.wait_max_s,
            ids_per_request=self.ids_per_request,
            body_omit=settings.body_omit,
            verify=settings.verify,
        )

    @property
    def policies(self) -> Policies:
        """What the operator decided beforehand."""
        return Policies(self.settings.on_conflict, self.settings.on_drift)


@contextmanager
def open_session(settings: Settings, *, clock: Clock | None = None) -> Iterator[Session]:
    """Open the store, find a way to sign in, prepare the senders.

    Raises:
        ConfigError: the state directory cannot be trusted or belongs to another account, or a certificate is wrong.
        SignInError: there is nothing to sign in with, or the server refuses it.
        StoppedEarly: the server cannot be reached to sign in.
    """
    clock = clock or SystemClock()
    with ExitStack() as stack:
        store = open_store(settings.state_dir, clock)
        stack.callback(store.close)
        bind(store, settings)
        ledger = open_ledger(store, settings, clock)
        meter = request_meter(settings, clock)
        tokens = token_source(settings, clock, meter)
        tokens.current()
        api = SectionApi(
            settings.base_url,
            tokens,
            timeout_s=settings.timeout_s,
            ca_file=settings.ca_file,
            throttle_statuses=settings.throttle_statuses,
            wall=clock.wall,
        )
        stack.callback(api.close)
        senders = ThreadedSenders(api, places=settings.in_flight, clock=clock, notices=ledger.at_once == 1)
        stack.callback(senders.close)
        session = Session(settings, clock, store, ledger, tokens, api, senders, meter)
        try:
            yield session
        finally:
            session.own.close()


def open_ledger(store: Store, settings: Settings, clock: Clock) -> QuotaLedger:
    """The quota ledger of the profile, with what the store knows."""
    ledger = _ledger(settings, clock)
    with store.transaction() as connection:
        ledger.forget_old(connection)
        ledger.catch_up(connection)
    return ledger


def read_ledger(store: Store, settings: Settings, clock: Clock) -> QuotaLedger:
    """The same to look at: nothing is written, so that those who only look hold up nobody."""
    ledger = _ledger(settings, clock)
    ledger.catch_up(store.connection)
    return ledger


def _ledger(settings: Settings, clock: Clock) -> QuotaLedger:
    limits = shared(settings.limits, quota_share=settings.quota_share)
    return QuotaLedger(limits, clock, owner=_owner(), give_up_s=_give_up_s(settings))


def _owner() -> str:
    return f"{os.getpid()}-{secrets.token_hex(4)}"


def _give_up_s(settings: Settings) -> float:
    return settings.timeout_s * 2 + settings.settle_after_s


def _breaker(settings: Settings) -> Breaker:
    longest_s = max((limit.seconds for limit in settings.limits), default=LONGEST_WINDOW_S)
    return Breaker(wait_max_s=settings.wait_max_s, longest_window_s=longest_s)


def request_meter(settings: Settings, clock: Clock) -> RequestMeter:
    """Counts sign-ins in the windows of the profile."""
    return RequestMeter(
        settings.state_dir,
        clock,
        shared(settings.limits, quota_share=settings.quota_share),
        owner=_owner(),
        give_up_s=_give_up_s(settings),
        breaker=_breaker(settings),
        sleep=clock.sleep,
    )


def token_source(settings: Settings, clock: Clock, meter: RequestMeter) -> TokenSource:
    """A ready token where there is one, else the stored sign-in, renewed with the password where one is known."""
    if settings.token is not None:
        return ReadyToken(settings.token)
    return password_grant(settings, clock, meter, username=settings.username, password=settings.password)


def password_grant(
    settings: Settings, clock: Clock, meter: RequestMeter, *, username: str | None, password: Secret | None
) -> PasswordGrant:
    """The sign-in that is kept in the state directory, its requests counted."""
    return PasswordGrant(
        settings.base_url,
        state_dir=settings.state_dir,
        username=username,
        password=password,
        client_id=settings.client_id,
        timeout_s=settings.timeout_s,
        ca_file=settings.ca_file,
        wall=clock.wall,
        place=meter.place,
    )


def bind(store: Store, settings: Settings) -> None:
    """Hold the state directory to the account that it was first used with.

    Raises:
        ConfigError: it belongs to another base URL or account.
    """
    for key, value in (("base_url", settings.base_url), ("account", settings.account)):
        known = store.get_meta(key)
        if known is None:
            store.set_meta(key, value)
        elif known != value:
            raise ConfigError(
                f"The state directory {settings.state_dir} belongs to {key} {known!r}, not {value!r}.",
                remedy="Use another profile or --state-dir: what one account made so must not be held against another.",
            )


def new_run_id(clock: Clock) -> RunId:
    """Name a run by its start in UTC and four random digits: sortable, and unique."""
    from datetime import UTC, datetime  # noqa: PLC0415 - only here

    started = datetime.fromtimestamp(clock.wall(), UTC)
    return RunId(f"{started:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}")


def who() -> str:
    """The user that this process runs as."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
