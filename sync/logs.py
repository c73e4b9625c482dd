"""Events for people at a terminal and for machines elsewhere: keys, not sentences; no secret and no cell's value.

The only module that imports structlog; the others call `get_logger`. Until `logging_to` is entered, nothing is
written: standard output carries data. Every event passes `Redactor` last, tracebacks and other libraries' records too.
"""

import logging
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NoReturn, Protocol, TextIO, TypeAlias, cast

from sync.errors import ConfigError
from sync.frozen import Frozen
from sync.lean import without
from sync.redaction import Redactor

with without("rich"):  # for coloured tracebacks, which are not among our events
    import structlog
    from structlog.contextvars import bound_contextvars, merge_contextvars
    from structlog.typing import FilteringBoundLogger

Level: TypeAlias = Literal["debug", "info", "warning", "error"]
Format: TypeAlias = Literal["text", "json"]
Event: TypeAlias = MutableMapping[str, Any]
"""structlog's own type of an event."""

_LEVELS: Mapping[str, int] = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(9), 11, 12, *range(13, 32), *range(127, 160))}
"""What a server's text could do to a terminal; line feeds and tabs stay."""


def is_heard() -> bool:
    """Whether an event is written anywhere: a quiet run of 100,000 rows need not make as many events."""
    return structlog.is_configured() and structlog.get_config()["processors"] != [_drop]


def get_logger() -> FilteringBoundLogger:
    """Give a logger: `log.info("row.finished", row=7, status="updated")`."""
    if not structlog.is_configured():
        _silence()
    return cast("FilteringBoundLogger", structlog.get_logger())


def bound(**keys: str) -> AbstractContextManager[None]:
    """Put `keys` (`run_id`) on every event of this thread until the block ends."""
    return bound_contextvars(**keys)


@contextmanager
def logging_to(
    stream: TextIO | None,
    *,
    level: Level = "info",
    log_format: Format | None = None,
    log_file: Path | None = None,
    redactor: Redactor | None = None,
    environ: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Write events until the block ends: to `stream` (standard error, or `None` for a quiet run) and to `log_file`.

    `log_format` holds for the stream; `None` means text at a terminal and JSON lines elsewhere. The file always gets
    JSON lines; it is appended to, and open to its owner alone. `NO_COLOR` in `environ` is honoured. An event that
    cannot be written is lost: a full disk under the log is no reason to end a run.

    Raises:
        ConfigError: The file cannot be opened.
    """
    sinks: list[_Sink] = []
    with ExitStack() as stack:
        if stream is not None:
            at_terminal = stream.isatty()
            as_text = log_format == "text" or (log_format is None and at_terminal)
            colors = at_terminal and not (environ or {}).get("NO_COLOR")
            sinks.append(_Sink(stream, _text(colors=colors) if as_text else _json()))
        if log_file is not None:
            log = _LogFile(log_file, _open_to_append(log_file))
            stack.callback(log.close)
            stack.enter_context(log.reopened_by_request())
            sinks.append(_Sink(log, _json()))
        structlog.configure(
            processors=[_drop]
            if not sinks
            else [
                merge_contextvars,
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                _boot_clock,
                structlog.processors.format_exc_info,
                _Redact(redactor or Redactor()),
                _FanOut(tuple(sinks)),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
            cache_logger_on_first_use=False,
        )
        stack.callback(_silence)
        forward = _Forward(level=logging.WARNING)
        logging.getLogger().addHandler(forward)
        stack.callback(logging.getLogger().removeHandler, forward)
        yield


def _silence() -> None:
    structlog.reset_defaults()
    structlog.configure(processors=[_drop])


def _drop(_logger: object, _method: str, _event: Event) -> NoReturn:
    raise structlog.DropEvent


def _boot_clock(_logger: object, _method: str, event: Event) -> Event:
    """A second clock beside the time of day, which may jump."""
    event["monotonic_s"] = round(time.monotonic(), 3)
    return event


class _Redact(Frozen):
    """The one place where secrets are taken out; comes after everything that adds to an event."""

    redactor: Redactor

    def __call__(self, _logger: object, _method: str, event: Event) -> Event:
        return self.redactor.event(event)


class _Stream(Protocol):
    """What a line is written to."""

    def write(self, text: str, /) -> int:
        """Take a text."""
        ...

    def flush(self) -> None:
        """Hand on what was taken."""
        ...


_log_files: "list[_LogFile]" = []
"""Those that are open now."""


def reopen_log_files() -> None:
    """Open each log file anew before its next event: the system has moved it away. Safe in a signal handler."""
    for log in _log_files:
        log.is_stale = True


@dataclass(slots=True)
class _LogFile:
    """A log file that can be moved away and opened anew; where that fails, the old one goes on."""

    path: Path
    file: TextIO
    is_stale: bool = False

    def write(self, text: str) -> int:
        """Write to the file, opened anew if that was asked for."""
        if self.is_stale:
            self.is_stale = False
            with suppress(ConfigError):
                opened = _open_to_append(self.path)
                self.close()
                self.file = opened
        return self.file.write(text)

    def flush(self) -> None:
        """Hand on what was written."""
        self.file.flush()

    def close(self) -> None:
        """What could not be written is lost, here as in `_Sink.write`."""
        with suppress(OSError):
            self.file.close()

    @contextmanager
    def reopened_by_request(self) -> Iterator[None]:
        """While the block runs, `reopen_log_files` reaches this one."""
        _log_files.append(self)
        try:
            yield
        finally:
            _log_files.remove(self)


@dataclass(slots=True)
class _Sink:
    """A stream and how events are written to it, a line at a time from any thread."""

    stream: _Stream
    render: Callable[[Event], str]
    lock: threading.Lock = field(default_factory=threading.Lock)

    def write(self, event: Event) -> None:
        line = self.render(event) + "\n"
        with self.lock, suppress(OSError, ValueError):
            self.stream.write(line)
            self.stream.flush()


class _FanOut(Frozen):
    """Give each sink its own copy, then end the event: nothing is left for structlog to print."""

    sinks: tuple[_Sink, ...]

    def __call__(self, _logger: object, _method: str, event: Event) -> NoReturn:
        for sink in self.sinks:
            sink.write(dict(event))
        raise structlog.DropEvent


def _json() -> Callable[[Event], str]:
    renderer = structlog.processors.JSONRenderer()
    return lambda event: str(renderer(None, "", event))


def _text(*, colors: bool) -> Callable[[Event], str]:
    renderer = structlog.dev.ConsoleRenderer(
        colors=colors, pad_event_to=0, sort_keys=False, exception_formatter=structlog.dev.plain_traceback
    )

    def render(event: Event) -> str:
        event.pop("monotonic_s", None)
        shown = {key: each.translate(_CONTROLS) if isinstance(each, str) else each for key, each in event.items()}
        return str(renderer(None, "", shown))

    return render


def _open_to_append(path: Path) -> TextIO:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, flags, 0o600)
        if os.name == "posix" and stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.fchmod(descriptor, 0o600)
    except OSError as exc:
        raise ConfigError(f"log_file {path} cannot be written: {exc.strerror}.", remedy="Check its path.") from exc
    return os.fdopen(descriptor, "a", encoding="utf-8")


class _Forward(logging.Handler):
    """Warnings of other libraries, as events like ours, through the same redaction."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log the record under one event name."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            message = str(record.msg)
        method = get_logger().error if record.levelno >= logging.ERROR else get_logger().warning
        method("library.message", library=record.name, message=message, exc_info=record.exc_info or None)
