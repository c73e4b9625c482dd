"""Settings of one profile: its TOML file, then the environment, then the options; a later one wins.

Relative paths are seen from the folder that the command is started in. No secret comes from the file or an option.
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from sync.adapters.addresses import parse_base_url
from sync.adapters.secret import Secret
from sync.alerts import AlertSettings, Event
from sync.credentials import read_secret
from sync.errors import ConfigError
from sync.frozen import Frozen
from sync.inbox import InboxSettings
from sync.rails import RailSetting, check_names
from sync.retention import Retention
from sync.windows import Limit, Scope

if TYPE_CHECKING:
    from sync.profiles import ProfileKeys

DEFAULT_PROFILE = "default"
"""The name of the settings when no profile was asked for."""

_ENVIRONMENT: Mapping[str, str] = {
    "COURSESYNC_BASE_URL": "base_url",
    "COURSESYNC_USERNAME": "username",
    "COURSESYNC_CLIENT_ID": "client_id",
    "COURSESYNC_STATE_DIR": "state_dir",
}
_TOKEN = "COURSESYNC_TOKEN"  # noqa: S105 - the name of a variable
_PASSWORD = "COURSESYNC_PASSWORD"  # noqa: S105 - the name of a variable
_ALERT_TARGETS = "COURSESYNC_ALERT_TARGETS"
_WEBHOOK_SECRET = "COURSESYNC_WEBHOOK_SECRET"  # noqa: S105 - the name of a variable
_SECRETS = (_TOKEN, _PASSWORD, _ALERT_TARGETS, _WEBHOOK_SECRET)
_PROFILE = "COURSESYNC_PROFILE"
_VARIABLES = (*_ENVIRONMENT, _PROFILE, *_SECRETS, *(f"{secret}_FILE" for secret in _SECRETS))


class Settings(Frozen, kw_only=True):
    """Everything that a run of one profile is told from outside."""

    profile: str
    base_url: str
    """Without a trailing slash; empty where the command needs no network and none was given."""
    account: str
    """A name for the account; empty only on loopback, or without a base URL."""
    limits: tuple[Limit, ...]
    on_invalid: Literal["skip", "stop"]
    on_conflict: Literal["refuse", "sheet", "live"]
    hidden_rows: Literal["ask", "include", "leave_out"]
    """What becomes of rows that are hidden or filtered away."""
    html: Literal["off", "report", "hold", "clean"]
    """What becomes of contents that hold something that acts: scripts, frames, handlers."""
    html_allow: Mapping[str, tuple[str, ...]]
    """Tag to attributes that cleaning keeps beside the usual ones; `*` stands for every tag."""
    images: Literal["off", "report", "hold"]
    """What becomes of an image whose address should not be fetched."""
    image_hosts: frozenset[str]
    """The hosts that images may be on, in lower case; none at all: any public one."""
    encoding: str | None
    """Of a CSV that is not UTF-8 or UTF-16; never guessed."""
    on_drift: Literal["restore", "keep"]
    timeout_s: float
    attempts: int
    """PUTs for one row, at most."""
    aliases: Mapping[str, str]
    """Heading to field."""
    rails: Mapping[str, RailSetting]
    quota_share: float
    """The part of every counting window that is ours: 0 < x <= 1."""
    stop_after: int
    """Rows in a row rejected for the same reason that end a run."""
    settle_after_s: float
    fresh_for_s: float
    """How old a record may be when a body is built on it; at most 60."""
    plan_good_for_s: float
    """How long after it was made a saved plan can be applied."""
    wait_max_s: float
    """The longest wait for a throttle or a window before the run stops, to be resumed."""
    throttle_statuses: frozenset[int]
    in_flight: int
    verify: bool
    """Read after write."""
    body_omit: frozenset[str]
    """Fields left out of a PUT."""
    ca_file: Path | None
    """Certificates (PEM) to trust beside the usual ones."""
    log_file: Path | None
    log_level: Literal["debug", "info", "warning", "error"]
    state_dir: Path
    token: Secret | None
    """A ready bearer token."""
    username: str | None
    password: Secret | None
    client_id: str | None
    metrics_file: Path | None
    """Where figures for Prometheus are written after each run."""
    alerts: AlertSettings
    alert_targets: Secret | None
    """Apprise addresses with white space between them; they hold passwords of their own."""
    webhook_secret: Secret | None
    """Signs what the webhook gets."""
    keep: Retention
    inbox: InboxSettings

    @property
    def is_loopback(self) -> bool:
        """Whether the base URL is on this machine."""
        return bool(self.base_url) and parse_base_url(self.base_url).is_loopback

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What no log or report may show."""
        addresses = () if self.alert_targets is None else map(Secret, self.alert_targets.reveal().split())
        given = (self.token, self.password, self.webhook_secret)
        return (*(secret for secret in given if secret is not None), *addresses)


def load_settings(
    *,
    profile: str | None,
    config_path: Path | None,
    options: Mapping[str, object],
    environ: Mapping[str, str],
    cwd: Path,
    user_config_dir: Path,
    needs_network: bool,
) -> Settings:
    """Load the settings of one command.

    `options` are keyed like the profile (`in_flight`, `state_dir`); one that is `None` was not given. Secrets are
    read only where the command needs the network.

    Raises:
        ConfigError: Anything unknown, of the wrong type, impossible together, or missing; in one sentence.
    """
    from sync.profiles import check_keys, read_profile  # noqa: PLC0415 - pydantic loads slowly, and only here

    _refuse_misspelt_variables(environ)
    name, path = _choose(profile, config_path, environ, cwd=cwd, user_config_dir=user_config_dir)
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    from_environ = {key: text for variable, key in _ENVIRONMENT.items() if (text := environ.get(variable))}
    from_options = {key: _plain(given) for key, given in options.items() if given is not None}
    for layer, place in (
        (read_profile(path) if path else {}, str(path)),
        (from_environ, "the environment"),
        (from_options, "the options"),
    ):
        values |= layer
        origins |= dict.fromkeys(layer, place)
    keys = check_keys(values, origins)
    check_names(keys.rails, place=f"[rails] of {origins.get('rails', 'the settings')}")
    base_url = parse_base_url(keys.base_url).base_url if keys.base_url else ""
    settings = _settings(name, base_url, keys, environ=environ if needs_network else {}, cwd=cwd)
    _refuse_impossible(settings, needs_secret=needs_network)
    if needs_network and not base_url:
        raise _nowhere_to_go(path, cwd, user_config_dir)
    if base_url and not settings.account and not settings.is_loopback and (path or needs_network):
        raise ConfigError(
            f"{path or 'This run'} names no account.",
            remedy='Write account = "a-name-for-it" into the profile: a state directory belongs to one account.',
        )
    return settings


def _settings(name: str, base_url: str, keys: "ProfileKeys", *, environ: Mapping[str, str], cwd: Path) -> Settings:
    return Settings(
        profile=name,
        base_url=base_url,
        account=keys.account or "",
        limits=tuple(Limit(scope=Scope(each.scope), count=each.count, seconds=each.seconds) for each in keys.limits),
        on_invalid=keys.on_invalid,
        on_conflict=keys.on_conflict,
        hidden_rows=keys.hidden_rows,
        html=keys.html,
        html_allow=MappingProxyType({tag: tuple(names) for tag, names in keys.html_allow.items()}),
        images=keys.images,
        image_hosts=frozenset(host.lower() for host in keys.image_hosts),
        encoding=keys.encoding,
        on_drift=keys.on_drift,
        timeout_s=keys.timeout_s,
        attempts=keys.attempts,
        aliases=MappingProxyType(dict(keys.aliases)),
        rails=MappingProxyType({rail: RailSetting(at.max, at.share, at.share_from) for rail, at in keys.rails.items()}),
        quota_share=keys.quota_share,
        stop_after=keys.stop_after,
        settle_after_s=keys.settle_after_s,
        fresh_for_s=keys.fresh_for_s,
        plan_good_for_s=keys.plan_good_for_s,
        wait_max_s=keys.wait_max_s,
        throttle_statuses=frozenset(keys.throttle_statuses),
        in_flight=keys.in_flight,
        verify=keys.verify,
        body_omit=frozenset(keys.body_omit),
        ca_file=_from(cwd, keys.ca_file),
        log_file=_from(cwd, keys.log_file),
        log_level=keys.log_level,
        state_dir=_from(cwd, keys.state_dir) or _default_state_dir(name),
        token=read_secret(environ, _TOKEN),
        username=keys.username,
        password=read_secret(environ, _PASSWORD),
        client_id=keys.client_id,
        metrics_file=_from(cwd, keys.metrics_file),
        alerts=_alerts(keys),
        alert_targets=read_secret(environ, _ALERT_TARGETS, many=True),
        webhook_secret=read_secret(environ, _WEBHOOK_SECRET),
        keep=Retention(keys.keep.uploads_days, keys.keep.before_images_days, keys.keep.reports_days),
        inbox=InboxSettings(keys.inbox.settled_s, keys.inbox.incomplete_s, keys.inbox.approval_hours),
    )


def _alerts(keys: "ProfileKeys") -> AlertSettings:
    """What is told, as the profile says it.

    Raises:
        ConfigError: the webhook's address is wrong.
    """
    given = keys.alerts
    try:
        webhook = None if given.webhook is None else parse_base_url(given.webhook).base_url
    except ConfigError as exc:
        raise ConfigError(
            f"[alerts] webhook: {exc.message.replace('base_url', 'it')}",
            remedy="Write the address alone, as in https://alerts.example.com/coursesync.",
        ) from exc
    return AlertSettings(
        events=frozenset(Event) if given.events is None else frozenset(map(Event, given.events)),
        severity=given.severity,
        attention_share=given.attention_share,
        webhook=webhook,
        timeout_s=given.timeout_s,
    )


def _plain(value: object) -> object:
    """An option as TOML would hold it."""
    match value:
        case Path():
            return str(value)
        case tuple():
            return list(value)
        case _:
            return value


def _from(cwd: Path, text: str | None) -> Path | None:
    try:
        return cwd / Path(text).expanduser() if text else None
    except RuntimeError as exc:
        raise ConfigError(f"{text}: there is no such home.", remedy="Write the whole path.") from exc


def _default_state_dir(profile: str) -> Path:
    from platformdirs import user_state_path  # noqa: PLC0415 - most runs name their directory

    return user_state_path("coursesync", appauthor=False) / profile


def _choose(
    profile: str | None, config_path: Path | None, environ: Mapping[str, str], *, cwd: Path, user_config_dir: Path
) -> tuple[str, Path | None]:
    """Tell the profile's name and its file, if there is one.

    Raises:
        ConfigError: Two files were asked for, none has that name, or the name cannot name a folder.
    """
    from sync.profiles import find_profiles, nearest  # noqa: PLC0415 - pydantic loads slowly

    if profile and config_path:
        raise ConfigError("--profile and --config both name a profile.", remedy="Give one of them.")
    if config_path:
        return _folder_name(config_path.stem), cwd / config_path.expanduser()
    asked = profile or environ.get(_PROFILE) or None
    if asked is None:
        return DEFAULT_PROFILE, None
    found = find_profiles((cwd / "configs", user_config_dir))
    if asked not in found:
        raise ConfigError(
            f'There is no profile "{_folder_name(asked)}".', remedy=f"{nearest(asked, found)} {_listed(found)}".strip()
        )
    return _folder_name(asked), found[asked]


def _folder_name(profile: str) -> str:
    if not re.fullmatch(r"\w(?:[\w .-]*[\w-])?", profile):
        raise ConfigError(
            f"{profile!r} cannot name a profile.", remedy="Use letters, digits, points, dashes and underscores."
        )
    return profile


def _listed(found: Mapping[str, Path]) -> str:
    if not found:
        return "None was found in ./configs or in your configuration folder."
    return "Found: " + ", ".join(f"{name} ({path})" for name, path in sorted(found.items())) + "."


def _nowhere_to_go(path: Path | None, cwd: Path, user_config_dir: Path) -> ConfigError:
    from sync.profiles import find_profiles  # noqa: PLC0415 - pydantic loads slowly

    if path:
        return ConfigError(f"{path} has no base_url.", remedy="Write it there, or set COURSESYNC_BASE_URL.")
    found = _listed(find_profiles((cwd / "configs", user_config_dir)))
    return ConfigError(
        "This command needs the network, and no profile or base URL was given.", remedy=f"Use --profile NAME. {found}"
    )


def _refuse_misspelt_variables(environ: Mapping[str, str]) -> None:
    """A variable that nearly has one of our names would else be passed over in silence."""
    prefix = "COURSESYNC_"
    known = [variable.removeprefix(prefix) for variable in _VARIABLES]
    for variable in environ:
        tail = variable.removeprefix(prefix)
        if tail == variable or tail in known:
            continue
        close = get_close_matches(tail, known, n=1, cutoff=0.85)
        if close:
            raise ConfigError(f"Unknown variable {variable}.", remedy=f"Did you mean {prefix}{close[0]}?")


def _refuse_impossible(settings: Settings, *, needs_secret: bool) -> None:
    """Refuse what only the whole of the settings shows.

    Raises:
        ConfigError: A password without a user name, a webhook without a secret, a certificate file not there.
    """
    if settings.password and not settings.username:
        raise ConfigError("There is a password and no user name.", remedy="Set COURSESYNC_USERNAME.")
    if settings.alerts.webhook and needs_secret and settings.webhook_secret is None:
        raise ConfigError(
            "[alerts] names a webhook, and there is no secret to sign its messages with.",
            remedy="Set COURSESYNC_WEBHOOK_SECRET_FILE.",
        )
    if settings.ca_file and not settings.ca_file.is_file():
        raise ConfigError(f"ca_file: there is no file {settings.ca_file}.", remedy="Check its path.")
