"""Start the command line as a process, signal it, and wait for its end: the client of `zygote.py`."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parents[2]
END_S = 60.0
"""No command of a test takes longer."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it said; a negative code is the signal that killed it."""

    code: int
    stdout: str
    stderr: str

    @property
    def was_killed(self) -> bool:
        """Whether it died at a failpoint."""
        return self.code == -9

    @property
    def out(self) -> Path | None:
        """The report's folder, which a command always prints."""
        lines = [line for line in self.stdout.splitlines() if line.startswith("Report: ")]
        return Path(lines[-1].removeprefix("Report: ")) if lines else None


class Commands:
    """Forks commands from a process that has loaded the program; a context manager."""

    def __enter__(self) -> Self:
        """Start that process and wait until it has loaded everything.

        Raises:
            RuntimeError: it has more than one thread, and must not fork.
        """
        env = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._zygote = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote"],
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        threads = self._answer()["threads"]
        if threads != 1:
            self._end()
            raise RuntimeError(f"the zygote has {threads} threads")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, and what it has started."""
        self._end()

    def start(
        self,
        words: Sequence[str],
        *,
        folder: Path,
        env: Mapping[str, str],
        name: str,
        closed_stdout: bool = False,
        file_size: int | None = None,
    ) -> "Running":
        """Start `coursesync` with `words` in `folder`; what it says goes to files there that begin with `name`.

        With `closed_stdout` nobody reads its output; `file_size` is how long any of its files may grow, in bytes.
        """
        stdout, stderr = folder / f"{name}.out", folder / f"{name}.err"
        order = {
            "do": "start",
            "argv": list(words),
            "env": dict(env),
            "cwd": str(folder),
            "stdout": None if closed_stdout else str(stdout),
            "stderr": str(stderr),
            "file_size": file_size,
        }
        return Running(self, self._ask(order)["pid"], stdout, stderr)

    def wait(self, pid: int, timeout_s: float) -> int | None:
        """The exit code of a child, or None if it is still at work."""
        code: int | None = self._ask({"do": "wait", "pid": pid, "timeout_s": timeout_s})["code"]
        return code

    def _ask(self, order: Mapping[str, Any]) -> dict[str, Any]:
        assert self._zygote.stdin is not None
        self._zygote.stdin.write(json.dumps(order) + "\n")
        self._zygote.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._zygote.stdout is not None
        line = self._zygote.stdout.readline()
        if not line:
            raise RuntimeError("the zygote has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _end(self) -> None:
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        self._zygote.stdin.close()
        self._zygote.wait(END_S)
        self._zygote.stdout.close()


@dataclass(slots=True)
class Running:
    """A command at work."""

    commands: Commands
    pid: int
    stdout: Path
    stderr: Path

    def signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def ended(self, timeout_s: float = END_S) -> Ended:
        """Wait for its end.

        Raises:
            TimeoutError: it has not ended in time; it is killed, and what it said is in the text.
        """
        code = self.commands.wait(self.pid, timeout_s)
        if code is None:
            self.signal(9)
            self.commands.wait(self.pid, END_S)
            raise TimeoutError(f"still at work after {timeout_s} s; it said: {_text(self.stderr)}")
        return Ended(code, _text(self.stdout), _text(self.stderr))


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""
