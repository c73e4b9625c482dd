"""A server in memory that answers as the API does, judges its limits strictly, and obeys a script of faults.

A request arrives half a latency after it left, its answer comes back half a latency later, people edit in between. The
windows are judged by the code of the sandbox, which shares none with ours.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from sync.exchange import (
    Absent,
    Accepted,
    Answer,
    ApiError,
    Forbidden,
    Misdirected,
    NotDelivered,
    OneRecord,
    Put,
    ReadBatch,
    ReadOne,
    Records,
    Refused,
    Request,
    Throttled,
    Unauthorised,
    Unheard,
)
from sync.model import SectionId
from sync.sandbox.windows import Limit, SlidingWindows
from sync.section import BY_NAME, Json, Record
from tests.simulated_time import Timeline

SERVERS_OWN = frozenset({"UpdatedOn", "UpdatedBy", "CreatedOn", "UniqueId", "CourseTitle", "ImageFileName", "IsNew"})
ROBOT = "robot@space.example"


@dataclass(slots=True)
class Fault:
    """One line of the server's script: what happens to the next `times` requests that it fits."""

    kind: str
    """`undelivered` (never arrives); `lost`, `broken` (5xx), and the same `_applied`; `late` (applied after `delay_s`);
    `slow`, `throttle`, `refuse`, `gone`, `unauthorised`, `forbidden`, `misdirected`, `odd` (the answer to a read);
    `strange` (words that mean nothing to us); `ignore` (accepted, not stored), `partial` (a record that lacks a field),
    `edit` (somebody writes just before)."""
    of: str = "put"
    """`put`, `read` or `any`."""
    id: int | None = None
    skip: int = 0
    """So many fitting requests pass before."""
    times: float = 1
    retry_after_s: float | None = None
    errors: tuple[ApiError, ...] = (ApiError("Title", "is taken"),)
    http_status: int = 500
    said: str | None = None
    """The `Message` of a `strange` answer."""
    fields: Mapping[str, Json] = field(default_factory=dict)
    """What a human writes, for `edit`."""
    delay_s: float = 30.0
    """When a late PUT is applied, or a lost answer given up, after the request's arrival."""

    def fits(self, request: Request) -> bool:
        put = isinstance(request, Put)
        if self.of != "any" and put != (self.of == "put"):
            return False
        return self.id is None or self.id in ids_of(request)


@dataclass(frozen=True, slots=True)
class Served:
    """A request as the server saw it."""

    request: Request
    sent_at: float
    at: float
    answer: Answer
    answered_at: float
    applied: bool = False

    @property
    def surely_not_applied(self) -> bool:
        """Whether the answer alone says so."""
        return isinstance(self.answer, Throttled | NotDelivered | Unauthorised | Forbidden | Refused | Misdirected)


def ids_of(request: Request) -> tuple[int, ...]:
    match request:
        case ReadBatch(ids=ids):
            return ids
        case ReadOne(id=section_id) | Put(id=section_id):
            return (section_id,)
        case _:
            return ()


def section(section_id: int, /, **fields: Json) -> dict[str, Json]:
    """A full record, with a field that no page names."""
    record: dict[str, Json] = dict.fromkeys(BY_NAME)
    record |= {
        "Id": section_id,
        "CourseId": 7,
        "Title": f"Section {section_id}",
        "DisplayOrder": section_id,
        "UnlockType": 1,
        "UnlockAfterDays": 0,
        "SectionContents": "<p>Old</p>",
        "Active": True,
        "UniqueId": f"unique-{section_id}",
        "UpdatedOn": "2026-01-01T00:00:00Z",
        "UpdatedBy": "someone@space.example",
        "Unknown": {"kept": [section_id, None]},
    }
    return record | fields


class SimulatedServer:
    """The records, the limits, the script of faults, and everything that was asked."""

    def __init__(
        self,
        timeline: Timeline,
        records: Sequence[Record],
        *,
        limits: Sequence[Limit] = (),
        latency_s: float = 0.2,
        jitter: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """`jitter` gives seconds that an answer takes longer."""
        self.timeline = timeline
        self.records: dict[int, dict[str, Json]] = {int(str(record["Id"])): dict(record) for record in records}
        self.script: list[Fault] = []
        self.seen: list[Served] = []
        self.latency_s, self.jitter = latency_s, jitter
        self.batch_at_most: int | None = None
        self.rewrite: Callable[[str, Json], Json] = lambda _, value: value
        self.history: list[tuple[float, int, str, Record]] = []
        """Every change: when, which section, by whom, and the record after it."""
        self.effects: list[Put] = []
        """Every PUT that was applied, each as often as it was, whether its answer was heard or not."""
        self.token_generation = 1
        """Tokens of earlier generations are not accepted."""
        self._windows = SlidingWindows(limits)
        self._versions = count(1)

    @property
    def puts(self) -> list[Served]:
        return [served for served in self.seen if isinstance(served.request, Put)]

    @property
    def reads(self) -> list[Served]:
        return [served for served in self.seen if not isinstance(served.request, Put)]

    @property
    def throttled(self) -> list[Served]:
        return [served for served in self.seen if isinstance(served.answer, Throttled)]

    def puts_of(self, section_id: int) -> list[Served]:
        return [served for served in self.puts if section_id in ids_of(served.request)]

    def edit(self, section_id: int, /, **fields: Json) -> None:
        """Change a record as another person would."""
        self._store(section_id, fields, by="a.person@space.example")

    def edit_at(self, moment: float, section_id: int, /, **fields: Json) -> None:
        self.timeline.at(moment, lambda: self.edit(section_id, **fields))

    def take(self, request: Request, sent_at: float, token: int, hear: Callable[[Answer], None]) -> None:
        """Let `request` travel; `hear` is called when its answer, or the end of all hope, arrives at the client."""
        self.timeline.at(sent_at + self.latency_s / 2, lambda: self._arrive(request, sent_at, token, hear))

    def _arrive(self, request: Request, sent_at: float, token: int, hear: Callable[[Answer], None]) -> None:
        now = self.timeline.clock.now
        answer, applied, takes_s = self._judge(request, token)
        answered_at = now + takes_s + self.latency_s / 2 + self.jitter()
        self.seen.append(Served(request, sent_at, now, answer, answered_at, applied))
        self.timeline.at(answered_at, lambda: hear(answer))

    def _judge(self, request: Request, token: int) -> tuple[Answer, bool, float]:
        """The answer, whether a PUT was applied, and how long the server takes."""
        fault = self._next_fault(request)
        if fault is not None and fault.kind == "undelivered":
            return NotDelivered("connection refused"), False, 0.0
        method = "PUT" if isinstance(request, Put) else "GET"
        refusal = self._windows.judge("me", method, self.timeline.clock.now)
        if refusal is not None:
            return Throttled(float(refusal.retry_after), 429), False, 0.0
        if token < self.token_generation:
            return Unauthorised(token), False, 0.0
        if fault is not None and fault.kind == "unauthorised":
            return Unauthorised(token), False, 0.0
        if fault is not None and (told := self._answer(fault, request)) is not None:
            return told
        return self._well(request)

    def _next_fault(self, request: Request) -> Fault | None:
        for fault in self.script:
            if fault.times > 0 and fault.fits(request):
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                return fault
        return None

    def _answer(self, fault: Fault, request: Request) -> tuple[Answer, bool, float] | None:
        """What the script has for this request; `None` where it goes its way after all."""
        match fault.kind:
            case "lost":
                return Unheard("read time-out"), False, fault.delay_s
            case "lost_applied":
                return Unheard("read time-out"), self._well(request)[1], fault.delay_s
            case "late":
                self.timeline.at(self.timeline.clock.now + fault.delay_s, lambda: self._well(request))
                return Unheard("read time-out"), False, 0.0
            case "broken_applied":
                return Unheard("server error", fault.http_status), self._well(request)[1], 0.0
            case "slow":
                answer, applied, _ = self._well(request)
                return answer, applied, fault.delay_s
            case "partial" if isinstance(request, ReadBatch | ReadOne):
                short = {name: value for name, value in self.records[ids_of(request)[0]].items() if name != "SystemId"}
                return (Records((short,)) if isinstance(request, ReadBatch) else OneRecord(short)), False, 0.0
            case "ignore" if isinstance(request, Put):
                return self._accepted(request.id), False, 0.0
            case "edit":
                for section_id in [fault.id] if fault.id is not None else ids_of(request):
                    self.edit(section_id, **fault.fields)
                return None
            case _:
                return self._refusal(fault), False, 0.0

    def _refusal(self, fault: Fault) -> Answer:
        answers: Mapping[str, Answer] = {
            "throttle": Throttled(fault.retry_after_s, 409),
            "broken": Unheard("server error", fault.http_status),
            "refuse": Refused(fault.errors, 400, "api.rejected"),
            "gone": Refused((), 404, "api.not_found"),
            "forbidden": Forbidden(),
            "misdirected": Misdirected("it redirects (302)"),
            "odd": Records(()),
            "strange": Unheard("an answer that is not the documented success", 200, fault.said),
        }
        return answers[fault.kind]

    def _well(self, request: Request) -> tuple[Answer, bool, float]:
        match request:
            case ReadBatch(ids=ids):
                known = [dict(self.records[section_id]) for section_id in ids if section_id in self.records]
                return Records(tuple(known[: self.batch_at_most])), False, 0.0
            case ReadOne(id=section_id):
                record = self.records.get(section_id)
                return (Absent(section_id) if record is None else OneRecord(dict(record))), False, 0.0
            case Put(id=section_id, body=body):
                if section_id not in self.records:
                    return Refused((), 404, "api.not_found"), False, 0.0
                written = {name: value for name, value in body.items() if name not in SERVERS_OWN}
                self._store(section_id, written, by=ROBOT)
                self.effects.append(request)
                return self._accepted(section_id), True, 0.0
            case _:
                raise TypeError(request)

    def _accepted(self, section_id: SectionId) -> Accepted:
        record = self.records[section_id]
        return Accepted(section_id, str(record["UpdatedOn"]), str(record["UpdatedBy"]), 200)

    def _store(self, section_id: int, fields: Mapping[str, Json], *, by: str) -> None:
        record = self.records[section_id]
        record |= {name: self.rewrite(name, value) for name, value in fields.items()}
        record |= {"UpdatedOn": f"2026-03-02T00:00:00.{next(self._versions):06}Z", "UpdatedBy": by}
        self.history.append((self.timeline.clock.now, section_id, by, dict(record)))
