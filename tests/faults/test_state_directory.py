"""F10 and F36: a state directory that cannot be trusted, and a disk that does not keep what it was given.

These need a process of its own from the start: mounts are made in a namespace of its own, and `fsync` fails by the
doing of a library that is loaded before libc.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from tests.faults.commands import ROOT, Ended
from tests.faults.desk import Desk

pytestmark = pytest.mark.e2e

END_S = 60
UNSHARE = ("unshare", "--mount", "sh", "-c")
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
FAILING_FSYNC = r"""
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int seen;

static int fails(int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    const char *from = getenv("FSYNC_FAILS_FROM");
    if (length < 0 || from == NULL) return 0;
    path[length] = 0;
    return strstr(path, "store.sqlite3") != NULL && ++seen >= atoi(from);
}

int fsync(int file) {
    if (fails(file)) { errno = EIO; return -1; }
    return (int) syscall(SYS_fsync, file);
}

int fdatasync(int file) {
    if (fails(file)) { errno = EIO; return -1; }
    return (int) syscall(SYS_fdatasync, file);
}
"""


@cache
def mounts_can_be_made() -> bool:
    """Whether this user may have mounts of its own."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*UNSHARE, "mount -t tmpfs none /mnt"], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def failing_fsync(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that makes `fsync` fail on the store."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs a C compiler (cc) and Linux")
    folder = tmp_path_factory.mktemp("fsync")
    source, library = folder / "failing_fsync.c", folder / "failing_fsync.so"
    source.write_text(FAILING_FSYNC)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    return library


def run(desk: Desk, before: Sequence[str] = (), **env: str) -> Ended:
    """Apply the desk's sheet in a process of its own, started by `before`."""
    words = ["apply", str(desk.sheet), "--yes", "--config", str(desk.folder / "desk.toml")]
    done = subprocess.run(
        [*before, sys.executable, "-m", "sync", *words, "--state-dir", str(desk.state_dir)],
        cwd=ROOT,
        env={**os.environ, **desk.env, **env},
        capture_output=True,
        text=True,
        timeout=END_S,
        check=False,
    )
    return desk.note(Ended(done.returncode, done.stdout, done.stderr))


@pytest.mark.parametrize("used", [False, True], ids=["new", "used before"])
def test_a_read_only_state_directory_is_refused(desk: Desk, *, used: bool) -> None:
    """F10: exit 2 with the way on, nothing asked, nothing sent; even for root, whom no permission holds."""
    if not mounts_can_be_made():
        pytest.skip("this user may not mount")
    desk.rename(1)
    desk.state_dir.mkdir(mode=0o700)
    if used:
        assert desk.apply().code == 0
    asked = len(desk.sandbox.log())
    ended = run(desk, [*UNSHARE, READ_ONLY, str(desk.state_dir)])

    assert (ended.code, len(desk.sandbox.log()), desk.broken()) == (2, asked, []), ended
    assert "--state-dir" in ended.stderr


@pytest.mark.parametrize("syncs", [1, 9])
def test_a_disk_that_does_not_keep_what_it_was_given_stops_the_run(syncs: int, desk: Desk, failing_fsync: Path) -> None:
    """F36: fsync fails (EIO) from some moment on: exit 5, nothing sent that is not on the disk; later it is done."""
    desk.rename(4)
    ended = run(desk, LD_PRELOAD=str(failing_fsync), FSYNC_FAILS_FROM=str(syncs))

    assert (ended.code, desk.broken()) == (5, []), ended
    assert "could not be written" in ended.stderr
    again = desk.go_on()
    assert (again.code, set(desk.statuses()), desk.broken()) == (0, {"updated"}, []), again
