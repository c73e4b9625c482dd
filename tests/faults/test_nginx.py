"""A second opinion on throttling: nginx's own limiter in front of the sandbox, as 409 and as 429."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.programs import find, needs
from tests.sandbox_process import SandboxProcess

ROOT = Path(__file__).resolve().parents[2]
SEED = ROOT / "sample_data" / "sandbox_seed.json"
SHEET = ROOT / "sample_data" / "reorder_a_course.csv"
NGINX = find("nginx")
CONFIGURATION = """
daemon off; master_process off; error_log {folder}/error.log crit; pid {folder}/nginx.pid;
events {{ worker_connections 64; }}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  limit_req_zone $binary_remote_addr zone=all:1m rate=10r/s;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      limit_req zone=all; limit_req_status {status}; error_page {status} = @throttled;
      proxy_pass http://{upstream}; proxy_http_version 1.1; proxy_set_header Connection "";
    }}
    location @throttled {{ add_header Retry-After 1 always; return {status} ""; }}
  }}
}}
"""

pytestmark = [pytest.mark.e2e, needs("nginx")]


@contextmanager
def _nginx(folder: Path, upstream: str, status: int) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    path = folder / "nginx.conf"
    path.write_text(CONFIGURATION.format(folder=folder, port=port, status=status, upstream=upstream))
    process = subprocess.Popen([str(NGINX), "-c", str(path), "-p", str(folder), "-e", str(folder / "error.log")])
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}/api"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def _wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            probe.settimeout(0.05)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("nginx did not start")


def _apply(folder: Path, base_url: str, limits: str) -> int:
    profile = folder / "profile.toml"
    profile.write_text(f'base_url = "{base_url}"\naccount = "nginx"\nsettle_after_s = 0.5\n{limits}\n')
    env = os.environ | {"COURSESYNC_TOKEN": "sandbox-token", "COURSESYNC_STATE_DIR": str(folder / "state")}
    words = ["apply", str(SHEET), "--yes", "--config", str(profile)]
    command = [sys.executable, "-m", "sync", *words]
    return subprocess.run(command, env=env, cwd=ROOT, capture_output=True, check=False, timeout=100).returncode


def _throttled(folder: Path, status: int) -> int:
    return (folder / "access.log").read_text().count(f'HTTP/1.1" {status} ')


@pytest.mark.parametrize("status", [409, 429])
def test_who_keeps_the_spacing_is_never_throttled(tmp_path: Path, status: int) -> None:
    """With the limit in the profile, nginx lets every request through."""
    with SandboxProcess("--no-limits", seed=SEED) as sandbox:
        upstream = sandbox.base_url.removeprefix("http://").removesuffix("/api")
        with _nginx(tmp_path, upstream, status) as base_url:
            code = _apply(tmp_path, base_url, '[[limits]]\nscope = "all"\ncount = 1\nseconds = 0.1')

        assert code == 0
        assert _throttled(tmp_path, status) == 0


@pytest.mark.parametrize("status", [409, 429])
def test_who_does_not_know_the_limit_waits_and_loses_no_row(tmp_path: Path, status: int) -> None:
    """Without it, nginx says no again and again; every row is updated in the end, each once."""
    with SandboxProcess("--no-limits", seed=SEED) as sandbox:
        upstream = sandbox.base_url.removeprefix("http://").removesuffix("/api")
        with _nginx(tmp_path, upstream, status) as base_url:
            code = _apply(tmp_path, base_url, "limits = []")
        sections = [entry["id"] for entry in sandbox.puts()]

        assert code == 0
        assert _throttled(tmp_path, status) > 0
        assert len(sections) == len(set(sections)) > 0
