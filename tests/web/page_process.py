"""The page in a process of its own, and somebody who asks it as a browser does."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from sync.adapters.clock import SystemClock
from sync.adapters.passwords import hash_of
from sync.adapters.store import open_store
from sync.adapters.store.people import keep_person
from tests.sandbox_process import ROOT, TOKEN, SandboxProcess

START_S = 30.0
PASSWORD = "correct horse battery"


@contextmanager
def slowed(sandbox: SandboxProcess, latency_ms: int) -> Iterator[None]:
    """Let the sandbox answer late within the block, so that a run is still at work when it is looked at."""
    sandbox.options(latency_ms=latency_ms)
    try:
        yield
    finally:
        sandbox.options(latency_ms=0)


class PageProcess:
    """`coursesync serve` in `folder`, on a free port, for the sandbox; a context manager that starts and ends it."""

    def __init__(
        self,
        folder: Path,
        server: SandboxProcess | str,
        *words: str,
        limits: str | None = "[]",
        people: Mapping[str, str] = {},
        more: str = "",
    ) -> None:
        """Write the profile for a sandbox, or for a base URL; `limits=None` leaves those that are documented.

        `people` are added by name and role before the server starts; `more` are lines of the profile.
        """
        self.folder = folder
        self._words = words
        self._people = people
        self._process: subprocess.Popen[str] | None = None
        self._visitors: list[Visitor] = []
        self.transport: Callable[[], httpx.BaseTransport] = httpx.HTTPTransport
        """How a visitor's requests travel: plainly, unless a test lets them go over TLS."""
        self.address = ""
        self.base = ""
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("COURSESYNC_")},
            "COURSESYNC_TOKEN": TOKEN,
            "HOME": str(folder / "home"),
            "PYTHONPATH": str(ROOT),
        }
        lines = [
            f'base_url = "{server if isinstance(server, str) else server.base_url}"',
            'account = "quayside"',
            'state_dir = "state"',
            "" if limits is None else f"limits = {limits}",
            "settle_after_s = 0.2",
            "timeout_s = 5",
            more,
        ]
        (folder / "configs").mkdir(exist_ok=True)
        (folder / "configs" / "main.toml").write_text("\n".join(lines), encoding="utf-8")

    @property
    def state(self) -> Path:
        """The state directory."""
        return self.folder / "state"

    @property
    def pid(self) -> int:
        """The server's process id."""
        assert self._process is not None
        return self._process.pid

    def command(self, *words: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run the command line beside the page."""
        return subprocess.run(
            [sys.executable, "-m", "sync", *words, "--profile", "main"],
            cwd=self.folder,
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def __enter__(self) -> Self:
        """Start, and wait until it says its address."""
        if self._people:
            self._add_people()
        self.start()
        return self

    def _add_people(self) -> None:
        """As `users add` does, without a process for each."""
        with closing(open_store(self.state, SystemClock())) as store:
            for name, role in self._people.items():
                keep_person(store, name, role=role, password=hash_of(PASSWORD))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the server."""
        for visitor in self._visitors:
            visitor.client.close()
        self.stop()

    def start(self) -> None:
        """Start the server."""
        port = self.base.rpartition(":")[2] or "0"
        talk = (self.folder / "serve.err").open("a", encoding="utf-8")
        with talk:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "sync", "serve", "--port", port, *self._words, "--profile", "main"],
                cwd=self.folder,
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=talk,
                text=True,
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert "http" in line, (self.folder / "serve.err").read_text(encoding="utf-8")
        self.address = line.split()[-1]
        self.base = "/".join(self.address.split("/")[:3])

    def stop(self, *, kill: bool = False) -> int:
        """End the server as a signal does, or at once; give its exit code."""
        process = self._process
        assert process is not None
        if process.poll() is None:
            (process.kill if kill else process.terminate)()
        code = process.wait(20)
        if process.stdout is not None:
            process.stdout.close()
        return code

    def stranger(self) -> "Visitor":
        """Somebody who is not signed in."""
        visitor = Visitor(self.base, self.transport())
        self._visitors.append(visitor)
        return visitor

    def visitor(self, name: str | None = None) -> "Visitor":
        """Somebody who is signed in: by the link, or by name and password."""
        visitor = self.stranger()
        form = {"link": self.address.partition("link=")[2]}
        if name is not None:
            form = {"name": name, "password": PASSWORD}
        visitor.get("/sign-in")
        answer = visitor.client.post("/sign-in", data=form)
        assert answer.status_code == 303, answer.text
        visitor.set_cookie = answer.headers["set-cookie"].lower()
        visitor.look()
        return visitor


class Visitor:
    """One browser, as far as a server sees it."""

    def __init__(self, base: str, transport: httpx.BaseTransport) -> None:
        """Know nothing yet."""
        self.base = base
        self.client = httpx.Client(
            base_url=base,
            trust_env=False,
            timeout=30,
            headers={"Origin": base, "Sec-Fetch-Site": "same-origin"},
            transport=transport,
        )
        self.csrf = ""
        self.set_cookie = ""

    def look(self) -> None:
        """Learn the token of the forms."""
        found = re.search(r'name="csrf" value="(\w+)"', self.get("/").text)
        assert found is not None
        self.csrf = found[1]

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Ask for a page, led on where the server leads."""
        return self.client.get(path, headers=headers, follow_redirects=True)

    def post(self, path: str, form: Mapping[str, str | Sequence[str]] | None = None) -> httpx.Response:
        """Send a form of this session; not led on."""
        return self.client.post(path, data={"csrf": self.csrf, **(form or {})})

    def upload(self, path: Path, *, name: str | None = None) -> str:
        """Upload a sheet; give the address of its plan."""
        answer = self.client.post(
            "/uploads", data={"csrf": self.csrf}, files={"sheet": (name or path.name, path.read_bytes())}
        )
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def wait_for(self, path: str, ready: Callable[[httpx.Response], bool], *, seconds: float = 40) -> httpx.Response:
        """Ask again and again until a page is as it is waited for."""
        until = time.monotonic() + seconds
        while True:
            answer = self.get(path)
            if ready(answer):
                return answer
            assert time.monotonic() < until, answer.text
            time.sleep(0.2)

    def planned(self, path: Path, *, name: str | None = None) -> tuple[str, httpx.Response]:
        """Upload a sheet and wait for its plan: its address and its page."""
        plan = self.upload(path, name=name)
        return plan, self.made(plan)

    def made(self, plan: str) -> httpx.Response:
        """Wait until a plan is made or refused."""
        return self.wait_for(plan, lambda answer: 'id="making"' not in answer.text)

    def approve(self, plan: str, **form: str) -> httpx.Response:
        """Approve a plan with every rail ticked."""
        question = self.get(f"{plan}/approval").text
        token = re.search(r'name="token" value="(\w*)"', question)
        rails = re.findall(r'name="rail" value="(\w+)"', question)
        return self.post(f"{plan}/approval", {"token": token[1] if token else "", "rail": rails, **form})

    def run_of(self, order: httpx.Response) -> str:
        """The address of the run that carries out an order, once it has begun."""
        assert order.status_code == 303, order.text
        answer = self.wait_for(order.headers["location"], lambda found: "/runs/" in str(found.url))
        return answer.url.path

    def ended(self, run: str, *, seconds: float = 40) -> httpx.Response:
        """Wait until a run is no longer at work."""
        return self.wait_for(run, lambda answer: "data-events" not in answer.text, seconds=seconds)

    def counts(self, page: httpx.Response) -> dict[str, int]:
        """The counts that a page shows; a page without any, such as a refusal, fails with its words."""
        found = re.findall(r'data-count="(\w+)">([\d,]+)<', page.text)
        assert found, page.text
        return {name: int(count.replace(",", "")) for name, count in found}
