"""One pass over a drop folder: what is left at work first, then what is finished, one file after the other.

What a process that dies leaves behind is taken up by the next pass: the store says how far each file had come.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sync.adapters.dropfolder import REPORT, DropFolder, digest_of
from sync.adapters.lock import run_lock
from sync.adapters.report_files import write_reports
from sync.adapters.store import Store, open_store
from sync.adapters.store.deliveries import (
    approvals_of,
    awaiting_approval,
    count_start,
    deliveries_of_content,
    ended_run,
    forget_starts,
    keep_claim,
    keep_end,
    known_delivery,
    take_up,
    use_up,
)
from sync.adapters.store.standing import known_states
from sync.alerts import Event, Seen, gravest
from sync.bootstrap import Session, bind, new_run_id
from sync.config import Settings
from sync.errors import CourseSyncError, HeldRun, InputError, InternalError, StoppedEarly
from sync.frozen import Frozen, replace
from sync.inbox import (
    Approval,
    Delivery,
    Move,
    Place,
    Run,
    Take,
    Verdict,
    approves,
    could_be_ours,
    left_for_long,
    next_of,
    place_of,
    readable,
    reasons_to_tell,
    same_as,
    sort_out,
)
from sync.jobs.closing import Ended, note
from sync.jobs.heap import one_of_many
from sync.jobs.reports import Result, write_run_report
from sync.jobs.runs import apply_sheet
from sync.jobs.sheets import Preview, check_report, hash_of, read_sheet, refuse_invalid
from sync.jobs.watch import Question, Watch
from sync.logs import bound, get_logger
from sync.model import CheckedSheet, RunId
from sync.ports import Clock, StopAsked
from sync.times import utc

Opened = AbstractContextManager[tuple[Session, Watch]]
SIGNALLED = 128
"""Exit codes above are this and the number of a signal."""


class Handled(Frozen):
    """What became of one file."""

    name: str
    exit_code: int
    folder: Path
    """Where it lies now."""
    reason: str = ""
    run_id: str | None = None

    @property
    def ends_the_pass(self) -> bool:
        """Whether the next file would meet the same: an outage, an allowance, a signal."""
        return self.exit_code == StoppedEarly.exit_code or self.exit_code > SIGNALLED


@dataclass(slots=True)
class Inbox:
    """A drop folder under one profile."""

    folder: DropFolder
    settings: Settings
    clock: Clock
    open: Callable[[], Opened]
    """Opens a session, when there is something to run: a quiet night asks the server nothing."""
    ended: Ended
    stop_asked: StopAsked = field(default=lambda: None)
    void: str = field(default="", init=False)
    """Why the approval of the file at hand no longer holds."""

    def pass_over(self) -> tuple[Handled, ...]:
        """Take and run whatever is finished, until all is done or a run stops early.

        Raises:
            LockHeld: another pass, or another run of the profile, is at work.
            CourseSyncError: a run could not begin or go on; the file stays at work for the next pass.
        """
        since = utc(self.clock.wall())
        with closing(open_store(self.settings.state_dir, self.clock)) as store:
            bind(store, self.settings)
            with run_lock(self.settings.state_dir / "inbox.lock", since=since, holds=str(self.folder.root)):
                self.folder.prepare(owner=f"{self.settings.account or 'no account'} at {self.settings.base_url}")
                return tuple(self._handled(store))

    def _handled(self, store: Store) -> Iterator[Handled]:
        self._take_up_approved(store)
        verdicts = self._verdicts()
        for name, reason in reasons_to_tell(verdicts).items():
            get_logger().info("file.left", file=name, reason=reason)
        self._see_left(store, left_for_long(verdicts, self.settings.inbox))
        finished = [verdict for verdict in verdicts if isinstance(verdict, Take)]
        left = self.folder.at_work()
        if not (left or finished):
            return
        with self._session() as opened:
            for delivery in left:
                handled = self._handle(store, delivery, opened)
                if handled is not None:
                    yield handled
                    if handled.ends_the_pass:
                        return
            for verdict in finished:
                if self.stop_asked() is not None:
                    return
                delivery = new_run_id(self.clock)
                if self.folder.claim(verdict.sight, delivery) is None:
                    continue
                handled = self._handle(store, delivery, opened)
                if handled is not None:
                    yield handled
                    if handled.ends_the_pass:
                        return

    @contextmanager
    def _session(self) -> Iterator["_Opened"]:
        opened = _Opened(self.open)
        try:
            yield opened
        finally:
            opened.close()

    def _verdicts(self) -> tuple[Verdict, ...]:
        first = self.folder.look(wall=self.clock.wall())
        if not any(map(could_be_ours, first)):
            return sort_out(first, first, self.settings.inbox)
        self.clock.sleep(self.settings.inbox.settled_s)
        return sort_out(first, self.folder.look(wall=self.clock.wall()), self.settings.inbox)

    def _see_left(self, store: Store, left: Mapping[str, str]) -> None:
        """A file that waits for somebody is told once, and once more when it does not wait any more."""
        for name, reason in left.items():
            subject = readable(name)
            words = f"{subject} in {self.folder.root} is not taken: {reason}."
            self.ended.seen.append(Seen(subject, Event.LEFT, reason, words))
        names = set(map(readable, left))
        for subject, known in known_states(store).items():
            if known.event is Event.LEFT and subject not in names:
                self.ended.seen.append(Seen(subject, None))

    def _take_up_approved(self, store: Store) -> None:
        for delivery in awaiting_approval(store, folder=str(self.folder.root)):
            held = self.folder.root / Place.APPROVAL / delivery.delivery
            if not held.is_dir() or self._approval(store, delivery) is None:
                continue
            self.folder.move(delivery.delivery, Place.WORK, source=Place.APPROVAL)
            take_up(store, delivery.delivery)

    def _approval(self, store: Store, delivery: Delivery) -> Approval | None:
        if delivery.run_id is None:
            return None
        now, profile = self.clock.wall(), self.settings.profile
        found = approvals_of(store, delivery.run_id)
        return next((each for each in found if approves(each, delivery, profile=profile, now_wall=now)), None)

    # one file -----------------------------------------------------------------------------------------------------

    def _handle(self, store: Store, name: str, opened: "_Opened") -> Handled | None:
        delivery = known_delivery(store, name)
        path = self.folder.sheet_of(name, named=None if delivery is None else delivery.name)
        if path is None:
            get_logger().warning("delivery.without_file", delivery=name)
            return None
        sha256 = digest_of(path)
        self.void = ""
        if delivery is not None and delivery.sha256 != sha256 and self._approval(store, delivery) is not None:
            self.void = f"The approval of run {delivery.run_id} is void: the file has changed since."
        if delivery is not None and delivery.place is Place.APPROVAL and self._approval(store, delivery) is not None:
            take_up(store, name)  # the process died between the move and this
            delivery = known_delivery(store, name)
        if delivery is None or delivery.sha256 != sha256:
            delivery = keep_claim(store, name, folder=str(self.folder.root), name=path.name, sha256=sha256)
        self.ended.sheet = delivery.name
        twin = same_as(deliveries_of_content(store, str(self.folder.root), sha256), sha256, but=name)
        done = str(self.folder.root / Place.DONE / name / delivery.name)
        ended = ended_run(store, path=str(path), sha256=sha256)
        with bound(file=delivery.name):
            match next_of(delivery, ended=ended, twin=twin, done=done, words=self.ended.words):
                case Move() as move:
                    return self._only_move(store, delivery, move)
                case Run():
                    return self._run(store, delivery, path, opened)

    def _only_move(self, store: Store, delivery: Delivery, move: Move) -> Handled:
        report = self.folder.report_folder(delivery.delivery)
        if move.run_id is not None and not move.reason:
            write_run_report(store, self.settings, RunId(move.run_id), out=report)
        if delivery.place is None:
            keep_end(
                store,
                delivery.delivery,
                move.place,
                exit_code=move.exit_code,
                run_id=move.run_id,
                reason=move.reason,
            )
        if move.exit_code == InternalError.exit_code:
            self.ended.error(InternalError(move.reason), sheet=delivery.name)
        return self._put(store, delivery, move.place, move.exit_code, reason=move.reason, run_id=move.run_id)

    @one_of_many()
    def _run(self, store: Store, delivery: Delivery, path: Path, opened: "_Opened") -> Handled:
        report = self.folder.report_folder(delivery.delivery)
        count_start(store, delivery.delivery)
        try:
            checked = read_sheet(path, self.settings)
            if (refusal := _refusal(checked, self.settings)) is not None:
                write_reports(check_report(checked, self.settings, self.clock), report, sheet=checked)
                return self._refuse(store, delivery, refusal)
            session, watch = opened.get()
            result = self._apply(session, checked, watch, delivery)
        except InputError as error:
            return self._refuse(store, delivery, error)
        except CourseSyncError as error:
            if not isinstance(error, InternalError):
                forget_starts(store, delivery.delivery)
            raise
        return self._take_in(store, delivery, result, path)

    def _apply(self, session: Session, checked: CheckedSheet, watch: Watch, delivery: Delivery) -> Result:
        out = self.folder.report_folder(delivery.delivery)
        approval = self._approval(session.store, delivery)
        if approval is None:
            return apply_sheet(session, checked, out=out, watch=watch)
        given = approval

        def still_approved(question: Question) -> bool:
            """The plan is made anew: the approval is for what was shown, and for nothing else."""
            return not isinstance(question, Preview) or given.plan_hash == hash_of(session, question)

        asked = Watch(watch.events, watch.stop_asked, still_approved)
        try:
            result = apply_sheet(session, checked, out=out, watch=asked, allowed=approval.rails)
        except HeldRun:
            get_logger().warning("approval.void", run_id=approval.run_id, reason="the plan has changed since")
            self.void = f"The approval of run {approval.run_id} is void: the plan has changed since."
            result = apply_sheet(session, checked, out=out, watch=watch)
        use_up(session.store, approval.run_id)
        return result

    def _take_in(self, store: Store, delivery: Delivery, result: Result, path: Path) -> Handled:
        report = result.report
        place = place_of(report.exit_code)
        approve = f"coursesync approve {report.run_id} {self.ended.words}".rstrip()
        is_held = place is Place.APPROVAL
        failed = self.folder.root / place / delivery.delivery / REPORT / "failed.xlsx"
        commands = {
            Place.APPROVAL: approve,
            Place.ATTENTION: f"mend the marked cells of {failed}, then drop that file into {self.folder.root}",
        }
        if is_held and result.stopped is not None:
            held = f"{self.void} {result.stopped.message}".strip()
            result = replace(result, stopped=HeldRun(held, remedy="Mend the sheet and drop it again, or let it go on."))
        self.ended.result(result, sheet=delivery.name, command=commands.get(place))
        reason = "" if result.stopped is None else str(result.stopped)
        if place is Place.WORK:
            forget_starts(store, delivery.delivery)
            home = self.folder.root / Place.WORK / delivery.delivery
            return Handled(delivery.name, report.exit_code, home, reason, report.run_id)
        if digest_of(path) != delivery.sha256:
            reason = "The file was written to while it was run; the next pass runs what it has become."
            keep_claim(
                store, delivery.delivery, folder=str(self.folder.root), name=delivery.name, sha256=digest_of(path)
            )
            return Handled(delivery.name, report.exit_code, path.parent, reason, report.run_id)
        rails = tuple(rail.name for rail in result.judged.held)
        if is_held:
            reason = f"{reason} If that is meant: {approve}".strip()
        keep_end(
            store,
            delivery.delivery,
            place,
            exit_code=report.exit_code,
            run_id=report.run_id,
            plan_hash=report.plan_hash,
            rails=rails,
            reason=reason,
        )
        return self._put(store, delivery, place, report.exit_code, reason=reason, run_id=report.run_id)

    def _refuse(self, store: Store, delivery: Delivery, error: InputError) -> Handled:
        lies = self.folder.root / Place.REFUSED / delivery.delivery / delivery.name
        command = f"mend {lies}, then drop it into {self.folder.root}"
        self.ended.error(error, sheet=delivery.name, sha256=delivery.sha256, command=command)
        keep_end(store, delivery.delivery, Place.REFUSED, exit_code=error.exit_code, reason=str(error))
        return self._put(store, delivery, Place.REFUSED, error.exit_code, reason=str(error))

    def _put(
        self, store: Store, delivery: Delivery, place: Place, exit_code: int, *, reason: str, run_id: str | None = None
    ) -> Handled:
        self.folder.say_why(delivery.delivery, reason)
        folder = self.folder.move(delivery.delivery, place)
        note(
            store,
            "delivery.moved",
            run_id=run_id,
            file=delivery.name,
            sha256=delivery.sha256,
            folder=str(folder),
            exit_code=exit_code,
        )
        get_logger().info("delivery.moved", to=place.value, exit_code=exit_code)
        return Handled(delivery.name, exit_code, folder, reason, run_id)


@dataclass(slots=True)
class _Opened:
    """A session that is opened when it is first needed, and then serves all files."""

    open: Callable[[], Opened]
    _manager: Opened | None = None
    _value: tuple[Session, Watch] | None = None

    def get(self) -> tuple[Session, Watch]:
        if self._value is None:
            self._manager = self.open()
            self._value = self._manager.__enter__()
        return self._value

    def close(self) -> None:
        if self._manager is not None:
            self._manager.__exit__(None, None, None)


def _refusal(checked: CheckedSheet, settings: Settings) -> InputError | None:
    try:
        refuse_invalid(checked, settings)
    except InputError as error:
        return error
    return None


def pass_code(handled: tuple[Handled, ...]) -> int:
    """The exit code of a pass: a signal's own, else the gravest of its files."""
    codes = [each.exit_code for each in handled]
    return next((code for code in codes if code > SIGNALLED), gravest(codes))
