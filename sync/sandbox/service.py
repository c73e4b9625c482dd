"""One sandbox: takes a request through limits, faults and records, logs it, and says how its answer travels."""

import asyncio
import hashlib
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request

from sync.sandbox import answers, distortion, faults, seed
from sync.sandbox.answers import Answer
from sync.sandbox.distortion import Cut, Truncated
from sync.sandbox.endpoints import TOKEN, Call, Endpoints, Outcome, ids_of
from sync.sandbox.options import SandboxOptions
from sync.sandbox.records import RecordStore
from sync.sandbox.requestlog import Entry, RequestLog
from sync.sandbox.tokens import GrantRequest, TokenDesk
from sync.sandbox.windows import SlidingWindows, Throttled
from sync.sandbox.wire import Sending, pause


@dataclass(frozen=True, slots=True)
class Clock:
    """The server's two clocks, in seconds."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time


class Sandbox:
    """The state of one server; everything happens on one event loop, so nothing races."""

    def __init__(self, options: SandboxOptions, clock: Clock | None = None) -> None:
        """Read seed and fault script, and open the log.

        Raises:
            OSError: a file cannot be read or written.
            ValueError: seed or fault script is malformed.
        """
        self.clock: Final = clock or Clock()
        self._first_options = options
        self._first_rules = faults.load(options.faults) if options.faults else []
        first = seed.load(options.seed) if options.seed else seed.BUILT_IN
        self.store: Final = RecordStore(first, lambda: datetime.fromtimestamp(self.clock.wall(), UTC))
        self.log: Final = RequestLog(options.log)
        self.closing: Final = asyncio.Event()
        self._count = 0
        self._late: set[asyncio.Task[None]] = set()
        self._options = options
        self._start_over(options)

    @property
    def options(self) -> SandboxOptions:
        """The switches in force."""
        return self._options

    def set_options(self, options: SandboxOptions) -> None:
        """Put other switches in force; limits that changed start with empty windows."""
        before, self._options = self._options, options
        if _limit_settings(before) != _limit_settings(options):
            self._windows = _windows(options)

    def set_rules(self, rules: Sequence[faults.Rule]) -> None:
        """Replace the fault script; its counting starts anew."""
        self._script = faults.FaultScript(rules)

    def reset(self) -> None:
        """Be as at the start: seed, switches, fault script, empty windows, no tokens, an empty log in memory."""
        for task in self._late:
            task.cancel()
        self.store.reset()
        self.log.clear()
        self._start_over(self._first_options)

    def close(self) -> None:
        """End what waits and close the log."""
        self.closing.set()
        for task in self._late:
            task.cancel()
        self.log.close()

    async def answer(self, request: Request) -> Sending:
        """Take one request all the way to the decision how it is answered."""
        arrived = float(request.scope["state"]["arrived"])
        arrived_wall = self.clock.wall() - (self.clock.monotonic() - arrived)
        self._count += 1
        entry = _entry(self._count, request, arrived, arrived_wall)
        refusal = self._judge(request, arrived)
        try:
            raw = await request.body()
        except ClientDisconnect:
            entry.lost = True
            self._decided(entry)
            return Sending(Answer(0), Cut(), self.closing)
        call = _call(request, raw)
        entry.ids = list(call.ids)
        if request.method == "PUT":
            entry.body, entry.body_sha256 = call.body, hashlib.sha256(raw).hexdigest()
            entry.id = call.ids[0] if call.ids else None
        if refusal:
            return await self._throttle(entry, refusal)
        return await self._serve(entry, call)

    async def _throttle(self, entry: Entry, refusal: Throttled) -> Sending:
        options = self._options
        decided = answers.throttled(
            refusal, options.throttle_status, verbatim=options.retry_after, silent=options.no_retry_after
        )
        entry.throttled, entry.window, entry.status = True, str(refusal.limit), decided.status
        self._decided(entry)
        await pause(self.closing, self._latency())
        return Sending(decided, distortion.Whole(), self.closing)

    async def _serve(self, entry: Entry, call: Call) -> Sending:
        options = self._options
        fired = self._script.fire(call.method, call.path, call.ids)
        entry.fault = fired.name
        latency = self._latency()
        first_part = latency if options.apply_at == "end" else options.latency_ms / 2000
        await pause(self.closing, first_part)

        self._meddle(fired, "before", call)
        answer = self._apply(entry, call, fired.reply)
        self._meddle(fired, "after", call)

        if isinstance(fired.reply, faults.GzipBomb):
            answer = await asyncio.to_thread(distortion.distorted, fired.reply, answer)
        else:
            answer = distortion.distorted(fired.reply, answer)
        travel = distortion.delivery(fired.reply)
        entry.lost = isinstance(travel, Cut | Truncated)
        silent = isinstance(fired.reply, faults.LoseRequest | faults.ApplyLate)
        entry.status = None if silent else answer.status
        if isinstance(fired.reply, faults.Throttle):
            entry.throttled, entry.window = True, "fault"
        self._decided(entry, late=fired.reply if isinstance(fired.reply, faults.ApplyLate) else None, call=call)

        held = sum(effect.seconds for effect in fired.effects if isinstance(effect, faults.Delay))
        await pause(self.closing, latency - first_part + held)
        return Sending(answer, travel, self.closing)

    def _apply(self, entry: Entry, call: Call, reply: faults.Reply | None) -> Answer:
        if call.method == "PUT" and entry.id is not None:
            entry.before = self.store.sections.get(entry.id)
        if reply is not None and not reply.applied:
            return Answer(200)
        outcome = self._endpoints.handle(call, self._options, distortion.reading(reply))
        _note(entry, outcome)
        return outcome.answer

    def _meddle(self, fired: faults.Fired, when: str, call: Call) -> None:
        """Let other people do what the fault script says they do."""
        for effect in fired.effects:
            if isinstance(effect, faults.Delay) or effect.when != when:
                continue
            target = effect.id if effect.id is not None else next(iter(call.ids), None)
            if target is None or target not in self.store.sections:
                continue
            if isinstance(effect, faults.EditRecord):
                self.store.edit(target, effect.fields, effect.by)
            else:
                self.store.delete(target, effect.by)

    def _decided(self, entry: Entry, *, late: faults.ApplyLate | None = None, call: Call | None = None) -> None:
        entry.answered_wall = self.clock.wall()
        if late is None or call is None:
            self.log.record(entry)
            return
        self.log.record_pending(entry)
        task = asyncio.create_task(self._apply_later(entry, call, late.seconds))
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _apply_later(self, entry: Entry, call: Call, seconds: float) -> None:
        try:
            await asyncio.sleep(seconds)
            self._apply(entry, call, None)
        finally:
            self.log.settled(entry)

    def _judge(self, request: Request, arrived: float) -> Throttled | None:
        options = self._options
        identity = self._desk.identify(request.headers.get("authorization"), options)
        if request.url.path.rstrip("/") == TOKEN:
            key = options.user if options.limit_sign_in else None
        elif identity:
            key = identity.client_id if options.limit_per == "client" else identity.user
        else:
            key = None
        return None if key is None else self._windows.judge(key, request.method, arrived)

    def _latency(self) -> float:
        options = self._options
        return (options.latency_ms + self._random.uniform(0, options.jitter_ms)) / 1000

    def expire_tokens(self) -> None:
        """Let every access token handed out so far expire now."""
        self._desk.expire_access()

    def _start_over(self, options: SandboxOptions) -> None:
        self._options = options
        self._random = random.Random(options.seed_random)  # noqa: S311 -- jitter, repeatable
        self._windows = _windows(options)
        self._desk = TokenDesk(self.clock.monotonic)
        self._endpoints = Endpoints(self.store, self._desk)
        self._script = faults.FaultScript(self._first_rules)


def _windows(options: SandboxOptions) -> SlidingWindows:
    return SlidingWindows(options.limits, time_scale=options.time_scale, count_throttled=options.count_throttled)


def _limit_settings(options: SandboxOptions) -> tuple[object, ...]:
    return (options.limits, options.time_scale, options.count_throttled, options.limit_per)


def _entry(number: int, request: Request, arrived: float, arrived_wall: float) -> Entry:
    path = request.url.path
    return Entry(
        n=number,
        method=request.method,
        path=path,
        query="" if path.rstrip("/") == TOKEN else request.url.query,
        ids=[],
        arrived=arrived,
        arrived_wall=arrived_wall,
        user_agent=request.headers.get("user-agent"),
        has_token="authorization" in request.headers,
    )


def _call(request: Request, raw: bytes) -> Call:
    path, query = request.url.path, dict(request.query_params)
    is_grant = path.rstrip("/") == TOKEN
    body = None if is_grant or request.method != "PUT" else _json(raw)
    return Call(
        method=request.method,
        path=path,
        query=query,
        body=body,
        accept=request.headers.get("accept", ""),
        authorization=request.headers.get("authorization"),
        grant=_grant(request, raw) if is_grant else None,
        ids=ids_of(path, query, body),
    )


def _grant(request: Request, raw: bytes) -> GrantRequest:
    form = {name: values[-1] for name, values in parse_qs(raw.decode("utf-8", "replace")).items()}
    return GrantRequest(request.headers.get("content-type", ""), form, request.headers.get("client_id"))


def _json(raw: bytes) -> object:
    try:
        return json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def _note(entry: Entry, outcome: Outcome) -> None:
    if outcome.change:
        entry.applied, entry.change = True, outcome.change.number
        entry.before, entry.after = outcome.change.before, outcome.change.after
        entry.updated_on = (outcome.change.after or {}).get("UpdatedOn")
