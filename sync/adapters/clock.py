"""The real clocks: wall time, and the time since boot, which no clock adjustment moves. The only home of `time`."""

import time
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class SystemClock:
    """The machine's own clocks (`ports.Clock`)."""

    def __init__(self, *, boot_id_file: Path = _BOOT_ID) -> None:
        """Read which boot this is; without such a file every process is its own boot."""
        try:
            self._boot_id = boot_id_file.read_text().strip()
        except OSError:
            self._boot_id = f"process-{time.monotonic_ns()}"

    @property
    def boot_id(self) -> str:
        """Names the boot that `boot()` counts from."""
        return self._boot_id

    def wall(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def boot(self) -> float:
        """Seconds since boot, sleep of the machine included where the system can tell (Linux)."""
        clock = getattr(time, "CLOCK_BOOTTIME", None)
        return time.monotonic() if clock is None else time.clock_gettime(clock)

    def sleep(self, seconds: float) -> None:
        """Do nothing for that long."""
        time.sleep(seconds)
