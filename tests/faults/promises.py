"""The one checker of the promises I1 to I8: it takes what a run left behind, and names each promise that is broken."""

import base64
import fcntl
import itertools
import os
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.evidence import (
    STORE,
    Asked,
    Entry,
    Evidence,
    Intent,
    Journal,
    Json,
    Record,
    Report,
    exact,
    read_journal,
    read_report,
)

STATUSES = frozenset(
    {"updated", "unchanged", "invalid", "rejected", "conflict", "failed", "unknown", "skipped", "not_attempted"}
)
QUIET = frozenset({"updated", "unchanged", "skipped"})
"""Statuses that need nobody's attention."""
NEVER_APPLIED = frozenset({"unchanged", "invalid", "rejected", "failed", "skipped", "not_attempted"})
ACTIONS = frozenset({"NewImageUrl", "ClearImageFile"})
FINISHED = frozenset({0, 4})
FOR_GOOD = "run.stopped_for_good"
"""What the report of a run says that ended though it had not reached every row."""
REPORT_FILES = frozenset({"report.xlsx", "report.csv", "report.jsonl", "failed.xlsx", "summary.json", "plan.json"})
STATE_FILES = frozenset(
    {
        STORE,
        f"{STORE}-wal",
        f"{STORE}-shm",
        "run.lock",
        "inbox.lock",
        "token.json",
        "token.lock",
        "plan.key",
        "alerts.told",
    }
)


@dataclass(frozen=True, slots=True)
class _Put:
    entry: Entry
    id: int
    intent: Intent | None
    """The latest that was written down before it arrived, and that no earlier PUT has taken."""


def check(evidence: Evidence) -> list[str]:
    """Name every broken promise, each as `I<number>: what is wrong`; an empty list is what every test wants."""
    journal = read_journal(evidence.state_dir)
    reports = [report for ending in evidence.endings if (report := read_report(ending))]
    puts = _puts(evidence.log, journal.intents)
    return [
        *_intent_before_put(puts),
        *_updated_is_true(evidence, journal, reports, puts),
        *_every_row_once(evidence, journal, reports),
        *_body_is_what_was_read(evidence, puts),
        *_no_needless_put(evidence, puts),
        *_no_secret(evidence),
        *_exit_code_matches(evidence, journal, reports),
        *_store_is_whole(evidence, journal),
    ]


def _puts(log: Sequence[Entry], intents: Sequence[Intent]) -> list[_Put]:
    free: dict[int, list[Intent]] = {}
    for intent in intents:
        free.setdefault(intent.section_id, []).append(intent)
    puts: list[_Put] = []
    for entry in log:
        if entry["method"] != "PUT" or entry["id"] is None:
            continue
        earlier = [intent for intent in free.get(entry["id"], ()) if intent.at_wall <= entry["arrived_wall"]]
        chosen = earlier[-1] if earlier else None
        if chosen:
            free[entry["id"]] = [intent for intent in free[entry["id"]] if intent.number > chosen.number]
        puts.append(_Put(entry, entry["id"], chosen))
    return puts


def _intent_before_put(puts: Sequence[_Put]) -> Iterator[str]:
    """I1."""
    for put in puts:
        if put.intent is None:
            yield f"I1: request {put.entry['n']}, a PUT of section {put.id}, has no earlier intent of its own"
            continue
        body = put.entry["body"]
        for name, value in put.intent.values.items():
            if not isinstance(body, dict) or exact(body.get(name)) != exact(value):
                yield f"I1: request {put.entry['n']} does not send {name} as its intent says"


def _updated_is_true(
    evidence: Evidence, journal: Journal, reports: Sequence[Report], puts: Sequence[_Put]
) -> Iterator[str]:
    """I2, and its other side: what is said not to be applied was not."""
    for report in _latest(reports):
        for line in report.lines:
            ours = [put for put in puts if put.id == line["id"] and put.intent and put.intent.run_id == report.run_id]
            applied = [put for put in ours if put.entry["applied"]]
            where = f"row {line['row']} of run {report.run_id}"
            if line["status"] == "updated":
                if not applied:
                    yield f"I2: {where} is updated, but the server applied nothing"
                elif line["verified"] == "yes":
                    yield from _still_so(evidence, applied[-1], line, where)
            elif line["status"] in NEVER_APPLIED and applied and not _not_stored(line):
                yield f"I2: {where} is {line['status']}, but the server applied it"
            written = journal.outcomes.get(report.run_id, {}).get(line["row"])
            if written is None or written["status"] != line["status"] or written["verified"] != line["verified"]:
                yield f"I2: {where} is {line['status']} in the report and otherwise in the journal"


def _not_stored(line: Record) -> bool:
    return any(issue["code"] == "api.not_stored" for issue in line["issues"])


def _still_so(evidence: Evidence, put: _Put, line: Record, where: str) -> Iterator[str]:
    later = [change for change in evidence.history if change["id"] == put.id and change["number"] > put.entry["change"]]
    if later:
        return
    live = evidence.after.get(put.id, {})
    for change in line["changes"]:
        if change["field"] not in ACTIONS and not _same(live.get(change["field"]), change["after"]):
            yield f"I2: {where} is verified, but the server holds another {change['field']}"


def _same(live: Json, asked: Json) -> bool:
    return exact(live) == exact(asked) or (live in (None, "") and asked in (None, ""))


def _every_row_once(evidence: Evidence, journal: Journal, reports: Sequence[Report]) -> Iterator[str]:
    """I3."""
    for report in reports:
        where = f"the report in {report.out.name}"
        rows = Counter(line["row"] for line in report.lines)
        if twice := sorted(row for row, times in rows.items() if times > 1):
            yield f"I3: {where} names rows {twice} more than once"
        if len(report.lines) != evidence.rows or report.summary["input"]["rows"] != evidence.rows:
            yield f"I3: {where} has {len(report.lines)} rows, the sheet {evidence.rows}"
        if missing := sorted({asked.row for asked in evidence.asked} - rows.keys()):
            yield f"I3: {where} lacks the rows {missing}"
        statuses = Counter(line["status"] for line in report.lines)
        if strange := sorted(statuses.keys() - STATUSES):
            yield f"I3: {where} knows the statuses {strange}"
        if statuses != Counter({status: n for status, n in report.summary["counts"].items() if n}):
            yield f"I3: {where} counts otherwise in its summary than in its rows"
        lines = [(line["row"], line["status"]) for line in report.lines]
        if lines != [(int(line["row"]), line["status"]) for line in report.table]:
            yield f"I3: report.csv and report.jsonl in {report.out.name} differ"
        if lines != list(report.marked):
            yield f"I3: report.xlsx and report.jsonl in {report.out.name} differ"
        needed = [status for _, status in lines if status not in QUIET]
        if needed != list(report.again):
            yield f"I3: failed.xlsx in {report.out.name} holds {list(report.again)}, the report {needed}"
        attention = any(line["status"] not in QUIET for line in report.lines)
        if attention != (report.out / "failed.xlsx").exists():
            yield f"I3: {where} {'lacks' if attention else 'has'} a failed.xlsx"
    for run_id, outcomes in journal.outcomes.items():
        if len(outcomes) != evidence.rows:
            yield f"I3: the journal holds {len(outcomes)} rows of run {run_id}, the sheet {evidence.rows}"


def _body_is_what_was_read(evidence: Evidence, puts: Sequence[_Put]) -> Iterator[str]:
    """I4: some version of the record that the server really held, with the sheet's values laid over it."""
    asked = {one.id: one for one in evidence.asked}
    for put in puts:
        body, row = put.entry["body"], asked.get(put.id)
        where = f"request {put.entry['n']}, a PUT of section {put.id}"
        if not isinstance(body, dict):
            yield f"I4: {where} has no JSON object as its body"
        elif row is None:
            yield f"I5: {where} is for a section that no row names"
        elif not any(_is_overlaid(body, version, row) for version in _versions(evidence, put.id)):
            yield f"I4: {where} is not the record that was read with the row laid over it: {_why(evidence, body, row)}"


def _versions(evidence: Evidence, section_id: int) -> Iterator[Record]:
    if section_id in evidence.before:
        yield evidence.before[section_id]
    for change in evidence.history:
        if change["id"] == section_id and change["after"]:
            yield change["after"]


def _is_overlaid(body: Record, version: Record, row: Asked) -> bool:
    if body.keys() - row.values.keys() != version.keys() - row.values.keys():
        return False
    unnamed = (name for name in version if name not in row.values)
    if any(exact(body[name]) != exact(version[name]) for name in unnamed):
        return False
    return all(exact(body.get(name)) in (exact(value), exact(version.get(name))) for name, value in row.values.items())


def _why(evidence: Evidence, body: Record, row: Asked) -> str:
    before = evidence.before.get(row.id, {})
    names = (body.keys() | before.keys()) - row.values.keys()
    differ = [
        name for name in names if (name in body, exact(body.get(name))) != (name in before, exact(before.get(name)))
    ]
    return f"unlike the first version of the record are {', '.join(sorted(differ)) or 'values that the row names'}"


def _at(record: Record, name: str) -> list[Json]:
    """The value in a list, which is empty where there is none: null is a value."""
    return [record[name]] if name in record else []


def _no_needless_put(evidence: Evidence, puts: Sequence[_Put]) -> Iterator[str]:
    """I5."""
    edited = {change["id"] for change in evidence.history} - {put.id for put in puts if put.entry["applied"]}
    for row in evidence.asked:
        ours = [put for put in puts if put.id == row.id]
        live = evidence.before.get(row.id)
        as_it_is = live is not None and all(_same(live.get(name), value) for name, value in row.values.items())
        if ours and as_it_is and row.id not in edited:
            yield f"I5: section {row.id} was as its row wants it, and was sent"
        yield from _bounded(evidence, row, ours)
    for put in puts:
        if evidence.converged_after is not None and put.entry["n"] > evidence.converged_after:
            yield f"I5: request {put.entry['n']} is a PUT, though everything was done before"


def _bounded(evidence: Evidence, row: Asked, puts: Sequence[_Put]) -> Iterator[str]:
    runs: dict[str, list[_Put]] = {}
    for put in puts:
        runs.setdefault(put.intent.run_id if put.intent else "", []).append(put)
    for run_id, ours in runs.items():
        counted = [put for put in ours if not put.entry["throttled"] and put.entry["status"] != 401]
        if len(counted) > evidence.attempts:
            yield f"I5: {len(counted)} PUTs of section {row.id} in run {run_id}"
        if sum(put.entry["applied"] for put in ours) > 1:
            yield f"I5: section {row.id} was changed more than once in run {run_id}"
        for first, second in itertools.pairwise(counted):
            if not _read_between(evidence.log, first, second):
                yield f"I5: section {row.id} was sent again (request {second.entry['n']}) without a read between"


def _read_between(log: Sequence[Entry], first: _Put, second: _Put) -> bool:
    return any(
        entry["method"] == "GET"
        and first.id in entry["ids"]
        and first.entry["arrived"] <= entry["arrived"] <= second.entry["arrived"]
        for entry in log
    )


def _no_secret(evidence: Evidence) -> Iterator[str]:
    """I6: `token.json`, whose owner alone may read it, is the one place for a secret."""
    needles = {form for secret in evidence.secrets for form in _forms(secret)}
    folders = [evidence.state_dir, *(ending.out for ending in evidence.endings if ending.out)]
    files = {path for folder in folders for path in folder.rglob("*") if path.is_file()} | set(evidence.texts)
    for path in sorted(files):
        if path.name == "token.json":
            if path.stat().st_mode & 0o077:
                yield "I6: others may read token.json"
        elif any(needle in content for content in _contents(path) for needle in needles):
            yield f"I6: a secret stands in {path.name}"


def _forms(secret: str) -> tuple[bytes, ...]:
    raw = secret.encode()
    return raw, secret.encode("utf-16-le"), base64.b64encode(raw).rstrip(b"=")


def _contents(path: Path) -> Iterator[bytes]:
    yield path.read_bytes()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from (archive.read(name) for name in archive.namelist())


def _exit_code_matches(evidence: Evidence, journal: Journal, reports: Sequence[Report]) -> Iterator[str]:
    """I7."""
    for report in reports:
        where = f"the report in {report.out.name}"
        statuses = {line["status"] for line in report.lines}
        code = report.code
        if report.summary["exit_code"] != code and report in _latest(reports):
            yield f"I7: the command ended with {code}, {where} says {report.summary['exit_code']}"
        if code == 0 and not statuses <= QUIET:
            yield f"I7: exit code 0, though rows are {sorted(statuses - QUIET)}"
        for_good = any(issue["code"] == FOR_GOOD for issue in report.summary["issues"])
        if code == 4 and (statuses <= QUIET or ("not_attempted" in statuses and not for_good)):
            yield f"I7: exit code 4 with the statuses {sorted(statuses)}"
        state, written = journal.states.get(report.run_id, ("missing", None))
        if report in _latest(reports) and (written != code or (state == "finished") != (code in FINISHED)):
            yield f"I7: exit code {code}, but the journal says {state}, {written}"
    for ending in evidence.endings:
        if ending.out is not None and not (ending.out / "summary.json").exists():
            yield f"I7: a command names {ending.out.name} as its report, and there is none"


def _latest(reports: Sequence[Report]) -> list[Report]:
    """The last report of each run: an earlier one of the same run has been overtaken."""
    return list({report.run_id: report for report in reports}.values())


def _store_is_whole(evidence: Evidence, journal: Journal) -> Iterator[str]:
    """I8."""
    if journal.damage:
        yield f"I8: the store is damaged: {journal.damage}"
    for intent in journal.intents:
        if intent.answer is None and journal.states.get(intent.run_id, ("", 0))[0] == "finished":
            yield f"I8: intent {intent.number} is open, though its run is finished"
    folders: Mapping[Path, frozenset[str]] = {
        evidence.state_dir: STATE_FILES,
        **{ending.out: REPORT_FILES for ending in evidence.endings if ending.out},
    }
    for folder, known in folders.items():
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.is_file() and path.name not in known:
                yield f"I8: a stray file {path.name}"
    for path in (evidence.state_dir / "reports").glob("*/*"):
        if path.name not in REPORT_FILES:
            yield f"I8: a stray file {path.parent.name}/{path.name}"
    for path in (evidence.state_dir / "inputs").glob("*"):
        if path.suffix not in (".xlsx", ".xls", ".csv", ".ods", ".xlsb", ".xlsm"):
            yield f"I8: a stray file {path.name}"
    if not _is_free(evidence.state_dir / "run.lock"):
        yield "I8: the lock is still held"


def _is_free(path: Path) -> bool:
    if not path.exists():
        return True
    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
