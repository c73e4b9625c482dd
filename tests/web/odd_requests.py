"""Requests of every kind for every route: odd names, queries, forms, parts, bytes and headers, for Hypothesis."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from tests.web.page_process import PageProcess, Visitor
from tests.web.wire import Answer, ask

ROUTES: Mapping[str, str] = {
    "/": "GET",
    "/sign-in": "GET POST",
    "/sign-out": "POST",
    "/people": "GET",
    "/uploads": "POST",
    "/workbooks": "POST",
    "/plans/{plan}": "GET",
    "/plans/{plan}/decisions": "POST",
    "/plans/{plan}/kept": "POST",
    "/plans/{plan}/kept/{row:int}": "POST",
    "/plans/{plan}/approval": "GET POST",
    "/plans/{plan}/files/{name}": "GET",
    "/orders/{number:int}": "GET",
    "/orders/{number:int}/withdrawal": "POST",
    "/runs/{run}": "GET",
    "/runs/{run}/events": "GET",
    "/runs/{run}/pause": "POST",
    "/runs/{run}/stop": "GET POST",
    "/runs/{run}/resume": "POST",
    "/runs/{run}/undo": "POST",
    "/runs/{run}/files/{name}": "GET",
}
BEGINS_A_PROCESS = ("/uploads", "/workbooks", "/decisions", "/undo", "/resume")
"""What is asked of these with a good form takes seconds of the processor: seldom is enough."""
SIGNS_OUT = "/sign-out"
ODD = (
    *("", "0", "1", "-1", "1e9", "9" * 400, "٣", "None", "true", "on", "a" * 3000, "'", '"', "<b>", "{{7*7}}", "%"),
    *("..", "../..", "\x00", "\r\nset-cookie: x=1", "\u202e", "\ud7ff", "\U0001f40d", "=1+1", "1,2", "2-1", "CON"),
    *("report.csv", "report.jsonl", "about.json", "plan.key", "latest", "to_update", "conflict", "sheet", "Title"),
)
FIELDS = (
    *(
        "status",
        "field",
        "course",
        "words",
        "code",
        "page",
        "leave",
        "on_page",
        "choice-2",
        "choice-x",
        "choice-" + "9" * 30,
    ),
    *("courses", "since", "active", "format"),
    *("rail", "token", "account", "kind", "name", "password", "link", "to", "over", "back", "csrf", "sheet", ""),
)
HEADERS = {
    "HX-Request": ("true", "x"),
    "HX-Current-URL": ("http://[", "//evil.test/plans/1", "x" * 3000),
    "HX-Target": ("rows", "making", "x" * 500),
    "Accept-Encoding": ("gzip", "br;q=0, *", "\xff"),
    "Cookie": ("", "=", "; ; ;", "a=b; a=c", "x" * 4000, "\xe4=\xf6"),
    "Range": ("bytes=0-", "bytes=9-1", "bytes=a-b", "bytes=0-0,1-1,2-2"),
    "If-None-Match": ("*", '"x"'),
    "If-Modified-Since": ("yesterday",),
    "If-Range": ("x",),
    "X-Forwarded-For": ("10.0.0.1", "\xff, ,", "a" * 3000),
    "X-Forwarded-Host": ("evil.test",),
    "X-Forwarded-Proto": ("https", "ftp"),
    "Expect": ("100-continue", "x"),
    "Accept": ("application/json", "*/*;q=x"),
    "Last-Event-ID": ("9" * 50,),
}
KINDS = (
    *("application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-16", "multipart/form-data"),
    *(
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary="',
        "multipart/form-data; boundary=x; charset=nonsense",
    ),
    *("multipart/form-data; boundary=" + "x" * 300, "application/json", "text/plain; charset=\xff", "x", ""),
)
WORDS = st.sampled_from(ODD) | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@dataclass(frozen=True, slots=True)
class Form:
    """A body of pairs, to be sent with a good token of the session or without."""

    pairs: tuple[tuple[str, str], ...]
    has_token: bool


@dataclass(frozen=True, slots=True)
class Parts:
    """A body of parts: name, file name if it has one, type, content."""

    parts: tuple[tuple[str, str | None, str, bytes], ...]
    has_token: bool
    ends: bool
    """Whether the last boundary is there."""


@dataclass(frozen=True, slots=True)
class Raw:
    """Any bytes, said to be of this type."""

    kind: str
    content: bytes


Body = Form | Parts | Raw | None
PAIRS = st.lists(st.tuples(st.sampled_from(FIELDS), WORDS), max_size=6).map(tuple)
CONTENTS = st.binary(max_size=300) | st.sampled_from(
    (b"", b"Id,Title\n1,x\n", b"PK\x03\x04", b"\xff\xfe", b"x" * 70_000)
)
PARTS = st.lists(
    st.tuples(st.sampled_from(FIELDS), st.none() | WORDS, st.sampled_from(("", "text/csv", "\xff")), CONTENTS),
    max_size=4,
).map(tuple)
BODIES = st.one_of(
    st.none(),
    st.builds(Form, PAIRS, st.booleans()),
    st.builds(Parts, PARTS, st.booleans(), st.sampled_from((True, True, True, False))),
    st.builds(Raw, st.sampled_from(KINDS), st.binary(max_size=200)),
)
SENT = st.lists(
    st.sampled_from(sorted(HEADERS)).flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(HEADERS[name]))),
    max_size=3,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, before the names that there are on this very site are put in."""

    method: str
    route: str
    names: tuple[str, str]
    known: int
    """Which of the names that there are stand in the address; none of them at 0."""
    query: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    body: Body
    person: int
    is_seldom: bool
    """Whether it may begin a process."""


ASKED = st.builds(
    Asked,
    st.sampled_from((*["GET"] * 10, *["POST"] * 14, "HEAD", "HEAD", "PUT", "DELETE", "OPTIONS", "X")),
    st.sampled_from(
        (*sorted(ROUTES), "/{name}", "/static/{name}", "/static/../{name}", "//{name}", "/plans", "/runs/")
    ),
    st.tuples(WORDS, WORDS),
    st.integers(0, 2),
    PAIRS,
    SENT.map(tuple),
    BODIES,
    st.integers(0, 3),
    st.booleans(),
)


@dataclass(frozen=True, slots=True, repr=False)
class Asking:
    """A site with a plan, a run and an order on it, and one person of each kind who asks."""

    site: PageProcess
    people: tuple[Visitor, ...]
    names: Mapping[str, str]

    def address(self, asked: Asked) -> str:
        def put(found: re.Match[str]) -> str:
            kind = found[1].partition(":")[0]
            odd = asked.names[kind == "name"]
            return self.names[kind] if kind in self.names and asked.known else quote(odd, safe="")

        path = re.sub(r"\{([^}]*)\}", put, asked.route)
        return path + (f"?{urlencode(asked.query)}" if asked.query else "")

    def send(self, asked: Asked) -> Answer:
        person = self.people[asked.person]
        may_begin = not asked.route.endswith((*BEGINS_A_PROCESS, SIGNS_OUT)) or (
            asked.is_seldom and asked.route != SIGNS_OUT
        )
        cookies = "; ".join(f"{name}={value}" for name, value in person.client.cookies.items())
        headers = [("Host", self.site.base.removeprefix("http://")), ("Origin", self.site.base)]
        headers += [("Cookie", cookies)] if cookies else []
        kind, content = encoded(asked.body, person.csrf if may_begin else "")
        headers += [("Content-Type", kind)] if kind is not None else []
        return ask(self.site.base, asked.method, self.address(asked), (*headers, *asked.headers), content)


def encoded(body: Body, csrf: str) -> tuple[str | None, bytes]:
    match body:
        case Form(pairs, has_token):
            token = (("csrf", csrf),) if has_token else ()
            return "application/x-www-form-urlencoded", urlencode((*token, *pairs)).encode()
        case Parts(parts, has_token, ends):
            token_part = (("csrf", None, "", csrf.encode()),) if has_token else ()
            pieces = [_part(*each) for each in (*token_part, *parts)]
            return "multipart/form-data; boundary=edge", b"".join(pieces) + (b"--edge--\r\n" if ends else b"")
        case Raw(kind, content):
            return kind, content
        case None:
            return None, b""


def _part(name: str, file: str | None, kind: str, content: bytes) -> bytes:
    named = f'form-data; name="{name}"' + ("" if file is None else f'; filename="{file}"')
    typed = f"Content-Type: {kind}\r\n" if kind else ""
    head = f"--edge\r\nContent-Disposition: {named}\r\n{typed}\r\n"
    return head.encode("utf-8", "replace") + content + b"\r\n"
