"""Profiles: where their files are found, what their keys may hold, and one sentence when a key is wrong.

The only module outside the sandbox that imports pydantic; `config.py` imports it when settings are loaded.
"""

import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from sync.errors import ConfigError
from sync.headings import OWN_HEADINGS, heading_key
from sync.section import BY_NAME, FIELDS

Finite: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]
Word: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]

SECRET_WORDS = ("password", "token", "secret", "totp", "authorization", "cookie")
"""A key that holds one of these is no place in a profile."""

_NEVER_A_THROTTLE = frozenset({400, 401, 403, 404, 413, 422})
"""Answers that say something about the row or the sign-in: taken for a throttle, they would be asked for ever."""


class _Keys(BaseModel):
    """Nothing is guessed: an unknown key is refused, and a text is no number."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class LimitKeys(_Keys):
    """One `[[limits]]`."""

    scope: Literal["write", "all"]
    count: Annotated[int, Field(ge=1)]
    seconds: Annotated[Finite, Field(gt=0)]


class RailKeys(_Keys):
    """One `[rails.NAME]`."""

    max: Annotated[int, Field(ge=0)] | None = None
    share: Annotated[Finite, Field(ge=0, le=1)] | None = None
    share_from: Annotated[int, Field(ge=1)] | None = None


class AlertKeys(_Keys):
    """`[alerts]`."""

    events: (
        list[Literal["refused", "held", "attention", "left", "stopped", "sign_in_lost", "broken", "recovered"]] | None
    ) = None
    severity: Literal["info", "warning", "error"] = "info"
    attention_share: Annotated[Finite, Field(ge=0, le=1)] = 0.0
    webhook: Word | None = None
    timeout_s: Annotated[Finite, Field(gt=0, le=60)] = 10.0


class KeepKeys(_Keys):
    """`[keep]`: days."""

    uploads_days: Annotated[Finite, Field(ge=0)] = 90.0
    before_images_days: Annotated[Finite, Field(ge=0)] = 90.0
    reports_days: Annotated[Finite, Field(ge=0)] = 90.0


class InboxKeys(_Keys):
    """`[inbox]`."""

    settled_s: Annotated[Finite, Field(ge=0, le=600)] = 5.0
    incomplete_s: Annotated[Finite, Field(ge=0, le=86_400)] = 900.0
    approval_hours: Annotated[Finite, Field(gt=0, le=720)] = 72.0


_TABLES: Mapping[str, type[_Keys]] = {
    "alerts": AlertKeys,
    "inbox": InboxKeys,
    "keep": KeepKeys,
    "limits": LimitKeys,
    "rails": RailKeys,
}

DOCUMENTED_LIMITS = (
    LimitKeys(scope="write", count=60, seconds=60),
    LimitKeys(scope="write", count=5_000, seconds=86_400),
    LimitKeys(scope="all", count=1, seconds=0.1),
    LimitKeys(scope="all", count=120, seconds=60),
    LimitKeys(scope="all", count=5_000, seconds=3_600),
    LimitKeys(scope="all", count=200_000, seconds=86_400),
)
"""The newer table of the API's pages; the older one allows no more of anything but writes in a day (2,500)."""


class ProfileKeys(_Keys):
    """Every key that a profile, the environment or an option can set, with its default; secrets are not among them."""

    base_url: Word | None = None
    account: Word | None = None
    limits: list[LimitKeys] = list(DOCUMENTED_LIMITS)
    on_invalid: Literal["skip", "stop"] = "skip"
    on_conflict: Literal["refuse", "sheet", "live"] = "refuse"
    hidden_rows: Literal["ask", "include", "leave_out"] = "ask"
    html: Literal["off", "report", "hold", "clean"] = "report"
    html_allow: dict[Word, list[Word]] = {}
    images: Literal["off", "report", "hold"] = "hold"
    image_hosts: list[Annotated[str, Field(pattern=r"^(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$")]] = []
    encoding: str | None = None
    on_drift: Literal["restore", "keep"] = "restore"
    timeout_s: Annotated[Finite, Field(gt=0, le=600)] = 30.0
    attempts: Annotated[int, Field(ge=1, le=10)] = 3
    aliases: dict[Word, Word] = {}
    rails: dict[Word, RailKeys] = {}
    quota_share: Annotated[Finite, Field(gt=0, le=1)] = 1.0
    stop_after: Annotated[int, Field(ge=1)] = 20
    settle_after_s: Annotated[Finite, Field(ge=0, le=86_400)] = 120.0
    fresh_for_s: Annotated[Finite, Field(gt=0, le=60)] = 60.0
    plan_good_for_s: Annotated[Finite, Field(gt=0, le=2_592_000)] = 86_400.0
    wait_max_s: Annotated[Finite, Field(ge=0)] = 900.0
    throttle_statuses: Annotated[list[Annotated[int, Field(ge=400, le=599)]], Field(min_length=1)] = [409, 429]
    in_flight: Annotated[int, Field(ge=1, le=8)] = 8
    verify: bool = True
    body_omit: list[Word] = []
    ca_file: Word | None = None
    log_file: Word | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    username: Word | None = None
    client_id: Word | None = None
    state_dir: Word | None = None
    metrics_file: Word | None = None
    alerts: AlertKeys = AlertKeys()
    keep: KeepKeys = KeepKeys()
    inbox: InboxKeys = InboxKeys()


def nearest(name: str, known: Iterable[str]) -> str:
    """` Did you mean "x"?`, or nothing where no name is near."""
    close = get_close_matches(name.casefold(), list(known), n=1)
    return f'Did you mean "{close[0]}"?' if close else ""


def find_profiles(folders: Iterable[Path]) -> Mapping[str, Path]:
    """Give each profile's file by name; the earlier folder wins."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.toml")):
            found.setdefault(path.stem, path)
    return found


def read_profile(path: Path) -> dict[str, object]:
    """Read a profile's keys as they stand.

    Raises:
        ConfigError: The file cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as exc:
        raise ConfigError(
            f"The profile {path} cannot be read: {exc.strerror}.", remedy="Check --config or --profile."
        ) from exc
    except UnicodeDecodeError as exc:
        raise ConfigError(f"The profile {path} is not text in UTF-8.", remedy="Save it as UTF-8.") from exc
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError(f"The profile {path} is no valid TOML: {exc}.", remedy="Mend that line.") from exc


def _refuse_secret(key: str, place: str) -> None:
    if any(word in key.casefold() for word in SECRET_WORDS):
        raise ConfigError(
            f'"{key}" in {place} is a secret, and a secret has no place there.',
            remedy="Take it out, and give it as COURSESYNC_TOKEN_FILE or COURSESYNC_PASSWORD_FILE (mode 0600).",
        )


def check_keys(values: Mapping[str, object], origins: Mapping[str, str]) -> ProfileKeys:
    """Check every value; `origins` says for each key where it came from.

    Raises:
        ConfigError: The first wrong key, with what was expected or the nearest name; a secret; or what the keys cannot
            mean together.
    """
    try:
        keys = ProfileKeys.model_validate(dict(values))
    except ValidationError as exc:
        wrong = exc.errors(include_url=False)
        first = next((each for each in wrong if each["type"] == "extra_forbidden"), wrong[0])
        raise _sentence(first, origins) from None
    _refuse_impossible(keys)
    return keys


def _sentence(wrong: ErrorDetails, origins: Mapping[str, str]) -> ConfigError:
    location = wrong["loc"]
    top = str(location[0])
    place = origins.get(top, "the settings")
    name = _written(location)
    if wrong["type"] == "extra_forbidden":
        last = str(location[-1])
        _refuse_secret(last, place)
        return ConfigError(
            f'Unknown key "{name}" in {place}.',
            remedy=nearest(last, _siblings(location)) or f"Known here: {', '.join(sorted(_siblings(location)))}.",
        )
    if wrong["type"] == "missing":
        return ConfigError(f'"{name}" in {place} is missing.', remedy="Write it.")
    expected = wrong["msg"].removeprefix("Input ").replace("should", "must").replace("dictionary", "table")
    expected = expected[0].lower() + expected[1:]
    subject = f'"{name}" in {place}' + ("" if wrong["msg"].startswith("Input ") else ":")
    return ConfigError(f"{subject} {expected}; it is {_shown(wrong['input'])}.", remedy="Mend it.")


def _siblings(location: tuple[int | str, ...]) -> Iterable[str]:
    if len(location) == 1:
        return ProfileKeys.model_fields
    return _TABLES[str(location[0])].model_fields


def _written(location: tuple[int | str, ...]) -> str:
    """`limits[2].count`, counted from 1; `rails.drift.max`."""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        elif part != "[key]":
            text += f".{part}" if text else part
    return text


def _shown(value: object) -> str:
    """A wrong value as TOML writes it, cut short; a whole table only by its kind."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case str() if value:
            return f'"{value[:60]}"'
        case str():
            return "empty"
        case list() | tuple():
            return "a list"
        case dict():
            return "a table"
        case _:
            return f"a {type(value).__name__}"


def _refuse_impossible(keys: ProfileKeys) -> None:
    """Refuse what each key allows and all of them together do not."""
    if odd := _NEVER_A_THROTTLE.intersection(keys.throttle_statuses):
        raise ConfigError(
            f"throttle_statuses names {', '.join(map(str, sorted(odd)))}, which never means a throttle.",
            remedy="Take it out.",
        )
    if lost := sorted(field.name for field in FIELDS if field.required and field.name in keys.body_omit):
        raise ConfigError(
            f"body_omit names {', '.join(lost)}, and the API rejects a PUT without it.", remedy="Take it out."
        )
    for rail, setting in keys.rails.items():
        if setting.max is None and setting.share is None and setting.share_from is None:
            raise ConfigError(
                f"[rails.{rail}] sets none of max, share and share_from.", remedy="Write one, or take it out."
            )
    _refuse_aliases(keys.aliases)
    if keys.client_id and not (keys.client_id.isascii() and keys.client_id.isprintable()):
        raise ConfigError("client_id holds characters that a header cannot have.", remedy="Use a GUID.")


def _refuse_aliases(aliases: Mapping[str, str]) -> None:
    taken = dict(OWN_HEADINGS)
    for heading, name in aliases.items():
        field = OWN_HEADINGS.get(heading_key(name))
        if field is None:
            raise ConfigError(
                f'The alias "{heading}" names "{name}", which is no field of a section.',
                remedy=nearest(name, BY_NAME) or f"Fields: {', '.join(BY_NAME)}.",
            )
        other = taken.setdefault(heading_key(heading), field)
        if other != field:
            raise ConfigError(
                f'The alias "{heading}" names {field}, but that heading means {other} already.', remedy="Take it out."
            )
