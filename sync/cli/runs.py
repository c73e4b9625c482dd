"""`coursesync history`, `status` and `report`: what the journal knows of runs; no network."""

from contextlib import closing
from typing import TYPE_CHECKING

import click

from sync.cli.options import Common, common
from sync.cli.places import check_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sync.adapters.store.audit import Entry
    from sync.model import RunFacts


@click.command()
@click.option("--audit", is_flag=True, help="Who did what, instead: runs, approvals, moves, purges.")
@common
def history(options: Common, *, audit: bool) -> int:
    """List the runs of this profile, newest first."""
    from sync.adapters.clock import SystemClock  # noqa: PLC0415 - loaded when the command runs
    from sync.adapters.store import open_store  # noqa: PLC0415 - the same
    from sync.adapters.store.audit import audit_entries, first_changed  # noqa: PLC0415 - the same
    from sync.adapters.store.deliveries import where_files_lie  # noqa: PLC0415 - the same
    from sync.adapters.store.history import recent_runs  # noqa: PLC0415 - the same
    from sync.adapters.store.standing import counts_by_status  # noqa: PLC0415 - the same
    from sync.cli.console import data, say  # noqa: PLC0415 - the same

    settings = options.settings(needs_network=False)
    with closing(open_store(settings.state_dir, SystemClock())) as store:
        if audit:
            entries = audit_entries(store)
            data(options, [_entry_object(entry) for entry in entries])
            say(options, [_entry_line(entry) for entry in entries] or ["Nothing yet."])
            changed = first_changed(store)
            if changed is not None:
                say(options, [f"The log was changed by hand: entry {changed} is not as it was written."])
            return 0
        runs = [(facts, counts_by_status(store, facts.run_id)) for facts in recent_runs(store)]
        lies = where_files_lie(store)
        data(options, [_run_object(facts, counts, lies.get(facts.run_id)) for facts, counts in runs])
        say(options, [_run_line(facts, counts, lies.get(facts.run_id)) for facts, counts in runs] or ["No runs yet."])
    return 0


@click.command()
@click.argument("run", required=False)
@common
def status(options: Common, run: str | None) -> int:
    """Show RUN, or the last run: what is done, what is left, what is taken of the limits."""
    from sync.adapters.clock import SystemClock  # noqa: PLC0415 - loaded when the command runs
    from sync.adapters.lock import who_holds  # noqa: PLC0415 - the same
    from sync.adapters.store import open_store  # noqa: PLC0415 - the same
    from sync.adapters.store.deliveries import where_files_lie  # noqa: PLC0415 - the same
    from sync.adapters.store.history import recent_runs  # noqa: PLC0415 - the same
    from sync.adapters.store.standing import counts_by_status  # noqa: PLC0415 - the same
    from sync.bootstrap import open_ledger  # noqa: PLC0415 - the same
    from sync.cli.console import data, say  # noqa: PLC0415 - the same
    from sync.jobs.reports import run_report  # noqa: PLC0415 - the same
    from sync.report import summary_object  # noqa: PLC0415 - the same
    from sync.report_text import next_step, totals_line  # noqa: PLC0415 - the same

    settings, clock = options.settings(needs_network=False), SystemClock()
    with closing(open_store(settings.state_dir, clock)) as store:
        holder = who_holds(settings.state_dir / "run.lock")
        latest = recent_runs(store, at_most=1)
        if run is None and not latest:
            data(options, {"run_id": None})
            say(options, ["No runs yet."])
            return 0
        report, facts = run_report(store, run or latest[0].run_id)
        ledger = open_ledger(store, settings, clock)
        use, pause = ledger.use(clock.boot()), ledger.paused(clock.boot())
        waits = None if pause is None else pause.words(clock)
        standing = {"state": facts.state, "reported": facts.reported, "waits": waits, "at_work": holder}
        data(options, summary_object(report) | standing)
        lies = where_files_lie(store).get(facts.run_id)
        say(options, [_run_line(facts, counts_by_status(store, facts.run_id), lies), totals_line(report)])
        say(options, [f"  {item.window}: {item.used:,} of {item.limit:,} taken" for item in use])
        if waits is not None:
            say(options, [f"  {waits}"])
        if facts.stop is not None:
            say(options, [f"  stopped: {facts.stop.message}"])
        if facts.state == "finished" and not facts.reported:
            again = f"coursesync resume {facts.run_id} {options.words}".rstrip()
            say(options, [f"  its report was not written whole: {again}"])
        if holder is not None:
            say(options, [f"  at work: {holder}"])
        elif facts.state != "finished":
            say(options, [f"Next: {next_step(report, words=options.words)}"])
    return 0


@click.command()
@click.argument("run")
@common
def report(options: Common, run: str) -> int:
    """Write the report of RUN again, from the journal alone; at any time, as often as wanted."""
    from sync.adapters.clock import SystemClock  # noqa: PLC0415 - loaded when the command runs
    from sync.adapters.store import open_store  # noqa: PLC0415 - the same
    from sync.cli.console import show_report  # noqa: PLC0415 - the same
    from sync.jobs.reports import run_report, write_run_report  # noqa: PLC0415 - the same

    check_folder(options.out)
    settings = options.settings(needs_network=False)
    with closing(open_store(settings.state_dir, SystemClock())) as store:
        _report, facts = run_report(store, run)
        result = write_run_report(store, settings, facts.run_id, out=options.out)
        show_report(options, result)
    return 0


def _run_line(facts: "RunFacts", counts: "Mapping[str, int]", lies: str | None = None) -> str:
    """One line; `lies` is where a drop folder has put the sheet since."""
    from sync.inbox import readable  # noqa: PLC0415 - loaded when there is a run
    from sync.rails import lifted_rails  # noqa: PLC0415 - the same
    from sync.times import utc  # noqa: PLC0415 - the same
    from sync.undo import undone_run  # noqa: PLC0415 - the same

    of = undone_run(facts.issues)
    code = "still open" if facts.exit_code is None else f"exit {facts.exit_code}"
    started = utc(facts.started_wall)[:16].replace("T", " ")
    became = ", ".join(f"{number:,} {status.replace('_', ' ')}" for status, number in counts.items())
    lifted = "".join(f"  --allow {name}" for name in lifted_rails(facts.issues))
    sheet = f"{facts.input.sha256[:8]}, " if facts.input.sha256 else ""
    return (
        f"{facts.run_id}  {started}  {facts.command:<7} {facts.state:<8} {code:<10}"
        f" {facts.input.rows:>6,} rows{f': {became}' if became else ''}"
        f"  {readable(lies or facts.input.path)} ({sheet}by {facts.user})"
        f"{f' (undoes {of})' if of else ''}{' (stopped for good)' if _is_for_good(facts) else ''}{lifted}"
    )


def _is_for_good(facts: "RunFacts") -> bool:
    from sync.for_good import is_for_good  # noqa: PLC0415 - loaded when there is a run

    return facts.stop is not None and is_for_good([facts.stop])


def _entry_line(entry: "Entry") -> str:
    from sync.times import utc  # noqa: PLC0415 - loaded when there is an entry

    facts = " ".join(f"{name}={value}" for name, value in entry.facts.items() if value not in (None, [], {}))
    run = f" {entry.run_id}" if entry.run_id else ""
    return f"{utc(entry.at_wall)}  {entry.user}@{entry.host}  {entry.action}{run}  {facts}".rstrip()


def _entry_object(entry: "Entry") -> dict[str, object]:
    from sync.times import utc  # noqa: PLC0415 - loaded when there is an entry

    return {
        "number": entry.number,
        "at": utc(entry.at_wall),
        "user": entry.user,
        "host": entry.host,
        "action": entry.action,
        "run_id": entry.run_id,
        "facts": dict(entry.facts),
    }


def _run_object(facts: "RunFacts", counts: "Mapping[str, int]", lies: str | None) -> dict[str, object]:
    from sync.rails import lifted_rails  # noqa: PLC0415 - loaded when there is a run
    from sync.times import utc  # noqa: PLC0415 - the same
    from sync.undo import undone_run  # noqa: PLC0415 - the same

    return {
        "run_id": facts.run_id,
        "command": facts.command,
        "state": facts.state,
        "exit_code": facts.exit_code,
        "started_at": utc(facts.started_wall),
        "finished_at": None if facts.finished_wall is None else utc(facts.finished_wall),
        "user": facts.user,
        "counts": dict(counts),
        "stopped_for_good": _is_for_good(facts),
        "undoes": undone_run(facts.issues),
        "allowed": list(lifted_rails(facts.issues)),
        "input": {"path": facts.input.path, "sha256": facts.input.sha256, "rows": facts.input.rows},
        "lies": lies,
    }
