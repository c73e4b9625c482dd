"""`coursesync approve`: let a sheet of a drop folder go on that a rail holds."""

from contextlib import closing

import click

from sync.cli.options import Common, common


@click.command()
@click.argument("run")
@common
def approve(options: Common, run: str) -> int:
    """Let RUN go on, a sheet that a rail holds: this file with this plan, for some days; the next `inbox` sends it."""
    from sync.adapters.clock import SystemClock  # noqa: PLC0415 - loaded when the command runs
    from sync.adapters.store import open_store  # noqa: PLC0415 - the same
    from sync.cli.console import data, say  # noqa: PLC0415 - the same
    from sync.jobs.approving import approve_run  # noqa: PLC0415 - the same

    settings = options.settings(needs_network=False)
    with closing(open_store(settings.state_dir, SystemClock())) as store:
        approved = approve_run(store, settings, run)
    delivery, approval = approved.delivery, approved.approval
    data(
        options,
        {
            "run_id": approval.run_id,
            "file": delivery.name,
            "sha256": delivery.sha256,
            "plan_hash": approval.plan_hash,
            "allowed": list(approval.rails),
            "expires_at": approved.expires_at,
        },
    )
    lifted = f", past the rails {', '.join(approval.rails)}" if approval.rails else ""
    say(options, [f"{delivery.name} (run {approval.run_id}) is approved{lifted}, until {approved.expires_at}."])
    say(options, ["The next `coursesync inbox` sends it, if its plan is still the same."])
    return 0
