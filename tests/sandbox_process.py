"""A sandbox in a process of its own, for tests: started, asked, steered and reaped."""

import os
import ssl
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

ROOT = Path(__file__).parents[1]
START_S = 20.0
END_S = 10.0
TOKEN = "sandbox-token"
TRUSTS_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients that speak plain HTTP: httpx would load all certificate authorities for each."""


class SandboxProcess:
    """`python -m sync.sandbox` with the given words; a context manager that starts and ends it.

    Its standard error is inherited, so what goes wrong inside is seen in the test's output.
    """

    def __init__(self, *words: str, seed: Path | None = None, env: Mapping[str, str] | None = None) -> None:
        """Keep the words; `seed` becomes --seed, `env` is laid over this process's environment."""
        self._words = [*words, *(["--seed", str(seed.resolve())] if seed else [])]
        self._env = {**os.environ, **(env or {})}
        self._process: subprocess.Popen[str] | None = None
        self._client: httpx.Client | None = None
        self.base_url = ""
        self.control_url = ""

    def __enter__(self) -> Self:
        """Start the server and wait until it says its address.

        Raises:
            RuntimeError: it ended instead.
        """
        command = [sys.executable, "-m", "sync.sandbox", "--until-stdin-closes", *self._port(), *self._words]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=self._env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line.startswith("listening on "):
            code = self._reap()
            raise RuntimeError(f"the sandbox did not start: exit {code}, first line {line!r}")
        self.base_url = line.removeprefix("listening on ")
        self.control_url = self.base_url.removesuffix("/api") + "/_sandbox"
        self._client = httpx.Client(trust_env=False, timeout=START_S, verify=False)  # noqa: S501 -- loopback, own process
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the server."""
        self.stop()

    @property
    def pid(self) -> int:
        """The server's process id."""
        assert self._process is not None
        return self._process.pid

    def stop(self) -> int:
        """End the server as a signal would, and return its exit code; a second call does nothing more."""
        if self._client:
            self._client.close()
            self._client = None
        return self._reap()

    def client(self, token: str = TOKEN, timeout: float = 5) -> httpx.Client:
        """Open a client that asks as the program does: base URL, token, JSON wanted, no proxies."""
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", "User-Agent": "a-test"}
        return httpx.Client(
            base_url=self.base_url, headers=headers, trust_env=False, timeout=timeout, verify=TRUSTS_NOBODY
        )

    def log(self) -> list[dict[str, Any]]:
        """Every request so far, in the order of decision."""
        entries: list[dict[str, Any]] = self._get("log")
        return entries

    def puts(self) -> list[dict[str, Any]]:
        """The log entries of PUT requests."""
        return [entry for entry in self.log() if entry["method"] == "PUT"]

    def records(self) -> dict[int, dict[str, Any]]:
        """The sections as the server holds them, by Id."""
        return {record["Id"]: record for record in self._get("records")}

    def history(self) -> list[dict[str, Any]]:
        """Every change of a section so far, ours and other people's: number, id, by, before, after."""
        changes: list[dict[str, Any]] = self._get("history")
        return changes

    def edit(self, section_id: int, /, by: str = "someone@else.example", **fields: object) -> dict[str, Any]:
        """Change a section as another person would; returns the change."""
        change: dict[str, Any] = self._post("edit", {"id": section_id, "fields": fields, "by": by})
        return change

    def delete(self, section_id: int) -> None:
        """Delete a section as another person would."""
        self._post("delete", {"id": section_id})

    def faults(self, rules: Sequence[Mapping[str, Any]]) -> None:
        """Replace the fault script."""
        self._post("faults", list(rules))

    def options(self, **changes: object) -> None:
        """Set switches anew, by their field names; limits as words: `limits=["write:60:60"]`."""
        self._post("options", changes)

    def expire_tokens(self) -> None:
        """Let every access token handed out so far expire now."""
        self._post("expire-tokens", None)

    def reset(self) -> None:
        """Be as at the start."""
        self._post("reset", None)

    def _port(self) -> list[str]:
        return [] if "--port" in self._words else ["--port", "0"]

    def _get(self, name: str) -> Any:  # noqa: ANN401 -- JSON
        assert self._client is not None
        answer = self._client.get(f"{self.control_url}/{name}")
        answer.raise_for_status()
        return answer.json()

    def _post(self, name: str, body: object) -> Any:  # noqa: ANN401 -- JSON
        assert self._client is not None
        answer = self._client.post(f"{self.control_url}/{name}", json=body)
        if answer.is_error:
            raise ValueError(answer.text)
        return answer.json()

    def _reap(self) -> int:
        process = self._process
        assert process is not None
        if process.poll() is None:
            process.terminate()
        try:
            code = process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()
        return code
