"""How a run stands, by the journal, the lock and what is asked of it; and what of that changes while it is at work."""

from typing import Any, Final, Literal

from sync.adapters.lock import who_holds
from sync.adapters.store.opening import Store
from sync.adapters.store.orders import OrderKind, OrderState, asked_of_run, open_orders
from sync.adapters.store.progress import Progress, progress_of
from sync.for_good import is_for_good
from sync.frozen import Frozen
from sync.jobs.carrying import run_of_order
from sync.model import RunFacts
from sync.plan import cost
from sync.times import duration
from sync.web.site import Site
from sync.web.texts import text

COUNTED_BY_LIMITS: Final = 2_000
"""Up to so many rows, the remaining time is reckoned by the limits; beyond, by the pace."""

State = Literal["at_work", "pausing", "ending", "stopped", "died", "finished", "for_good"]
AT_WORK: Final[frozenset[State]] = frozenset({"at_work", "pausing", "ending"})


class Standing(Frozen):
    """A run as the page shows it."""

    progress: Progress
    state: State

    @property
    def is_at_work(self) -> bool:
        """Whether a process carries it out now, or is about to end it."""
        return self.state in AT_WORK

    @property
    def may_pause(self) -> bool:
        """Whether it can be asked to pause."""
        return self.state == "at_work"

    @property
    def may_resume(self) -> bool:
        """Whether it can go on."""
        return self.state in ("stopped", "died")

    @property
    def may_stop(self) -> bool:
        """Whether it can be ended for good."""
        return self.state in ("at_work", "pausing", "stopped", "died")


def standing_of(site: Site, store: Store, run_id: str) -> Standing | None:
    """How a run stands; `None` if there is no such run."""
    progress = progress_of(store, run_id)
    return None if progress is None else Standing(progress, _state(site, store, progress.facts))


def _state(site: Site, store: Store, facts: RunFacts) -> State:
    kinds = {
        order.kind: order.state for order in open_orders(store) if run_of_order(store, order, site.desk) == facts.run_id
    }
    asked = asked_of_run(store, facts.run_id)
    if facts.state != "finished" and OrderKind.STOP in kinds:
        return "ending"
    if who_holds(site.settings.state_dir / "run.lock") is not None and (
        facts.state == "open" or OrderState.AT_WORK in kinds.values()
    ):
        return "at_work" if asked is None else "ending" if asked.for_good else "pausing"
    if facts.state == "finished":
        return "for_good" if facts.stop is not None and is_for_good([facts.stop]) else "finished"
    return "died" if facts.state == "open" else "stopped"


def live_facts(site: Site, standing: Standing) -> dict[str, Any]:
    """What changes while a run is at work, as words."""
    progress = standing.progress
    left = text("run.left", duration=duration(_seconds_left(site, progress))) if progress.left else ""
    return {
        "state": standing.state,
        "done": progress.done,
        "total": progress.to_send,
        "said": text(
            "run.done.one" if progress.to_send == 1 else "run.done",
            done=f"{progress.done:,}",
            total=f"{progress.to_send:,}",
        ),
        "pace": text("run.pace", n=progress.last_minute) if standing.is_at_work else "",
        "left": left if standing.is_at_work else "",
        "state_said": text(f"run.{standing.state}"),
        "counts": dict(progress.counts),
    }


def _seconds_left(site: Site, progress: Progress) -> float:
    if progress.left > COUNTED_BY_LIMITS and progress.last_minute:
        return progress.left / progress.last_minute * 60
    settings = site.settings
    price = cost(
        min(progress.left, COUNTED_BY_LIMITS),
        limits=settings.limits,
        ids_per_request=50,
        latency_s=0.2,
        verify=settings.verify,
    )
    return price.seconds * max(1.0, progress.left / COUNTED_BY_LIMITS)
