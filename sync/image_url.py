"""Which address of an image may be handed to the server, which fetches it: told from the text, nothing looked up."""

import re
from collections.abc import Collection
from enum import StrEnum
from functools import lru_cache
from typing import Final
from urllib.parse import SplitResult, urlsplit

from sync.frozen import Frozen

MAX_LENGTH: Final = 2_083
EXTENSIONS: Final = (".jpg", ".jpeg", ".png", ".gif")

_UNSAFE: Final = re.compile(r"[\s\x00-\x20\x7f-\x9f\\<>\"`{}|^\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_HOST: Final = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{1,63}")
_NUMBER: Final = re.compile(r"\d+|0x[0-9a-f]*")
_PLAIN: Final = re.compile(r"https://([a-z0-9.-]+)/[a-zA-Z0-9/_.~%-]*\.(?:jpe?g|png|gif)")
"""The usual shape, of which only the host is left to be judged."""
_INTERNAL: Final = (".local", ".localhost", ".internal", ".localdomain", ".lan", ".home.arpa")
_HTTPS_PORT: Final = 443


class ImagePolicy(StrEnum):
    """What becomes of a row whose image has an address that should not be fetched."""

    OFF = "off"
    REPORT = "report"
    """A warning says why; the address is sent as it is."""
    HOLD = "hold"


class ImageRules(Frozen):
    """A policy, and the hosts that images may be on."""

    policy: ImagePolicy = ImagePolicy.HOLD
    hosts: frozenset[str] = frozenset()
    """In lower case; `*.example.com` stands for every name below it. None at all: any public host."""


ANY_HOST: Final = ImageRules()


def refusal(url: str, hosts: Collection[str] = frozenset()) -> str | None:
    """Say why `url` must not be sent, in the API's form (`must …`); `None` if it may be."""
    reason = _refusal(url)
    if reason is not None or not hosts:
        return reason
    host = (urlsplit(url).hostname or "").rstrip(".")
    parents = {f"*.{host[at + 1 :]}" for at, sign in enumerate(host) if sign == "."}
    if host in hosts or not parents.isdisjoint(hosts):
        return None
    return f"must be on a host that this profile names (image_hosts: {', '.join(sorted(hosts))})"


def _refusal(url: str) -> str | None:
    if len(url) > MAX_LENGTH:
        return f"must have at most {MAX_LENGTH:,} characters"
    if plain := _PLAIN.fullmatch(url):
        return _refusal_of_host(plain.group(1))
    if _UNSAFE.search(url):
        return "must have no spaces, control characters, quotation marks or backslashes"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "must be a web address"
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return "must be a web address that begins with https://"
    reasons = (
        "must have no user name or password" if "@" in parts.netloc else None,
        "must have no port" if port not in {None, _HTTPS_PORT} else None,
        _refusal_of_host(parts.hostname),
        "must have no # part" if "#" in url else None,
        _refusal_of_path(parts),
    )
    return ", and ".join(reason for reason in reasons if reason is not None) or None


@lru_cache(maxsize=1024)
def _refusal_of_host(name: str) -> str | None:
    """Judge a host in lower case; a sheet names few of them, many times."""
    host = name.rstrip(".")
    if ":" in host or _NUMBER.fullmatch(host.rpartition(".")[2]):
        # A last label that is a number, decimal or 0x…, makes the whole host an IP address.
        return "must name its host, not an IP address"
    if "." not in host or f".{host}".endswith(_INTERNAL):
        return "must be on a public host"
    if not _HOST.fullmatch(host):
        return "must have a host in plain letters, digits and hyphens (write other letters as xn--…)"
    return None


def _refusal_of_path(parts: SplitResult) -> str | None:
    if not parts.path.lower().endswith(EXTENSIONS):
        return "must end in .jpg, .jpeg, .png or .gif"
    return None
