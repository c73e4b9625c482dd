"""Somebody's word for a sheet that a rail holds: for this file, this plan, this profile, and not for ever."""

from typing import Final

from sync.adapters.store import Store
from sync.adapters.store.deliveries import approvals_of, awaiting_approval, keep_approval
from sync.bootstrap import who
from sync.config import Settings
from sync.errors import ConfigError
from sync.frozen import Frozen
from sync.inbox import Approval, Delivery
from sync.jobs.closing import note
from sync.times import utc

HOUR_S: Final = 3600.0


class Approved(Frozen):
    """What was approved."""

    delivery: Delivery
    approval: Approval

    @property
    def expires_at(self) -> str:
        """Until when it holds."""
        return utc(self.approval.expires_wall)


def approve_run(store: Store, settings: Settings, run: str) -> Approved:
    """Approve the held run of this name, or the only one whose name begins so; the next pass sends it.

    Raises:
        ConfigError: no sheet of this name waits for approval.
    """
    waiting = [delivery for delivery in awaiting_approval(store) if (delivery.run_id or "").startswith(run)]
    exact = [delivery for delivery in waiting if delivery.run_id == run]
    chosen = exact or waiting
    if len(chosen) != 1 or chosen[0].plan_hash is None or chosen[0].run_id is None:
        named = ", ".join(f"{each.run_id} ({each.name})" for each in awaiting_approval(store)) or "none"
        raise ConfigError(f"No sheet waits for approval as run {run!r}.", remedy=f"Waiting: {named}.")
    delivery = chosen[0]
    now = store.clock.wall()
    approval = Approval(
        run_id=chosen[0].run_id,
        sha256=delivery.sha256,
        plan_hash=chosen[0].plan_hash,
        profile=settings.profile,
        rails=delivery.rails,
        expires_wall=now + settings.inbox.approval_hours * HOUR_S,
    )
    known = [each for each in approvals_of(store, approval.run_id) if each.expires_wall >= now]
    if known:
        return Approved(delivery, known[0])
    keep_approval(store, approval, user=who())
    note(
        store,
        "run.approved",
        run_id=approval.run_id,
        file=delivery.name,
        sha256=approval.sha256,
        plan_hash=approval.plan_hash,
        allowed=list(approval.rails),
        expires_at=utc(approval.expires_wall),
    )
    return Approved(delivery, approval)
