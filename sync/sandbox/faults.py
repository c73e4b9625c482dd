"""The fault script: which requests go wrong, and how; values only, nothing here touches a record or a socket."""

import json
from collections.abc import Sequence
from dataclasses import field
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from sync.sandbox.options import Seconds, StatusCode

_STRICT: Final = ConfigDict(extra="forbid")
Bytes: TypeAlias = Annotated[int, Field(ge=0, le=2**40)]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Match:
    """Which requests a rule is for; what is left out matches all of them."""

    method: str | None = None
    path_prefix: str | None = None
    id: int | None = None
    """Among the ids of the request: in its body, its path or its batch."""
    nth: Annotated[int | None, Field(ge=1)] = None
    """Only the k-th request that matches the rest."""
    from_nth: Annotated[int, Field(ge=1)] = 1
    every: Annotated[int, Field(ge=1)] = 1
    """Of those, the first and then each k-th."""
    times: Annotated[int | None, Field(ge=0)] = None
    """At most so often."""


@dataclass(frozen=True, slots=True, config=_STRICT)
class Status:
    """Answer with this status and body."""

    status: StatusCode
    action: Literal["status"] = "status"
    body: str = ""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    reason: str | None = None
    applied: bool = False


@dataclass(frozen=True, slots=True, config=_STRICT)
class LoseAnswer:
    """Carry the request out, then lose the answer on its way."""

    action: Literal["lose_answer"] = "lose_answer"
    mode: Literal["close", "reset", "hang", "truncate", "slow"] = "close"
    seconds: Seconds = 30
    """How long `hang` keeps silent before it closes."""
    bytes: Bytes = 10
    """How much of the body `truncate` sends."""
    bytes_per_s: Annotated[float, Field(gt=0)] = 10
    """How fast `slow` sends the body."""
    applied: bool = True


@dataclass(frozen=True, slots=True, config=_STRICT)
class LoseRequest:
    """Let the request never reach the records, and answer nothing."""

    action: Literal["lose_request"] = "lose_request"
    mode: Literal["close", "reset", "hang"] = "close"
    seconds: Seconds = 30
    applied: Literal[False] = False


@dataclass(frozen=True, slots=True, config=_STRICT)
class ApplyLate:
    """Answer nothing, and carry the request out some seconds later."""

    seconds: Seconds
    action: Literal["apply_late"] = "apply_late"
    mode: Literal["close", "reset", "hang"] = "close"
    hang_s: Seconds = 30
    applied: Literal[False] = False
    """Not while the request is handled."""


@dataclass(frozen=True, slots=True, config=_STRICT)
class Html:
    """Answer 200 with the HTML of a sign-in page."""

    action: Literal["html"] = "html"
    applied: bool = False


@dataclass(frozen=True, slots=True, config=_STRICT)
class Empty:
    """Answer 200 with an empty body."""

    action: Literal["empty"] = "empty"
    applied: bool = True


@dataclass(frozen=True, slots=True, config=_STRICT)
class HalfJson:
    """Answer with the first half of the body, as if it were all."""

    action: Literal["half_json"] = "half_json"
    applied: bool = True


@dataclass(frozen=True, slots=True, config=_STRICT)
class WrongId:
    """Answer about another Id: the one given, or the next."""

    action: Literal["wrong_id"] = "wrong_id"
    id: int | None = None
    applied: bool = True


@dataclass(frozen=True, slots=True, config=_STRICT)
class WrongContentType:
    """Answer rightly, under a wrong content type."""

    action: Literal["wrong_content_type"] = "wrong_content_type"
    content_type: str = "text/plain"
    applied: bool = True


@dataclass(frozen=True, slots=True, config=_STRICT)
class NotSuccessful:
    """Answer 200 with WasSuccessful false."""

    action: Literal["not_successful"] = "not_successful"
    message: str = "The record was not saved."
    errors: tuple[dict[str, object], ...] | None = None
    """`Errors` as sent; null when not given."""
    applied: bool = False


@dataclass(frozen=True, slots=True, config=_STRICT)
class Huge:
    """Answer 200 with a body of so many bytes, streamed."""

    action: Literal["huge"] = "huge"
    bytes: Bytes = 2**26
    applied: bool = True


@dataclass(frozen=True, slots=True, config=_STRICT)
class GzipBomb:
    """Answer 200 with a small gzip body that inflates to so many bytes."""

    action: Literal["gzip_bomb"] = "gzip_bomb"
    bytes: Bytes = 2**28
    applied: bool = True


@dataclass(frozen=True, slots=True, config=_STRICT)
class Redirect:
    """Send the caller elsewhere."""

    location: str
    action: Literal["redirect"] = "redirect"
    status: Annotated[int, Field(ge=300, le=399)] = HTTPStatus.FOUND
    applied: bool = False


@dataclass(frozen=True, slots=True, config=_STRICT)
class Throttle:
    """Answer as to one request too many."""

    action: Literal["throttle"] = "throttle"
    status: StatusCode = HTTPStatus.CONFLICT
    retry_after: str | tuple[str, ...] | None = "1"
    """The header word for word; a list sends several, null none."""
    applied: Literal[False] = False


@dataclass(frozen=True, slots=True, config=_STRICT)
class ShortPage:
    """Leave the last records out of a page or batch, totals untouched."""

    action: Literal["short_page"] = "short_page"
    drop: Annotated[int, Field(ge=1)] = 1
    applied: bool = True


@dataclass(frozen=True, slots=True, config=_STRICT)
class DuplicatePage:
    """Serve the records of the page before under the number asked for."""

    action: Literal["duplicate_page"] = "duplicate_page"
    applied: bool = True


@dataclass(frozen=True, slots=True, config=_STRICT)
class WrongTotal:
    """Say a wrong TotalItems."""

    action: Literal["wrong_total"] = "wrong_total"
    by: int = 1
    applied: bool = True


@dataclass(frozen=True, slots=True, config=_STRICT)
class IgnoreFilter:
    """Serve every record, whatever filter or ids were asked for."""

    action: Literal["ignore_filter"] = "ignore_filter"
    applied: bool = True


@dataclass(frozen=True, slots=True, config=_STRICT)
class EmptyList:
    """Say that there is nothing, with status 200."""

    action: Literal["empty_list"] = "empty_list"
    applied: bool = True


@dataclass(frozen=True, slots=True, config=_STRICT)
class Delay:
    """Hold the answer back; the record changes when it would have."""

    seconds: Seconds
    action: Literal["delay"] = "delay"


@dataclass(frozen=True, slots=True, config=_STRICT)
class EditRecord:
    """Let another person edit a record, just before or after the request is handled."""

    fields: dict[str, object]
    action: Literal["edit_record"] = "edit_record"
    id: int | None = None
    """The request's own when not given."""
    when: Literal["before", "after"] = "before"
    by: str = "someone@else.example"


@dataclass(frozen=True, slots=True, config=_STRICT)
class DeleteRecord:
    """Let another person delete a record, just before or after the request is handled."""

    action: Literal["delete_record"] = "delete_record"
    id: int | None = None
    when: Literal["before", "after"] = "before"
    by: str = "someone@else.example"


SideEffect: TypeAlias = Delay | EditRecord | DeleteRecord
"""All that match happen, and the request goes on to the next rule."""

Reply: TypeAlias = (
    Status
    | LoseAnswer
    | LoseRequest
    | ApplyLate
    | Html
    | Empty
    | HalfJson
    | WrongId
    | WrongContentType
    | NotSuccessful
    | Huge
    | GzipBomb
    | Redirect
    | Throttle
    | ShortPage
    | DuplicatePage
    | WrongTotal
    | IgnoreFilter
    | EmptyList
)
"""The first that matches decides the answer."""

Action: TypeAlias = Annotated[Reply | SideEffect, Field(discriminator="action")]


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a script."""

    match: Match
    action: Action


@dataclass(frozen=True, slots=True)
class Fired:
    """What goes wrong with one request."""

    reply: Reply | None = None
    effects: tuple[SideEffect, ...] = field(default=())

    @property
    def name(self) -> str | None:
        """The names of the actions, joined by `+`; None when nothing goes wrong."""
        names = [effect.action for effect in self.effects] + ([self.reply.action] if self.reply else [])
        return "+".join(names) or None


class FaultScript:
    """Counts the requests that match each rule, and says which fire."""

    def __init__(self, rules: Sequence[Rule] = ()) -> None:
        """Start with nothing matched yet."""
        self._rules = tuple(rules)
        self._matched = [0] * len(self._rules)
        self._fired = [0] * len(self._rules)

    def fire(self, method: str, path: str, ids: Sequence[int]) -> Fired:
        """Take one request through all rules, in order."""
        effects: list[SideEffect] = []
        reply: Reply | None = None
        for index, rule in enumerate(self._rules):
            if not _matches(rule.match, method, path, ids):
                continue
            self._matched[index] += 1
            if not self._due(index):
                continue
            match rule.action:
                case Delay() | EditRecord() | DeleteRecord() as effect:
                    effects.append(effect)
                case _ if reply is not None:
                    continue
                case answer:
                    reply = answer
            self._fired[index] += 1
        return Fired(reply, tuple(effects))

    def _due(self, index: int) -> bool:
        match, count = self._rules[index].match, self._matched[index]
        if match.times is not None and self._fired[index] >= match.times:
            return False
        if match.nth is not None:
            return count == match.nth
        return count >= match.from_nth and (count - match.from_nth) % match.every == 0


_RULE_LIST: Final = TypeAdapter(list[Rule])


def parse(document: object) -> list[Rule]:
    """Read a script: a list of `{"match": {…}, "action": NAME, …parameters}`.

    Raises:
        ValueError: an unknown action or parameter, or a wrong value.
    """
    match document:
        case list() as rules:
            return _RULE_LIST.validate_python([_nested(rule) for rule in rules])
        case _:
            raise ValueError("a fault script is a list of rules")


def load(path: Path) -> list[Rule]:
    """Read a script from a file.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no script.
    """
    return parse(json.loads(path.read_bytes()))


def _nested(rule: object) -> object:
    if not isinstance(rule, dict):
        return rule
    action = {name: value for name, value in rule.items() if name != "match"}
    return {"match": rule.get("match", {}), "action": action}


def _matches(match: Match, method: str, path: str, ids: Sequence[int]) -> bool:
    return (
        (match.method is None or match.method.upper() == method)
        and (match.path_prefix is None or path.startswith(match.path_prefix))
        and (match.id is None or match.id in ids)
    )
