"""The sign-in page: the one-time link, or name and password; and the way out."""

from collections.abc import Mapping
from contextlib import closing
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from sync.adapters.store import open_store
from sync.web.access import LONGEST_S
from sync.web.site import Site
from sync.web.visits import FIELD_BYTES, Endpoint, Visit, address_of, place_of, to


def sign_in(site: Site) -> Endpoint:
    """Show the form, or take it."""

    async def answer(request: Request) -> Response:
        if request.method == "GET":
            said = "signin.over" if request.query_params.get("over") else ""
            words = {name: request.query_params.get(name, "") for name in ("link", "to")}
            return await run_in_threadpool(_shown, site, words, said)
        form = await request.form(max_files=0, max_fields=4, max_part_size=FIELD_BYTES)
        words = {name: value for name, value in form.items() if isinstance(value, str)}
        return await run_in_threadpool(_taken, site, words, address_of(request))

    return answer


def _shown(site: Site, words: Mapping[str, str], said: str) -> HTMLResponse:
    with closing(site.access.reading()) as store:
        return _form(site, words, has_people=site.access.has_people(store), said=said)


def _form(site: Site, words: Mapping[str, str], *, has_people: bool, said: str = "", status: int = 200) -> HTMLResponse:
    facts = {
        "link": words.get("link", ""),
        "to": place_of(words.get("to", "")),
        "said": said,
        "has_people": has_people,
    }
    return HTMLResponse(site.rendering.page("sign_in.html", person=None, **facts), status_code=status)


def _taken(site: Site, words: dict[str, str], address: str) -> Response:
    name, back = words.get("name", "").strip(), words.get("to", "")
    with closing(open_store(site.settings.state_dir, site.clock)) as store:
        has_people = site.access.has_people(store)
        if has_people:
            if site.access.is_barred(name, address=address):
                status = HTTPStatus.TOO_MANY_REQUESTS
                return _form(site, {"to": back}, has_people=True, said="signin.barred", status=status)
            token = site.access.by_password(store, name, words.get("password", ""), address=address)
            said = "signin.wrong"
        else:
            token, said = site.access.by_link(store, words.get("link", "")), "signin.spent"
        person = None if token is None else site.access.person(store, token)
    if token is None or person is None:
        site.note(None, "sign_in_refused", address=address, name=name)
        return _form(site, {"to": back}, has_people=has_people, said=said, status=HTTPStatus.FORBIDDEN)
    site.note(person, "signed_in", address=address)
    answer = to(place_of(back) or "/")
    answer.set_cookie(
        site.cookie, token, max_age=int(LONGEST_S), httponly=True, samesite="strict", secure=site.secure, path="/"
    )
    return answer


def sign_out(visit: Visit) -> Response:
    """End this session, and nothing else: what is at work goes on."""
    site = visit.site
    with closing(open_store(site.settings.state_dir, site.clock)) as store:
        site.access.sign_out(store, visit.request.cookies.get(site.cookie, ""))
    visit.note("signed_out")
    answer = to("/sign-in?over=1")
    answer.delete_cookie(site.cookie, path="/", httponly=True, samesite="strict", secure=site.secure)
    return answer
