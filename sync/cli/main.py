"""The command `coursesync`: its subcommands, loaded when they are named, and the one place where errors become text."""

import errno
import json
import traceback
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import NamedTuple

import click

from sync import __version__
from sync.cli.streams import echo, flush, open_missing
from sync.errors import CourseSyncError, Interrupted

EXIT_USAGE = 2
EXIT_INTERNAL = 1
_INTERRUPTED = ("Interrupted.", "", 130)


class _Lazy(NamedTuple):
    module: str
    help: str


COMMANDS: dict[str, _Lazy] = {
    "demo": _Lazy("demo", "Watch the whole job run against a local sandbox."),
    "template": _Lazy("sheets", "Write an empty workbook that explains itself."),
    "export": _Lazy("sheets", "Write a workbook with the live sections, ready to be edited."),
    "check": _Lazy("check", "Judge every row of a sheet by itself; no network."),
    "plan": _Lazy("plan", "Show what a sheet would change; nothing is sent."),
    "apply": _Lazy("apply", "Send what a sheet asks for, and report on every row."),
    "resume": _Lazy("apply", "Go on with a run that was stopped."),
    "stop": _Lazy("stop", "End a run for good; nothing resumes it."),
    "undo": _Lazy("undo", "Take back what a run wrote, where nobody wrote after it."),
    "drift": _Lazy("drift", "Show what others changed after our runs, or put it back."),
    "inbox": _Lazy("inbox", "Run every finished sheet of a drop folder, once."),
    "approve": _Lazy("approve", "Let a sheet of a drop folder go on that a rail holds."),
    "history": _Lazy("runs", "List the runs of this profile."),
    "status": _Lazy("runs", "Show one run: what is done, what is left."),
    "report": _Lazy("runs", "Write the report of a run again, from the journal."),
    "purge": _Lazy("purge", "Let go what is older than the profile keeps."),
    "serve": _Lazy("serve", "Serve the page for people who use no terminal."),
    "users": _Lazy("users", "Say who may use the page."),
    "sandbox": _Lazy("sandbox", "Serve a local stand-in for the API."),
    "doctor": _Lazy("account", "Check configuration, reachability, sign-in and roles."),
    "login": _Lazy("account", "Sign in with a user name and a password, and keep the sign-in."),
    "logout": _Lazy("account", "Forget the kept sign-in."),
}


class _Commands(click.Group):
    """Subcommands by name, imported when they are used, so that `--help` loads next to nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names in the order of the work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import the command of this name."""
        lazy = COMMANDS.get(cmd_name)
        if lazy is None:
            return None
        command = getattr(import_module(f"sync.cli.{lazy.module}"), cmd_name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.help) for name, lazy in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command where there is none of this name."""
        name = args[0]
        if name not in COMMANDS:
            from difflib import get_close_matches  # noqa: PLC0415 - only for a mistake

            near = get_close_matches(name, COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"There is no command {name!r}.{hint}", ctx=ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, no_args_is_help=False, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="coursesync")
def cli() -> None:
    """Keep Nexudus course sections as a spreadsheet says they should be."""


def run(words: Sequence[str]) -> int:
    """Run one command; every error becomes one sentence on standard error, and an exit code."""
    open_missing()
    as_json = "--json" in words
    try:
        code = cli.main(args=list(words), prog_name="coursesync", standalone_mode=False)
    except click.UsageError as error:
        where = f" See: {error.ctx.command_path} --help" if error.ctx else ""
        return _tell(error.format_message(), where.strip(), EXIT_USAGE, as_json=as_json)
    except click.Abort as error:
        if _was_interrupted(error):  # click makes an `Abort` of both
            return _tell(*_INTERRUPTED, as_json=as_json)
        return _tell("Nothing was sent: the question was not answered.", "", 6, as_json=as_json)
    except click.ClickException as error:
        return _tell(error.format_message(), "", EXIT_USAGE, as_json=as_json)
    except Interrupted as error:
        return _tell(error.message, error.remedy, 128 + error.signal_number, as_json=as_json)
    except CourseSyncError as error:
        return _tell(error.message, error.remedy, error.exit_code, as_json=as_json)
    except KeyboardInterrupt:
        return _tell(*_INTERRUPTED, as_json=as_json)
    except OSError as error:
        if error.filename is not None or error.errno not in (errno.ENOSPC, errno.EDQUOT):
            return _internal(error, as_json=as_json)
        return _tell(f"The output could not be written: {error.strerror}.", "", EXIT_INTERNAL, as_json=as_json)
    except Exception as error:  # noqa: BLE001 - the entry point: an unforeseen error is said, logged, and exits 1
        if _was_interrupted(error):  # in the midst of something that could not be put back as it was
            return _tell(*_INTERRUPTED, as_json=as_json)
        return _internal(error, as_json=as_json)
    flush()
    return code if isinstance(code, int) else 0


def _was_interrupted(error: BaseException) -> bool:
    """Whether an error came of Ctrl-C, before a command listened to it or after."""
    while (before := error.__cause__ or error.__context__) is not None:
        error = before
        if isinstance(error, KeyboardInterrupt):
            return True
    return False


def _internal(error: Exception, *, as_json: bool) -> int:
    last = traceback.extract_tb(error.__traceback__)[-1:]
    place = f"{last[0].filename.rsplit('/sync/', 1)[-1]}:{last[0].lineno}" if last else "?"
    return _tell(
        f"Internal error: {type(error).__name__} at {place}.",
        "Please report it with the log; the journal is consistent, and `coursesync resume` goes on.",
        EXIT_INTERNAL,
        as_json=as_json,
    )


def _tell(message: str, remedy: str, code: int, *, as_json: bool) -> int:
    with suppress(OSError):
        echo(f"coursesync: {message} {remedy}".strip(), err=True)
        if as_json:
            echo(json.dumps({"exit_code": code, "error": message, "remedy": remedy}))
    flush()
    return code
