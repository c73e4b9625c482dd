"""Write to the two streams: a reader that has gone away costs the text, never the run or its exit code."""

import errno
import os
import sys
from contextlib import suppress
from typing import TextIO

import click

_GONE = frozenset({errno.EPIPE, errno.EIO})
"""The pipe has no reader (`| head -1`), or the terminal hung up."""


def open_missing() -> None:
    """Open what the caller closed (`>&-`), so that no file or socket of ours takes the place of a standard stream."""
    for descriptor, name in ((0, "stdin"), (1, "stdout"), (2, "stderr")):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(descriptor, "r" if descriptor == 0 else "w", closefd=False))


def echo(text: str, *, err: bool = False) -> None:
    """Print one line; nothing where nobody reads any more.

    Raises:
        OSError: the stream cannot be written for another reason: a full disk.
    """
    try:
        click.echo(text, err=err)
    except OSError as error:
        if error.errno not in _GONE:
            raise
        _point_nowhere(sys.stderr if err else sys.stdout)


def flush() -> None:
    """Write out what the streams still hold, so that nothing is left to fail when the interpreter ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            _point_nowhere(stream)


def _point_nowhere(stream: TextIO) -> None:
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
