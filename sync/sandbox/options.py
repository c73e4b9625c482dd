"""Every switch of the sandbox, with its default and its help: one frozen value, built from command-line words."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Annotated, Final, Literal, get_args, get_origin, get_type_hints

from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from sync.sandbox.windows import DOCUMENTED, Limit


@dataclass(frozen=True, slots=True)
class Cli:
    """How an option looks on the command line."""

    help: str
    metavar: str | None = None


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _limit(value: object) -> object:
    return Limit.parse(value) if isinstance(value, str) else value


Names = Annotated[frozenset[str], BeforeValidator(_split)]
Words = Annotated[tuple[str, ...], BeforeValidator(_split)]
Ids = Annotated[frozenset[int], BeforeValidator(_split)]
Limits = tuple[Annotated[Limit, BeforeValidator(_limit)], ...]
Count = Annotated[int, Field(ge=0)]
Size = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
StatusCode = Annotated[int, Field(ge=200, le=599)]


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class SandboxOptions:
    """The behaviour of one sandbox; most of it is what the API's documentation leaves open."""

    port: Annotated[int, Field(ge=0, le=65535), Cli("port on 127.0.0.1; 0 picks a free one", "N")] = 8765
    seed: Annotated[Path | None, Cli("JSON file with the first courses and sections; a tiny set without", "F")] = None
    log: Annotated[Path | None, Cli("append one JSON line per request to this file", "F")] = None
    faults: Annotated[
        Path | None, Cli("JSON file with a fault script, as sample_data/demo_faults.json, in force from the start", "F")
    ] = None
    tls_cert: Annotated[Path | None, Cli("serve https with this certificate chain (PEM)", "F")] = None
    tls_key: Annotated[Path | None, Cli("private key of --tls-cert (PEM)", "F")] = None
    until_stdin_closes: Annotated[bool, Cli("also end when standard input closes (a parent's death)")] = False

    user: Annotated[str, Cli("the user who may sign in; becomes UpdatedBy", "EMAIL")] = "admin@example.com"
    password: Annotated[str, Cli("the password of --user", "TEXT")] = "sandbox-password"  # noqa: S105 -- opens nothing
    token: Annotated[str, Cli("a bearer token that is accepted without signing in", "TEXT")] = "sandbox-token"  # noqa: S105 -- opens nothing
    token_ttl_s: Annotated[Seconds, Cli("life of an access token, in seconds", "S")] = 604_799
    refresh_ttl_s: Annotated[Seconds, Cli("life of a refresh token, in seconds", "S")] = 1_296_000
    totp: Annotated[
        Words, Cli("the user has 2FA: a password grant needs one of these codes, each good once", "CODES")
    ] = ()
    must_reset: Annotated[bool, Cli("answer a password grant with must_reset_password")] = False
    token_error_status: Annotated[StatusCode, Cli("status of a refused grant: 400, or 401 on older pages", "N")] = 400
    refresh_refused: Annotated[bool, Cli("refuse every refresh grant")] = False
    tokens_refused: Annotated[bool, Cli("answer every bearer token with 401, as after a revocation")] = False
    roles: Annotated[Names, Cli("CourseSection roles of the user", "NAMES")] = frozenset({"List", "Read", "Edit"})
    course_roles: Annotated[Names, Cli("Course roles of the user", "NAMES")] = frozenset({"List", "Read"})
    missing_role_status: Annotated[StatusCode, Cli("status for a missing role: 401 or 403", "N")] = 401
    html_without_accept: Annotated[bool, Cli("answer HTML unless Accept names application/json")] = False

    limits: Limits = DOCUMENTED
    time_scale: Annotated[
        float, Field(gt=0, allow_inf_nan=False), Cli("divide the length of every limit's window by this", "X")
    ] = 1.0
    limit_per: Annotated[Literal["user", "client"], Cli("count requests per user, or per client id")] = "user"
    limit_sign_in: Annotated[bool, Cli("count token requests as well")] = False
    count_throttled: Annotated[bool, Cli("a throttled request uses up allowance too")] = False
    throttle_status: Annotated[StatusCode, Cli("status of a throttled request: 409 or 429", "N")] = 409
    retry_after: Annotated[str | None, Cli("send this as Retry-After, word for word, in place of seconds", "RAW")] = (
        None
    )
    no_retry_after: Annotated[bool, Cli("send no Retry-After")] = False

    latency_ms: Annotated[Seconds, Cli("time from a request to its answer, in milliseconds", "MS")] = 0
    jitter_ms: Annotated[Seconds, Cli("up to this much more on each answer, in milliseconds", "MS")] = 0
    apply_at: Annotated[Literal["half", "end"], Cli("change the record at half the latency, or at its end")] = "half"
    seed_random: Annotated[int, Cli("seed of the jitter", "N")] = 0

    list_missing: Annotated[Names, Cli("fields that a list answer leaves out", "NAMES")] = frozenset(
        {"SectionContents", "CustomFields", "LocalizationDetails", "SystemId"}
    )
    list_size: Annotated[Size, Cli("records on a page when size is not asked for", "N")] = 25
    list_size_max: Annotated[Size, Cli("largest size granted", "N")] = 1000
    dir_meaning: Annotated[Literal["normal", "opposite"], Cli("whether dir=1 descends, or ascends")] = "normal"
    batch_max: Annotated[Count, Cli("ids served in one batch, the rest silently dropped; 0 means all", "N")] = 0
    batch_unknown: Annotated[Literal["dropped", "404"], Cli("what unknown ids in a batch do")] = "dropped"
    batch_partial: Annotated[Ids, Cli("ids whose records a batch serves with fields left out", "IDS")] = frozenset()
    batch_missing: Annotated[Names, Cli("the fields left out for --batch-partial", "NAMES")] = frozenset(
        {"SectionContents"}
    )

    required: Annotated[Names, Cli("fields that a PUT must carry", "NAMES")] = frozenset(
        {"CourseId", "Title", "DisplayOrder", "UnlockAfterDays", "UnlockType"}
    )
    omitted: Annotated[Literal["reset", "kept"], Cli("what a PUT does to an optional field it omits")] = "reset"
    unlock_type: Annotated[Literal["refused", "stored"], Cli("what happens to an UnlockType outside 1 to 3")] = (
        "refused"
    )
    course_change: Annotated[Literal["allowed", "refused"], Cli("whether CourseId may change")] = "allowed"
    read_only: Annotated[Literal["ignored", "refused"], Cli("what read-only fields in a body do")] = "ignored"
    refusal_status: Annotated[StatusCode, Cli("status of a refused PUT: 400, or 200 with WasSuccessful false", "N")] = (
        400
    )
    no_change: Annotated[Literal["moved", "kept"], Cli("UpdatedOn after a PUT that changes nothing")] = "moved"
    html: Annotated[Literal["off", "trim", "rewrite"], Cli("how SectionContents is normalised when stored")] = "off"
    ignored_fields: Annotated[Names, Cli("fields accepted in a PUT but not stored", "NAMES")] = frozenset()
    reject_contents: Annotated[
        str, Cli("refuse SectionContents that contain this text; empty refuses none", "TEXT")
    ] = "<script"


_ADAPTER: Final = TypeAdapter(SandboxOptions)
FIXED: Final = frozenset({"port", "seed", "log", "faults", "tls_cert", "tls_key", "until_stdin_closes"})
"""Options that hold for the whole life of a process."""


def parse(argv: Sequence[str], prog: str) -> SandboxOptions:
    """Build options from command-line words; a wrong word ends the process with 2, as argparse does.

    Raises:
        SystemExit: the words are wrong, or ask for help.
    """
    parser = build_parser(prog)
    given = {name: value for name, value in vars(parser.parse_args(argv)).items() if value is not None}
    if given.pop("no_limits", False):
        given["limits"] = ()
    try:
        return _ADAPTER.validate_python(given)
    except ValidationError as exc:
        parser.error(told(exc))


def changed(options: SandboxOptions, changes: Mapping[str, object]) -> SandboxOptions:
    """Return the options with some switches set anew, by their field names.

    Raises:
        ValueError: an unknown name, a wrong value, or an option that cannot change at runtime.
    """
    if fixed := FIXED & changes.keys():
        raise ValueError(f"cannot change while running: {', '.join(sorted(fixed))}")
    return _ADAPTER.validate_python({**asdict(options), **changes})


def told(error: ValidationError) -> str:
    """Say in one line what is wrong with which option."""
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())


def public(options: SandboxOptions) -> Mapping[str, object]:
    """Return the options as JSON values, without password, token and codes."""
    hidden = {"password", "token", "totp"}
    values = _ADAPTER.dump_python(options, mode="json")
    return {name: value for name, value in values.items() if name not in hidden}


def build_parser(prog: str) -> argparse.ArgumentParser:
    """Make the parser whose help text is the reference of all switches."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="A local server that behaves as the Nexudus API does. It listens on loopback only.",
        allow_abbrev=False,
    )
    hints = get_type_hints(SandboxOptions, include_extras=True)
    for field in fields(SandboxOptions):
        if field.name == "limits":
            _add_limits(parser)
            continue
        kind, *notes = get_args(hints[field.name])
        cli = next(note for note in notes if isinstance(note, Cli))
        flag = "--" + field.name.replace("_", "-")
        if kind is bool:
            parser.add_argument(flag, action="store_true", default=None, help=cli.help)
        elif get_origin(kind) is Literal:
            text = f"{cli.help} (default {field.default})"
            parser.add_argument(flag, choices=get_args(kind), help=text)
        else:
            parser.add_argument(flag, metavar=cli.metavar, help=cli.help + _default(field.default))
    return parser


def _add_limits(parser: argparse.ArgumentParser) -> None:
    documented = " ".join(str(limit) for limit in DOCUMENTED)
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--limit",
        dest="limits",
        action="append",
        metavar="SCOPE:COUNT:SECONDS",
        help=f"a request limit, scope write or all; repeat for more (default {documented})",
    )
    group.add_argument("--no-limits", action="store_true", default=None, help="throttle nothing")


def _default(value: object) -> str:
    if value is None or value in ((), frozenset()):
        return ""
    if isinstance(value, frozenset | tuple):
        return f" (default {','.join(sorted(map(str, value)))})"
    return f" (default {value})"
