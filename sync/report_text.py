"""What a run has to say to an operator: counts in words, grouped problems, where the files lie, the next step. Pure."""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from sync.canary import STOPPED, ways_on
from sync.for_good import is_for_good
from sync.model import NEEDS_ATTENTION, Issue, RunReport, Severity, Status
from sync.rails import lifted_rails
from sync.report import POLICY, PUT_BACK, IssueGroup, counts, group_issues

_RANGES_SHOWN = 12
_GROUPS_SHOWN = 20
_RESUMABLE = frozenset({5, 129, 130, 143})
_HELD = 6
_PURPOSES = {
    "report": "your sheet with the result on each row",
    "failed": "only the rows that need attention; upload it again once they are mended",
}
_PURPOSES_PUT_BACK = {"report": "each row with its result", "failed": "only the rows that need attention"}
_ACTS = frozenset({"apply", "resume", "undo", "inbox"})


def status_words(status: Status) -> str:
    """Name a status as a person says it: `not attempted`."""
    return status.value.replace("_", " ")


def totals_line(report: RunReport) -> str:
    """Say the counts in one sentence: `60 rows read: 57 updated, 2 unchanged, 1 invalid.`."""
    named = [f"{total:,} {status_words(status)}" for status, total in counts(report.outcomes).items() if total]
    rows = f"{report.input.rows:,} {'row' if report.input.rows == 1 else 'rows'} read"
    return f"{rows}: {', '.join(named)}." if named else f"{rows}."


def group_line(group: IssueGroup) -> str:
    """Say one grouped problem, its rows shortened to what fits on a terminal."""
    mark = "" if group.severity is Severity.ERROR else f"{group.severity.value}: "
    return mark + group.sentence(most=_RANGES_SHOWN)


def next_step(
    report: RunReport, files: Sequence[PurePath] = (), *, words: str = "", plan: PurePath | None = None
) -> str:
    """Say what the operator does now, as one sentence with the command; empty when there is nothing to do.

    `words` are the options that every command of this profile needs: `--profile production`; `plan` is the saved plan
    that was asked for.
    """
    present = {outcome.status for outcome in report.outcomes}
    profile = f" {words}" if words else ""
    if any(issue.code == STOPPED for issue in report.issues):
        return ways_on(report.run_id, profile)
    if is_for_good(report.issues):
        return _not_reached(report, files, profile)
    if report.exit_code in _RESUMABLE or Status.NOT_ATTEMPTED in present:
        return f"Go on where this run stopped: coursesync resume {report.run_id}{profile}"
    if report.exit_code == _HELD:
        return ""  # which of the rails is meant, only a person can say: the refusal names each with its option
    if report.command == "drift" and Status.TO_UPDATE in present:
        return f"Nothing was sent. To put it back: coursesync drift --apply{profile}"
    if report.command not in _ACTS and Status.TO_UPDATE in present:
        if plan is not None:
            return f"Nothing was sent. To send exactly this: coursesync apply {shlex.quote(str(plan))}{profile}"
        chosen = "".join(
            (*_policy_options(report.issues), *(f" --allow {name}" for name in lifted_rails(report.issues)))
        )
        return f"Nothing was sent. To send it: coursesync apply {shlex.quote(report.input.path)}{chosen}{profile}"
    failed = next((file for file in files if file.name.startswith("failed")), None)
    if report.command == "check" and present & NEEDS_ATTENTION:
        return f"Mend the marked cells, then look again: coursesync check {shlex.quote(report.input.path)}{profile}"
    if present & NEEDS_ATTENTION and failed is not None and report.command not in PUT_BACK:
        return f"Mend the marked cells, then send that file: coursesync apply {shlex.quote(str(failed))}{profile}"
    if report.command == "check" and not present & NEEDS_ATTENTION:
        return f"See what would change: coursesync plan {shlex.quote(report.input.path)}{profile}"
    return ""


def _not_reached(report: RunReport, files: Sequence[PurePath], profile: str) -> str:
    """What can be done about rows that a run which was stopped for good has not reached: a run of their own."""
    if all(outcome.status is not Status.NOT_ATTEMPTED for outcome in report.outcomes) or report.command in PUT_BACK:
        return ""
    sheet = next((str(file) for file in files if file.name.startswith("failed")), report.input.path)
    return f"If its other rows are wanted after all: coursesync apply {shlex.quote(sheet)}{profile}"


def _policy_options(issues: Sequence[Issue]) -> Iterator[str]:
    """The options by which a sheet is decided as this plan was: ` --on-conflict sheet`."""
    for issue in issues:
        match issue:
            case Issue(code=code, attempted_value=[str(name), str(value)]) if code == POLICY:
                yield f" --{name.replace('_', '-')} {value}"
            case _:
                pass


def summary_lines(
    report: RunReport,
    files: Sequence[PurePath] = (),
    notes: Sequence[str] = (),
    *,
    words: str = "",
    plan: PurePath | None = None,
) -> tuple[str, ...]:
    """Give the text for a terminal, one string a line: counts, problems, files with their purpose, next step."""
    step = next_step(report, files, words=words, plan=plan)
    return (*_lines(report, files, notes), *([f"Next: {step}"] if step else []))


def _lines(report: RunReport, files: Sequence[PurePath], notes: Sequence[str]) -> Iterator[str]:
    yield totals_line(report)
    groups = group_issues(report.outcomes, general=report.issues)
    for group in groups[:_GROUPS_SHOWN]:
        yield f"  {group_line(group)}"
    if len(groups) > _GROUPS_SHOWN:
        yield f"  and {len(groups) - _GROUPS_SHOWN:,} other problems: all of them are in the report"
    for file in files:
        purposes = _PURPOSES_PUT_BACK if report.command in PUT_BACK else _PURPOSES
        purpose = purposes.get(file.stem.split(" ")[0]) if file.suffix == ".xlsx" else None
        if purpose:
            yield f"{file}: {purpose}"
    yield from notes
