"""The schedules in `configs/`, as they are written: each command line runs, each unit is sound, none holds a secret.

Only absolute folders are put under a root of the test's own. The units themselves run nowhere here: that takes a system
whose first process is systemd. `systemd-analyze` reads them, and what they would start is started.
"""

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e.command_line import Shell
from tests.programs import find, needs
from tests.sandbox_process import ROOT, TOKEN, SandboxProcess

pytestmark = pytest.mark.e2e

CONFIGS = ROOT / "configs"
SERVICES = sorted(path.name for path in CONFIGS.glob("*.service"))
TIMERS = sorted(path.name for path in CONFIGS.glob("*.timer"))
FOLDERS = re.compile(r"/(?:opt|etc|home|srv|var/lib|var/log)/coursesync(?=[/\s]|$)")
LONGEST_S = 60.0
EXPOSED_AT_MOST = "20"
"""Tenths on the scale of `systemd-analyze security`: 0 is shut, 100 is open."""
CRON = (CONFIGS / "crontab.example").read_text(encoding="utf-8").splitlines()
CRON_LINES = [line for line in CRON if re.match(r"[\d*]", line)]


class Machine:
    """Folders below a root that lie as the examples have them; the program and the profile are the real ones."""

    def __init__(self, shell: Shell, sandbox: SandboxProcess) -> None:
        self.root, self.sandbox = shell.folder / "root", sandbox
        for name in ("opt", "etc", "srv", "home", "var/lib", "var/log"):
            (self.root / name / "coursesync").mkdir(parents=True)
        for name in ("srv", "home"):
            (self.root / name / "coursesync" / "inbox").mkdir()
        (self.root / "opt/coursesync/.venv").symlink_to(sys.prefix)
        (self.root / "opt/coursesync/configs").symlink_to(CONFIGS)
        (self.root / "etc/coursesync/production.toml").symlink_to(CONFIGS / "production.toml")
        self.write("etc/coursesync/token", TOKEN)
        self.write("home/coursesync/.config/coursesync/token", TOKEN)
        self.write("home/coursesync/.local/state/coursesync/production/.keep", "")

    def write(self, place: str, content: str | bytes) -> None:
        """A file for its owner alone."""
        path = self.root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(0o600)

    def under(self, text: str) -> str:
        """A text with its folders under the root."""
        return FOLDERS.sub(lambda found: f"{self.root}{found.group()}", text)

    def run(self, words: list[str], env: Mapping[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run it as a service does: with this environment and no more, but for the address of the sandbox.

        What watches is told to end, as `systemctl stop` does, once everything that was dropped is done with.
        """
        plain = {"PATH": os.defpath, "HOME": str(self.root), "COURSESYNC_BASE_URL": self.sandbox.base_url}
        process = subprocess.Popen(
            words,
            cwd=cwd,
            env=plain | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            if "--watch" in words:
                self._wait_until_done()
                process.terminate()
            out, err = process.communicate(timeout=LONGEST_S)
        finally:
            process.kill()
            process.wait()
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def _wait_until_done(self) -> None:
        end = time.monotonic() + LONGEST_S
        while not list(self.root.glob("srv/coursesync/inbox/done/*/*.csv")):
            assert time.monotonic() < end, "it did not come to pass"
            time.sleep(0.1)
        time.sleep(0.5)


@pytest.fixture
def machine(shell: Shell, sandbox: SandboxProcess) -> Machine:
    return Machine(shell, sandbox)


def first_id(sandbox: SandboxProcess) -> int:
    return min(key for key, record in sandbox.records().items() if record["Title"])


@pytest.fixture
def dropped(machine: Machine) -> Machine:
    """With a sheet in each drop folder that changes one section."""
    for place in ("srv", "home"):
        machine.write(f"{place}/coursesync/inbox/dropped.csv", f"Id,Title\n{first_id(machine.sandbox)},Dropped\n")
    for place in ("home/coursesync/sheets", "var/lib/coursesync"):
        sheet = f"Id,Title\n{first_id(machine.sandbox)},Applied\n"
        machine.write(f"{place}/sections.xlsx", sheet)
    return machine


@pytest.mark.parametrize("line", CRON_LINES, ids=[line.split("coursesync ")[-1].split()[0] for line in CRON_LINES])
@needs("flock")
def test_each_line_of_the_crontab_runs_as_it_is_written(dropped: Machine, line: str) -> None:
    """By cron's shell, in cron's environment: exit 0, nothing printed, so no mail; and it did what it says."""
    fields = re.fullmatch(r"(?:[\d*/,-]+\s+){5}(.*)", line)
    assert fields is not None
    settings = dict(re.findall(r"^([A-Z_]+)=(.*)$", "\n".join(CRON), re.MULTILINE))
    env = {name: dropped.under(value) for name, value in settings.items() if name.startswith("COURSESYNC_")}

    ran = dropped.run([settings["SHELL"], "-c", dropped.under(fields.group(1))], env, dropped.root)

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert len(dropped.sandbox.puts()) == (0 if " purge " in line else 1)


def values_of(service: str, key: str) -> list[str]:
    """Every value of a key in a unit, specifiers put in."""
    text = (CONFIGS / service).read_text(encoding="utf-8")
    return [value.replace("%S", "/var/lib") for value in re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)]


@pytest.mark.parametrize("service", SERVICES)
def test_what_each_unit_starts_runs_as_it_is_written(dropped: Machine, service: str, tmp_path: Path) -> None:
    """With its folder, environment and credentials: exit 0, nothing printed, and it did what it says."""
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    for each in values_of(service, "LoadCredential"):
        name, source = each.split(":")
        (credentials / name).write_bytes(Path(dropped.under(source)).read_bytes())
    env = dict(dropped.under(each).split("=", 1) for each in values_of(service, "Environment"))
    (command,) = values_of(service, "ExecStart")
    (folder,) = values_of(service, "WorkingDirectory")
    words = shlex.split(dropped.under(command))

    ran = dropped.run(words, {**env, "CREDENTIALS_DIRECTORY": str(credentials)}, Path(dropped.under(folder)))

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert len(dropped.sandbox.puts()) == (0 if "purge" in service else 1)


def test_an_exit_code_of_a_schedule_means_what_the_contract_says(dropped: Machine) -> None:
    """A sheet that is refused: 3, and the one line on standard error that cron mails."""
    dropped.write("home/coursesync/sheets/sections.xlsx", "Title\nNo Id\n")
    line = CRON_LINES[0].split(maxsplit=5)[5]
    env = {"COURSESYNC_TOKEN_FILE": dropped.under("/home/coursesync/.config/coursesync/token")}
    env["COURSESYNC_STATE_DIR"] = dropped.under("/home/coursesync/.local/state/coursesync/production")

    ran = dropped.run(["/bin/sh", "-c", dropped.under(line)], env, dropped.root)

    assert (ran.returncode, ran.stdout) == (3, "")
    assert len(ran.stderr.splitlines()) == 1


@needs("systemd-analyze")
def test_systemd_finds_no_fault_in_the_units(machine: Machine, tmp_path: Path) -> None:
    """`systemd-analyze verify` on all of them side by side, the program being where they say."""
    units = tmp_path / "units"
    units.mkdir()
    for name in (*SERVICES, *TIMERS):
        (units / name).write_text(machine.under((CONFIGS / name).read_text(encoding="utf-8")), encoding="utf-8")

    ran = analyze("verify", "--man=no", *(str(units / name) for name in (*SERVICES, *TIMERS)))

    assert len(SERVICES) == 4
    assert (ran.returncode, ran.stdout + ran.stderr) == (0, "")


@needs("systemd-analyze")
def test_the_units_are_shut_as_far_as_they_can_be() -> None:
    """`systemd-analyze security`: an exposure of at most 2.0 of 10 each."""
    ran = analyze(
        "security", "--offline=true", f"--threshold={EXPOSED_AT_MOST}", *(str(CONFIGS / name) for name in SERVICES)
    )

    assert ran.returncode == 0, ran.stdout[-300:]
    assert ran.stdout.count("Overall exposure level") == len(SERVICES)


@pytest.mark.parametrize("service", SERVICES)
def test_a_unit_keeps_what_was_promised(service: str) -> None:
    """No secret but by LoadCredential, a strict system, bounded memory, and time to drain before it is killed."""
    timeout_s, settle_after_s = 30, 0
    text = (CONFIGS / service).read_text(encoding="utf-8")

    assert {"ProtectSystem=strict", "NoNewPrivileges=yes", "PrivateTmp=yes"} <= set(text.splitlines())
    assert values_of(service, "MemoryMax") == ["1G"]
    assert int(values_of(service, "TimeoutStopSec")[0]) > 2 * timeout_s + settle_after_s
    assert bool(values_of(service, "LoadCredential")) == ("purge" not in service)


def test_no_schedule_holds_a_secret() -> None:
    """Each names where its secrets lie, and no more."""
    for path in CONFIGS.iterdir():
        text = path.read_text(encoding="utf-8")
        settings = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
        assert not re.search(r"(TOKEN|PASSWORD|SECRET|TARGETS)=", "\n".join(settings)), path.name
        assert not re.search(r"://[^/\s]*:[^/\s]*@", text), path.name


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    program = find("systemd-analyze")
    assert program is not None
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=60, check=False)
