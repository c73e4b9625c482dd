"""The operators' page under load: 50 who watch a run, a plan of 50,000 rows, the first page of all."""

import asyncio
import json
import os
import re
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import httpx

from sync.windows import least_makespan_s
from tests.bench.canned import CannedServer
from tests.bench.parties import FOLDER
from tests.bench.sections import workbook
from tests.bench.table import Row, shown_s
from tests.bench.watching import Seen, watch
from tests.e2e.command_line import SAMPLES
from tests.sandbox_process import TRUSTS_NOBODY, SandboxProcess
from tests.web.page_process import PageProcess, Visitor
from tests.web.sheets import write_sheet
from tests.world import DOCUMENTED

OPERATORS = 50
LATENCY_MS = 50
LOOK_EVERY_S = 1.0
ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Watched:
    """One run, with somebody who watches it or without."""

    run_s: float
    """From its start to its end, by its own summary."""
    span_s: float
    """From the first update to the last, as they arrived."""
    processor_s: float
    """Of the page's server, while the run was at work."""
    throttled: int
    seen: Seen


def watchers(rows: int) -> Row:
    """The same run under the default limits, alone and watched by all; the real clock."""
    alone, watched = _run(rows, operators=0), _run(rows, operators=OPERATORS)
    loads = sorted(watched.seen.loads_s)
    for error in watched.seen.errors[:5]:
        print(error, file=sys.stderr)
    return Row(
        f"{OPERATORS} event streams and a page load each 5 s for each, one run of {rows} writes, default limits",
        f"{len(watched.seen.errors)} errors in {len(loads):,} loads and {watched.seen.news:,} events;"
        f" a load {_ms(statistics.median(loads))} (95th percentile {_ms(loads[len(loads) * 95 // 100])},"
        f" at most {_ms(loads[-1])}); {watched.throttled} throttle answers;"
        f" the server's processor {watched.processor_s / watched.run_s * 100:.0f} %",
        f"nobody watches: run {shown_s(alone.run_s)}, updates within {alone.span_s:.2f} s",
        f"watched: run {shown_s(watched.run_s)}, updates within {watched.span_s:.2f} s:"
        f" {(watched.run_s / alone.run_s - 1) * 100:+.2f} % and {(watched.span_s / alone.span_s - 1) * 100:+.2f} %",
        "no error, under 300 ms, run slowed by at most 2 %",
        f"first to last update {shown_s(least_makespan_s(DOCUMENTED, rows))}",
    )


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _run(rows: int, *, operators: int) -> Watched:
    with (
        TemporaryDirectory() as folder,
        SandboxProcess("--latency-ms", str(LATENCY_MS), seed=SAMPLES / "sandbox_seed.json") as sandbox,
        PageProcess(Path(folder), sandbox, limits=None, people={"ada": "approver"}) as site,
    ):
        visitors = [site.visitor("ada") for _ in range(max(1, operators))]
        ids = sorted(sandbox.records())[:rows]
        sheet = write_sheet(
            Path(folder) / "all.xlsx", ("Id", "Title"), *((key, f"Watched {at}") for at, key in enumerate(ids))
        )
        plan, _ = visitors[0].planned(sheet)
        run = visitors[0].run_of(visitors[0].approve(plan)).rpartition("/")[2]
        before = _processor_s(site.pid)
        seen = asyncio.run(_while_at_work(site, run, visitors[:operators]))
        processor_s = _processor_s(site.pid) - before
        arrived = [entry["arrived"] for entry in sandbox.puts()]
        throttled = sum(entry["throttled"] for entry in sandbox.log())
        return Watched(_run_s(site, run), max(arrived) - min(arrived), processor_s, throttled, seen)


async def _while_at_work(site: PageProcess, run: str, visitors: Sequence[Visitor]) -> Seen:
    ended = asyncio.Event()
    parts = urlsplit(site.base)
    cookies = ["; ".join(f"{name}={value}" for name, value in one.client.cookies.items()) for one in visitors]
    looking = asyncio.ensure_future(watch((str(parts.hostname), int(parts.port or 0)), run, cookies, ended))
    while not _has_ended(site, run):  # noqa: ASYNC110 - what ends is another process
        await asyncio.sleep(LOOK_EVERY_S)
    ended.set()
    return await looking


def _has_ended(site: PageProcess, run: str) -> bool:
    with closing(sqlite3.connect(f"file:{site.state / 'store.sqlite3'}?mode=ro", uri=True)) as store:
        found = store.execute("SELECT state FROM runs WHERE run_id = ?", (run,)).fetchone()
    return found is not None and found[0] != "open"


def _run_s(site: PageProcess, run: str) -> float:
    summary = site.state / "reports" / run / "summary.json"
    until = time.monotonic() + 30
    while not summary.is_file():
        assert time.monotonic() < until
        time.sleep(0.1)
    facts = json.loads(summary.read_text(encoding="utf-8"))
    assert facts["exit_code"] == 0, facts
    began, ended = (datetime.fromisoformat(facts[name]) for name in ("started_at", "finished_at"))
    return (ended - began).total_seconds()


def _processor_s(pid: int) -> float:
    """Processor time of this process alone, so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


QUERIES = {
    "the first page": "",
    "page 500": "?page=500",
    "the last page": "?page=1000",
    "a filter by status": "?status=to_update",
    "a filter by field and course": "?field=Title&course=23",
    "a search that finds all": "?words=edition",
    "a search that finds one": "?words=1410049999",
    "a search that finds none": "?words=nothing+is+called+so",
}


def large_plan(rows: int) -> Row:
    """A plan of so many rows: each kind of look at its table, as htmx asks for it, and as a whole page."""
    with TemporaryDirectory() as folder, CannedServer(rows) as server:
        sheet = workbook(FOLDER / f"changed-{rows}.xlsx", rows, changed=True)
        with PageProcess(Path(folder), server.base_url) as site:
            visitor = site.visitor()
            began = time.perf_counter()
            plan = visitor.upload(sheet)
            first = visitor.wait_for(plan, lambda answer: 'id="making"' not in answer.text, seconds=900)
            made_s = time.perf_counter() - began
            assert visitor.counts(first) == {"to_update": rows}
            looks = {
                name: [
                    _took(visitor, plan + query, **{"HX-Request": "true", "HX-Target": "rows"}) for _ in range(ROUNDS)
                ]
                for name, query in QUERIES.items()
            }
            whole = [_took(visitor, plan) for _ in range(ROUNDS)]
            question = [_took(visitor, f"{plan}/approval") for _ in range(ROUNDS)]
    said = ", ".join(f"{name} {_median_ms(found)}" for name, found in looks.items())
    slowest = max(took for found in looks.values() for took, _ in found)
    return Row(
        f"a plan of {rows:,} rows on the page",
        f"{said}; at most {_ms(slowest)}; the whole page {_median_ms(whole)}, {whole[0][1] / 1000:.0f} KB;"
        f" the question before the approval {_median_ms(question)}",
        goal="each under 300 ms",
        floors=f"made in {shown_s(made_s)}; looked at first {shown_s(first.elapsed.total_seconds())}",
    )


def _median_ms(looks: Sequence[tuple[float, int]]) -> str:
    return _ms(statistics.median(took for took, _ in looks))


def _took(visitor: Visitor, path: str, **headers: str) -> tuple[float, int]:
    began = time.perf_counter()
    answer = visitor.get(path, **headers)
    took = time.perf_counter() - began
    assert answer.status_code == HTTPStatus.OK, answer.text
    return took, len(answer.content)


def first_page() -> Row:
    """The sign-in and the first page with all that belongs to them, nothing of it kept by the browser."""
    with (
        TemporaryDirectory() as folder,
        SandboxProcess("--no-limits", seed=SAMPLES / "sandbox_seed.json") as sandbox,
        PageProcess(Path(folder), sandbox, limits=None, people={"ada": "approver"}) as site,
    ):
        visitor = site.visitor("ada")
        plan, _ = visitor.planned(SAMPLES / "demo.xlsx")
        visitor.ended(visitor.run_of(visitor.approve(plan)))
        cookies = dict(visitor.client.cookies)
        found = {
            name: [_loaded(site.base, path, cookies if path == "/" else {}) for _ in range(ROUNDS)]
            for name, path in (("sign-in", "/sign-in"), ("start", "/"))
        }
    said = [
        f"{name} {each[0].page / 1000:.1f} KB and {each[0].rest / 1000:.1f} KB of scripts and styles, once,"
        f" in {_ms(statistics.median(one.seconds for one in each))} (at most {_ms(max(one.seconds for one in each))})"
        for name, each in found.items()
    ]
    return Row("the first page, on loopback, nothing kept", "; ".join(said), goal="under 50 KB and 200 ms")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A page with all that it names, as it came over the wire."""

    page: int
    rest: int
    seconds: float


def _loaded(base: str, path: str, cookies: Mapping[str, str]) -> Loaded:
    with httpx.Client(base_url=base, trust_env=False, cookies=cookies, verify=TRUSTS_NOBODY) as client:
        began = time.perf_counter()
        page, text = _received(client, path)
        rest = sum(_received(client, address)[0] for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', text))
        return Loaded(page, rest, time.perf_counter() - began)


def _received(client: httpx.Client, path: str) -> tuple[int, str]:
    with client.stream("GET", path) as answer:
        body = answer.read()
        assert answer.status_code == HTTPStatus.OK, path
        return answer.num_bytes_downloaded, body.decode()


def works() -> dict[str, Callable[[], Row]]:
    return {
        "page-watchers": partial(watchers, 130),
        "page-50000": partial(large_plan, 50_000),
        "page-first": first_page,
    }
