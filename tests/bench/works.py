"""The works that are measured, by name: what each is, its goal, and how its row of the table comes about."""

import os
import sys
from collections.abc import Callable, Mapping
from functools import partial

from sync.sandbox.windows import DOCUMENTED as SERVERS_LIMITS
from sync.sandbox.windows import SlidingWindows
from sync.windows import least_makespan_s
from tests.bench.canned import CannedServer
from tests.bench.page import works as page_works
from tests.bench.parties import Parties
from tests.bench.processes import Command, at_most, medians, peak_bytes
from tests.bench.reading import works as reading_works
from tests.bench.simulated import peer_under, simulated_apply, simulated_reading
from tests.bench.table import Row, shown_mb, shown_s, shown_times, smaller, times_faster
from tests.world import DOCUMENTED

Measure = Callable[[], Row]

MANY, FEW = 5, 3
LONG = 50_000
"""From so many updates on, or a minute of waiting for the server, a run takes minutes: three rounds instead of five."""
PEER_WAITS_AT_MOST_S = 900.0
"""A peer that would wait longer than this for answers alone is not waited for."""


def opening() -> Row:
    """`--help` beside an interpreter that does nothing."""
    ours = Command((sys.executable, "-m", "sync", "--help"), os.environ)
    bare = Command((sys.executable, "-c", "pass"), os.environ)
    found = medians({"ours": ours, "bare": bare}, 21)
    return Row(
        "`coursesync --help`",
        shown_s(found["ours"].clock),
        ratio=f"{found['ours'].clock / found['bare'].clock:.2f} times a bare interpreter",
        goal="under 0.15 s, under 4 times a bare interpreter",
        floors=f"a bare interpreter {shown_s(found['bare'].clock)}",
    )


def real_clock(rows: int, latency_ms: int, goal: str = "") -> Row:
    """Every row changed under the default limits; what arrived is judged as a strict server would."""
    spans, refusals = list[float](), list[int]()
    with CannedServer(rows, latency_ms=latency_ms) as server:
        parties = Parties(server, rows, changed=True, limits=DOCUMENTED)
        ours = parties.ours(after=lambda: _judge_arrivals(server, spans, refusals))
        found = medians({"ours": ours, "peer": parties.peer()}, FEW)
    return Row(
        f"{rows:,} rows changed, default limits, {latency_ms} ms latency",
        f"{shown_times(found['ours'])}; first to last update {shown_s(max(spans))};"
        f" {sum(refusals)} throttle answers due",
        shown_times(found["peer"]),
        times_faster(found["ours"].clock, found["peer"].clock),
        goal,
        f"first to last update {shown_s(least_makespan_s(DOCUMENTED, rows))}",
    )


def _judge_arrivals(server: CannedServer, spans: list[float], refusals: list[int]) -> None:
    windows, arrivals = SlidingWindows(SERVERS_LIMITS), sorted(server.arrivals(), key=lambda arrival: arrival[1])
    sent = [at for method, at in arrivals if method == "PUT"]
    spans.append(sent[-1] - sent[0])
    refusals.append(sum(1 for method, at in arrivals if windows.judge("bench", method, at) is not None))


def simulated(rows: int, latency_ms: int, goal: str = "") -> Row:
    """Every row changed under the default limits, on the simulated clock."""
    found = simulated_apply(rows, latency_s=latency_ms / 1000)
    peer_s = peer_under(DOCUMENTED, rows, latency_s=latency_ms / 1000)
    return Row(
        f"{rows:,} rows changed, default limits, {latency_ms} ms latency, simulated clock",
        f"{shown_s(found.seconds)}; {found.throttled} throttle answers",
        f"{shown_s(peer_s)} (by its loop)",
        times_faster(found.seconds, peer_s),
        goal,
        f"least possible {shown_s(found.least_s)}: ours is {(found.ratio - 1) * 100:.2f} % above",
    )


def simulated_same(rows: int, latency_ms: int) -> Row:
    """Nothing changed under the default limits, on the simulated clock: reading is all there is to do."""
    found = simulated_reading(rows, latency_s=latency_ms / 1000)
    return Row(
        f"{rows:,} rows read, default limits, {latency_ms} ms latency, simulated clock",
        f"{shown_s(found.seconds)}, {found.requests:,} requests; {found.throttled} throttle answers",
        floors=f"least possible for as many requests {shown_s(found.least_s)}",
    )


def unthrottled(rows: int, latency_ms: int, goal: str = "", *, changed: bool) -> Row:
    """Whole processes without limits: nothing changed, or every row."""
    waits_s = rows * latency_ms / 1000 if changed else 0.0
    with CannedServer(rows, latency_ms=latency_ms) as server:
        parties = Parties(server, rows, changed=changed)
        commands = {"ours": parties.ours()}
        if waits_s <= PEER_WAITS_AT_MOST_S:
            commands |= {"peer": parties.peer(), "tuned": parties.peer(engine="calamine")}
        commands |= {"calamine": parties.floor("read")}
        if waits_s <= PEER_WAITS_AT_MOST_S:
            commands |= {"loop": parties.floor("puts" if changed else "batches")}
        found = medians(commands, FEW if rows * changed >= LONG or waits_s > 60 else MANY)
    state = "every row changed" if changed else "nothing changed"
    floors = [f"calamine alone {shown_s(found['calamine'].clock)}"]
    if "peer" not in found:
        return Row(
            f"{rows:,} rows, {state}, no limits, {latency_ms} ms latency",
            shown_times(found["ours"]),
            f"not run: waits {shown_s(waits_s)} for answers alone",
            f"at least {waits_s / found['ours'].clock:.1f} times faster",
            goal,
            floors[0],
        )
    floors.append(f"{'one PUT after another' if changed else 'batches'} alone {shown_s(found['loop'].clock)}")
    return Row(
        f"{rows:,} rows, {state}, no limits, {latency_ms} ms latency",
        shown_times(found["ours"]),
        f"{shown_times(found['peer'])} (read by calamine: {shown_times(found['tuned'])})",
        f"{times_faster(found['ours'].clock, found['peer'].clock)};"
        f" processor {found['peer'].processor / found['ours'].processor:.2f}",
        goal,
        "; ".join(floors),
    )


def memory(rows: int) -> Row:
    """The most memory of all processes together, nothing changed, without limits."""
    with CannedServer(rows) as server:
        parties = Parties(server, rows, changed=False)
        rounds = at_most(MANY)
        ours = max(peak_bytes(parties.ours()) for _ in range(rounds))
        peer = max(peak_bytes(parties.peer()) for _ in range(rounds))
    return Row(
        f"{rows:,} rows, nothing changed: peak memory of all processes",
        shown_mb(ours),
        shown_mb(peer),
        smaller(ours, peer),
        "no more than the peer's",
    )


ROWS = (1_000, 10_000, 100_000)
LATENCIES_MS = (0, 50, 200)
GOALS: Mapping[str, str] = {
    "throttled-60-200": "6 times faster",
    "simulated-1000-200": "within 1 % of the least possible, no throttle answer",
    "same-10000-0": "2.5 times faster",
    "same-100000-0": "6 times faster",
    "changed-1000-50": "5 times faster",
    "changed-10000-0": "not slower",
}


def works() -> dict[str, Measure]:
    """Every work by its name, in the order of the table; those with a goal come first."""
    found: dict[str, Measure] = {
        "help": opening,
        "throttled-60-200": partial(real_clock, 60, 200),
        "throttled-130-0": partial(real_clock, 130, 0),
        "throttled-130-50": partial(real_clock, 130, 50),
        "throttled-130-200": partial(real_clock, 130, 200),
    }
    for rows in ROWS:
        for latency_ms in LATENCIES_MS:
            size = f"{rows}-{latency_ms}"
            found[f"same-{size}"] = partial(unthrottled, rows, latency_ms, changed=False)
            found[f"changed-{size}"] = partial(unthrottled, rows, latency_ms, changed=True)
            found[f"simulated-{size}"] = partial(simulated, rows, latency_ms)
            found[f"simulated-same-{size}"] = partial(simulated_same, rows, latency_ms)
    found["memory-100000"] = partial(memory, 100_000)
    with_goal = {name: partial(found[name], goal=goal) for name, goal in GOALS.items()}
    first = {"help": opening} | with_goal | {"memory-100000": found["memory-100000"]} | reading_works() | page_works()
    return first | {name: measure for name, measure in found.items() if name not in first}
