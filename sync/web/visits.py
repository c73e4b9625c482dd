"""One request of one person: who it is, whether that is allowed, whether the form is ours; then the page's own code."""

import errno
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from sync.adapters.store import Store
from sync.section import Json
from sync.web.access import Person, Role
from sync.web.site import Site

FIELDS: Final = 200
"""Fields of one form."""
DIGITS: Final = 7
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What the system says where a file cannot grow: a large upload is kept in one before anybody has looked at it."""
FIELD_BYTES: Final = 64_000
_PLACES: Final = re.compile(r"/people|/(?:plans|runs|orders)/[0-9A-Za-z-]+(?:/approval)?")


@dataclass(slots=True)
class Visit:
    """What a page is asked with; its store is there to look at, and closed afterwards."""

    site: Site
    request: Request
    store: Store
    person: Person
    form: FormData

    @property
    def address(self) -> str:
        """Where the request comes from."""
        return address_of(self.request)

    def word(self, name: str, default: str = "") -> str:
        """A word of the address's query."""
        return self.request.query_params.get(name, default)

    def path(self, name: str) -> str:
        """A word of the address itself."""
        return str(self.request.path_params[name])

    def numbers(self, name: str) -> set[int]:
        """All fields of this name that are numbers of rows."""
        return {int(value) for value in self.fields(name) if is_number(value)}

    def number(self, name: str) -> int:
        """A number of the address itself.

        Raises:
            HTTPException: there is nothing of so large a number.
        """
        value = str(self.request.path_params[name])
        if not is_number(value):
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return int(value)

    def field(self, name: str) -> str:
        """A field of the form; empty where it is not there, or is a file."""
        value = self.form.get(name)
        return value if isinstance(value, str) else ""

    def fields(self, name: str) -> list[str]:
        """All fields of this name."""
        return [value for value in self.form.getlist(name) if isinstance(value, str)]

    def page(
        self, template: str, facts: Mapping[str, object] | None = None, /, *, status: int = 200, **more: object
    ) -> HTMLResponse:
        """Answer with a page."""
        return HTMLResponse(
            self.site.rendering.page(template, person=self.person, **(facts or {}), **more), status_code=status
        )

    def note(self, action: str, *, run_id: str | None = None, **facts: Json) -> None:
        """Add to the audit log what this person did."""
        self.site.note(self.person, action, address=self.address, run_id=run_id, **facts)


Page = Callable[[Visit], Response]
Endpoint = Callable[[Request], Awaitable[Response]]


def is_number(word: str) -> bool:
    """Whether this is a whole number that a row, a page or an order may have."""
    return word.isdecimal() and len(word) <= DIGITS


def address_of(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client is not None else ""


def page(site: Site, role: Role, function: Page) -> Endpoint:
    """Make of `function` what answers requests of people of at least this role."""

    async def answer(request: Request) -> Response:
        person = await run_in_threadpool(person_of, site, request)
        if person is None:
            return turned_away(site, request)
        if person.role < role:
            raise HTTPException(HTTPStatus.FORBIDDEN)
        form = FormData()
        try:
            if request.method == "POST":
                form = await request.form(max_files=1, max_fields=FIELDS, max_part_size=FIELD_BYTES)
                if form.get("csrf") != person.csrf:
                    raise HTTPException(HTTPStatus.FORBIDDEN, detail="error.form")
            return await run_in_threadpool(_answered, site, request, person, form, function)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            raise HTTPException(HTTPStatus.INSUFFICIENT_STORAGE, detail="error.room") from error
        finally:
            await form.close()

    return answer


def _answered(site: Site, request: Request, person: Person, form: FormData, function: Page) -> Response:
    with closing(site.access.reading()) as store:
        return function(Visit(site, request, store, person, form))


def person_of(site: Site, request: Request) -> Person | None:
    """Who has sent this request."""
    with closing(site.access.reading()) as store:
        return site.access.person(store, request.cookies.get(site.cookie))


def turned_away(site: Site, request: Request) -> Response:
    """Nobody is signed in, or not any more: a page leads to the sign-in and back, a piece of one says so."""
    is_piece = request.headers.get("hx-request") == "true"
    path = request.url.path
    if request.method != "GET":
        if not is_piece:
            raise HTTPException(HTTPStatus.UNAUTHORIZED)
        path = _path_of(request.headers.get("hx-current-url", ""))
    words = {"over": "1"} if site.cookie in request.cookies else {}
    words |= {"to": place} if (place := place_of(path)) else {}
    address = f"/sign-in?{urlencode(words)}" if words else "/sign-in"
    if is_piece:
        return Response(status_code=HTTPStatus.UNAUTHORIZED, headers={"HX-Redirect": address})
    return RedirectResponse(address, status_code=HTTPStatus.SEE_OTHER)


def _path_of(address: str) -> str:
    with suppress(ValueError):
        return urlsplit(address).path
    return ""


def place_of(path: str) -> str:
    """A page of ours to come back to after the sign-in; empty for any other address, and for the first page."""
    return path if _PLACES.fullmatch(path) else ""


def to(address: str) -> Response:
    """Lead the browser on after a form was taken."""
    return RedirectResponse(address, status_code=HTTPStatus.SEE_OTHER)
