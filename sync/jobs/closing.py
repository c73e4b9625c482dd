"""What follows a run, whatever came of it: the audit log, the figures, and who is told. None of it can harm the run."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import cast

from sync.adapters.alert_targets import Target, need_alerts, targets_of, tell
from sync.adapters.metrics_file import Figures, need_metrics, write_metrics
from sync.adapters.store import Store, open_store
from sync.adapters.store.audit import write_audit
from sync.adapters.store.history import recent_runs, unfinished_runs
from sync.adapters.store.standing import (
    counts_by_status,
    ended_by_code,
    keep_look,
    keep_state,
    keep_untold,
    known_states,
    known_untold,
    last_good_run,
    last_look,
    requests_of_all_runs,
)
from sync.adapters.told_file import keep_told, make_ready, told
from sync.alerts import WELL, Known, Message, Seen, Untold, decide, of_error, of_report
from sync.bootstrap import open_ledger, who
from sync.config import Settings
from sync.errors import ConfigError, CourseSyncError, InputError
from sync.frozen import replace
from sync.jobs.reports import Result
from sync.jobs.sheets import refuse_invalid
from sync.logs import get_logger
from sync.model import CheckedSheet, QuotaUse
from sync.ports import Clock
from sync.rails import lifted_rails
from sync.redaction import Redactor
from sync.report import counts
from sync.report_text import next_step
from sync.section import Json

Tell = Callable[[Message], bool]
"""Hands a message on, and says whether anybody took it."""


@dataclass(slots=True)
class Ended:
    """What the runs of one command have come to, gathered until it ends."""

    settings: Settings
    clock: Clock
    sheet: str = ""
    """Names the sheet, for people and as a subject of alerts; empty while it is not known which one is meant."""
    words: str = ""
    """The options that every next command needs."""
    seen: list[Seen] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)

    def result(self, result: Result, *, sheet: str | None = None, command: str | None = None) -> None:
        """Take in a run that came to a report."""
        self.results.append(result)
        report, name = result.report, sheet or self.sheet
        command = command or next_step(report, result.written.files, words=self.words)
        reason = str(result.stopped) if result.stopped is not None else ""
        if result.stopped is not None and report.exit_code != 6:  # noqa: PLR2004 - the contract's code of a held run
            self.error(result.stopped, sheet=name, command=command)
            return
        held = tuple(str(example) for rail in result.judged.held for example in rail.examples)
        self.seen += of_report(report, self.settings.alerts, sheet=name, reason=reason, command=command, held=held)

    def refused(self, checked: CheckedSheet) -> None:
        """Take in that the profile holds the whole sheet, since some of its rows are invalid."""
        try:
            refuse_invalid(checked, self.settings)
        except InputError as error:
            self.error(error, sha256=checked.file.sha256)

    def error(self, error: BaseException, *, sheet: str | None = None, sha256: str = "", command: str = "") -> None:
        """Take in why a run came to none; a wrong word on the command line is no news."""
        name = sheet or self.sheet
        if name or type(error) is not ConfigError:
            self.seen += of_error(error, sheet=name, sha256=sha256, command=command)


@contextmanager
def closing_up(ended: Ended, *, tell_by: Tell | None = None) -> Iterator[Ended]:
    """Close up when the block ends, in whatever way; an error goes on as it came.

    The store is open from the start, while a sheet is still being read: who closes it last waits for the disk twice.

    Raises:
        ConfigError: an extra that the profile needs is not installed; the block is not begun.
    """
    need_alerts(ended.settings.alert_targets)
    if ended.settings.metrics_file is not None:
        need_metrics()
    _make_ready(ended.settings)
    store = _opened(ended)
    try:
        yield ended
    except BaseException as error:
        ended.error(error)
        met_again = isinstance(store, Exception) and str(store) == str(error)
        _close_up(ended, store if met_again or isinstance(store, Store) else None, tell_by)
        raise
    _close_up(ended, store if isinstance(store, Store) else None, tell_by)


def _opened(ended: Ended) -> Store | Exception:
    """Open the store, or give what that fails with: whoever needs it in the block tries it again, and says why."""
    try:
        return open_store(ended.settings.state_dir, ended.clock)
    except Exception as error:  # noqa: BLE001 - what it is does not matter before the store is needed
        return error


def _store_of(ended: Ended, opened: Store | Exception | None) -> Store:
    if isinstance(opened, Exception):
        raise opened  # the block has waited for it as well: not a third time
    return opened or open_store(ended.settings.state_dir, ended.clock)


def _close_up(ended: Ended, opened: Store | Exception | None, tell_by: Tell | None) -> None:
    """Tell what is news and write the figures; troubles with that are logged, and end nothing."""
    settings = ended.settings
    log = get_logger()
    unread = True
    try:
        with closing(_store_of(ended, opened)) as store:
            with suppress(CourseSyncError):
                keep_look(store)
            for result in ended.results:
                note_run(store, result)
            _tell_news(store, ended, tell_by)
            unread = False
            if settings.metrics_file is not None:
                write_metrics(settings.metrics_file, figures(store, settings))
    except CourseSyncError as error:
        log.warning("closing.failed", reason=str(error))
        if unread:
            with suppress(CourseSyncError):
                _tell_without_the_store(ended, tell_by)
    except Exception:  # the run has ended, and its exit code stands: nothing after it may change that
        log.exception("closing.broken")


def note(store: Store, action: str, *, run_id: str | None = None, **facts: object) -> None:
    """Add to the audit log what the user of this process did.

    Raises:
        StoreNotWritten: the disk is full.
    """
    clean = Redactor().event(facts)
    write_audit(store, action, user=who(), run_id=run_id, facts=cast("Mapping[str, Json]", clean))


def note_run(store: Store, result: Result) -> None:
    """Add to the audit log how a run ended, or what holds it; a full disk is no reason to lose its report."""
    report = result.report
    action = "run.held" if report.exit_code == 6 else "run.ended"  # noqa: PLR2004 - the contract's code of a held run
    with suppress(CourseSyncError):
        note(
            store,
            action,
            run_id=report.run_id,
            command=report.command,
            file=report.input.path,
            sha256=report.input.sha256,
            plan_hash=report.plan_hash,
            allowed=list(lifted_rails(report.issues)),
            exit_code=report.exit_code,
            counts={status.value: number for status, number in counts(report.outcomes).items() if number},
        )


def figures(store: Store, settings: Settings) -> Figures:
    """What the metrics file tells."""
    latest = recent_runs(store, at_most=1)
    last = latest[0] if latest else None
    return Figures(
        profile=settings.profile,
        rows={} if last is None else counts_by_status(store, last.run_id),
        requests=requests_of_all_runs(store),
        quota=_quota(store, settings),
        runs=ended_by_code(store),
        open_runs=len(unfinished_runs(store)),
        last_exit_code=None if last is None else last.exit_code,
        last_run_wall=None if last is None else last.finished_wall,
        last_good_run_wall=last_good_run(store),
        last_look_wall=last_look(store),
        alerts={subject: known.event.value for subject, known in known_states(store).items() if known.event},
    )


def _quota(store: Store, settings: Settings) -> tuple[QuotaUse, ...]:
    return open_ledger(store, settings, store.clock).use(store.clock.boot())


def teller(settings: Settings, wall: Callable[[], float]) -> Tell:
    """The way to the profile's targets; whoever cannot be reached is logged.

    Raises:
        ConfigError: a target's address is wrong, or Apprise is not installed.
    """
    targets: tuple[Target, ...] = targets_of(
        settings.alerts, alert_targets=settings.alert_targets, webhook_secret=settings.webhook_secret, wall=wall
    )

    def tell_all(message: Message) -> bool:
        taken = tell(message, targets, timeout_s=settings.alerts.timeout_s)
        for name, took_it in taken:
            log = get_logger().info if took_it else get_logger().warning
            log("alert.told" if took_it else "alert.not_delivered", to=name, alert=message.event.value)
        return any(took_it for _name, took_it in taken) or not taken

    return tell_all


def _make_ready(settings: Settings) -> None:
    """Before a run as well as after it: the run may fill the disk."""
    if settings.alert_targets is not None or settings.alerts.webhook is not None:
        make_ready(settings.state_dir)


def _tell_news(store: Store, ended: Ended, tell_by: Tell | None) -> None:
    state_dir = ended.settings.state_dir
    _make_ready(ended.settings)
    put_by = told(state_dir)
    states, untold = _told_states(ended, {**known_states(store), **put_by}, tell_by)
    late, waiting = _tell_late(ended, known_untold(store), states, untold, tell_by)
    try:
        for subject, known in {**put_by, **states, **late}.items():
            keep_state(store, subject, known)
        keep_untold(store, waiting)
    except CourseSyncError as error:
        get_logger().warning("alert.not_remembered", reason=str(error))
        keep_told(state_dir, {**put_by, **states, **late})
    else:
        if put_by:
            keep_told(state_dir, {})


def _tell_without_the_store(ended: Ended, tell_by: Tell | None) -> None:
    """The store cannot be opened: what is remembered beside it has to do."""
    state_dir = ended.settings.state_dir
    put_by = told(state_dir)
    states, _untold = _told_states(ended, put_by, tell_by)
    keep_told(state_dir, {**put_by, **states})


def _told_states(
    ended: Ended, known: Mapping[str, Known], tell_by: Tell | None
) -> tuple[dict[str, Known], dict[str, Untold]]:
    """Tell what is news; what is to be remembered of each subject that was looked at, and what nobody took."""
    redactor = Redactor(ended.settings.secrets)
    states: dict[str, Known] = {}
    untold: dict[str, Untold] = {}
    for seen in _last_of_each(ended.seen):
        before = known.get(seen.subject, WELL)
        step = decide(before, seen, ended.settings.alerts, profile=ended.settings.profile, at_wall=ended.clock.wall())
        message = None if step.message is None else _clean(step.message, redactor)
        was_told = message is None or _by(ended, tell_by)(message)
        states[seen.subject] = step.delivered if was_told else step.undelivered
        if message is not None and not was_told:
            untold[seen.subject] = Untold(message, step.delivered)
    return states, untold


def _tell_late(
    ended: Ended,
    waiting: Mapping[str, Untold],
    looked_at: Mapping[str, Known],
    untold: Mapping[str, Untold],
    tell_by: Tell | None,
) -> tuple[dict[str, Known], dict[str, Untold]]:
    """Tell what nobody took after an earlier run: a sheet that was dealt with is not looked at again.

    What was looked at now speaks for itself. The first that is not taken ends it, since the target is dead still; it
    is tried last the next time, so that one message that a target does not like does not stand before all others.
    """
    left = {subject: each for subject, each in waiting.items() if subject not in looked_at}
    states: dict[str, Known] = {}
    if not untold:
        for subject, each in tuple(left.items()):
            del left[subject]
            if not _by(ended, tell_by)(each.message):
                left[subject] = each
                break
            states[subject] = each.delivered
    return states, {**left, **untold}


def _by(ended: Ended, tell_by: Tell | None) -> Tell:
    return tell_by or teller(ended.settings, ended.clock.wall)


def _clean(message: Message, redactor: Redactor) -> Message:
    facts = cast("dict[str, Json]", redactor.event(message.facts))
    lines = tuple(map(redactor.text, message.lines))
    return replace(message, title=redactor.text(message.title), lines=lines, facts=facts)


def _last_of_each(seen: Iterable[Seen]) -> Iterable[Seen]:
    """By subject: a trouble outweighs what was well in the same command; else the last word holds."""
    found: dict[str, Seen] = {}
    for each in seen:
        if each.event is not None or each.subject not in found:
            found[each.subject] = each
    return found.values()
