"""Where each request goes: the pinned origin, the path of a request, and batches of Ids that fit into a URL. Pure."""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import assert_never
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from sync.errors import ConfigError
from sync.exchange import Put, ReadBatch, ReadOne, ReadPage, Request
from sync.frozen import Frozen
from sync.model import SectionId

URL_LIMIT = 2000
"""Characters of a whole URL that every server and proxy is known to take."""
_LONGEST_BASE = 500
_DEFAULT_PORTS = {"http": 80, "https": 443}
_SECTIONS = "/content/coursesections"
_REMEDY = "Set base_url to the address of the API, as in https://spaces.nexudus.com/api."


class Origin(Frozen):
    """A base URL, parsed once: nothing is ever sent to another scheme, host or port."""

    scheme: str
    host: str
    """In lower case; an IPv6 address without its brackets."""
    port: int
    path: str
    """What comes before the path of each request; without a slash at its end."""

    @property
    def base_url(self) -> str:
        """The base URL in its one normal form."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine itself: the only place where http will do."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def parse_base_url(base_url: str) -> Origin:
    """Check a base URL and take it apart.

    Raises:
        ConfigError: it is not an http or https URL of a host alone with an optional path, or uses http where only
            https keeps the token from being read on the way.
    """
    if not base_url.isascii() or not base_url.isprintable() or " " in base_url or "\\" in base_url:
        raise ConfigError("base_url holds a character that no URL has.", remedy=_REMEDY)
    if len(base_url) > _LONGEST_BASE:
        raise ConfigError(f"base_url is longer than {_LONGEST_BASE} characters.", remedy=_REMEDY)
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError:
        raise ConfigError("base_url is not a URL.", remedy=_REMEDY) from None
    _refuse_extras(parts)
    scheme, host = parts.scheme, parts.hostname or ""
    if port is None:
        port = _DEFAULT_PORTS[scheme]
    origin = Origin(scheme, host, port, parts.path.rstrip("/"))
    if scheme == "http" and not origin.is_loopback:
        raise ConfigError("base_url begins with http: the token could be read on the way.", remedy="Use https.")
    return origin


def target_of(request: Request) -> str:
    """The path and query of `request`, to be put behind the base URL."""
    match request:
        case Put():
            return _SECTIONS
        case ReadOne(id=section_id):
            return f"{_SECTIONS}/{section_id}"
        case ReadBatch(ids=ids):
            return f"{_SECTIONS}/?id=[{','.join(map(str, ids))}]"
        case ReadPage(entity=entity, page=page, size=size, filters=filters):
            query = urlencode([("page", page), ("size", size), ("orderBy", "Id"), *filters], quote_via=quote)
            return f"/content/{quote(entity, safe='')}?{query}"
        case _:
            assert_never(request)


def split_ids(
    ids: Iterable[SectionId], base_url: str, *, url_limit: int = URL_LIMIT, at_most: int | None = None
) -> list[tuple[SectionId, ...]]:
    """Split `ids` into batches whose URL has at most `url_limit` characters, and at most `at_most` Ids each.

    The order is kept; an Id that occurs again is left out. A batch has at least one Id.
    """
    room = url_limit - len(base_url.rstrip("/")) - len(target_of(ReadBatch(())))
    batches: list[tuple[SectionId, ...]] = []
    batch: list[SectionId] = []
    used = 0
    for section_id in dict.fromkeys(ids):
        width = len(str(section_id)) + 1
        if batch and (used + width - 1 > room or len(batch) == at_most):
            batches.append(tuple(batch))
            batch, used = [], 0
        batch.append(section_id)
        used += width
    if batch:
        batches.append(tuple(batch))
    return batches


def _refuse_extras(parts: SplitResult) -> None:
    if parts.scheme not in _DEFAULT_PORTS:
        raise ConfigError("base_url begins neither with https:// nor with http://.", remedy=_REMEDY)
    if not parts.hostname:
        raise ConfigError("base_url names no host.", remedy=_REMEDY)
    if "@" in parts.netloc:
        raise ConfigError("base_url holds a user name or a password.", remedy="Leave them out, and see `login`.")
    if parts.query or parts.fragment:
        raise ConfigError("base_url has a query or a fragment.", remedy=_REMEDY)
