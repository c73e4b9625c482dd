"""The options that all commands share, and the settings that they lead to."""

import os
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from sync.frozen import Frozen, field

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sync.config import Settings

Function = Callable[..., Any]


class Common(Frozen):
    """What the common options say."""

    profile: str | None = None
    config: Path | None = None
    out: Path | None = None
    state_dir: Path | None = None
    as_json: bool = False
    log_format: Literal["text", "json"] | None = None
    quiet: bool = False
    more: Mapping[str, object] = field(default_factory=dict)
    """Options of one command that override a setting."""

    def settings(self, *, needs_network: bool, **more: object) -> "Settings":
        """Load the profile under these options.

        Raises:
            ConfigError: as `config.load_settings`.
        """
        from platformdirs import user_config_path  # noqa: PLC0415 - loaded when a command needs settings

        from sync.config import load_settings  # noqa: PLC0415 - the same

        return load_settings(
            profile=self.profile,
            config_path=self.config,
            options={"state_dir": self.state_dir, **more},
            environ=os.environ,
            cwd=Path.cwd(),
            user_config_dir=user_config_path("coursesync"),
            needs_network=needs_network,
        )

    @property
    def words(self) -> str:
        """What the next command needs to find the same profile and the same journal."""
        given = (("--profile", self.profile), ("--config", self.config), ("--state-dir", self.state_dir))
        return " ".join(f"{option} {shlex.quote(str(value))}" for option, value in given if value)

    def logging(self, settings: "Settings") -> "AbstractContextManager[None]":
        """Log as the settings and the options say: JSON lines when not at a terminal, and never a secret."""
        from sync.logs import logging_to  # noqa: PLC0415 - loaded when a command logs
        from sync.redaction import Redactor  # noqa: PLC0415 - the same

        show = not self.quiet and (self.log_format is not None or not sys.stderr.isatty())
        return logging_to(
            sys.stderr if show else None,
            level=settings.log_level,
            log_format=self.log_format,
            log_file=settings.log_file,
            redactor=Redactor(settings.secrets),
            environ=os.environ,
        )


def common(function: Function) -> Function:
    """Add the common options; the command gets them as one `Common`."""

    @click.option("--profile", metavar="NAME", help="The profile: reads configs/NAME.toml.")
    @click.option("--config", type=click.Path(path_type=Path), metavar="PATH", help="A profile's file itself.")
    @click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Where the report is written.")
    @click.option("--state-dir", type=click.Path(path_type=Path), metavar="DIR", help="Where the journal lies.")
    @click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
    @click.option("--log-format", type=click.Choice(["text", "json"]), help="Log events to standard error like this.")
    @click.option("--quiet", is_flag=True, help="Print nothing at all when the exit code is 0.")
    def with_common(  # noqa: PLR0917 - click passes them by name
        profile: str | None,
        config: Path | None,
        out: Path | None,
        state_dir: Path | None,
        as_json: bool,  # noqa: FBT001 - a flag of click's
        log_format: Literal["text", "json"] | None,
        quiet: bool,  # noqa: FBT001 - the same
        **rest: object,
    ) -> object:
        return function(Common(profile, config, out, state_dir, as_json, log_format, quiet), **rest)

    with_common.__name__ = function.__name__
    with_common.__doc__ = function.__doc__
    with_common.__click_params__ = [  # type: ignore[attr-defined]  # click keeps the options of the decorators here
        *getattr(function, "__click_params__", []),
        *getattr(with_common, "__click_params__", []),
    ]
    return with_common
