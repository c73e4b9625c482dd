"""`make bench` compares like with like: both parties are done only when the server holds what the sheet asks for."""

import sys
from pathlib import Path

import pytest

from tests.bench.canned import CannedServer
from tests.bench.parties import Parties
from tests.bench.processes import peak_bytes, seconds
from tests.bench.sections import FIRST_ID, new_title

pytestmark = pytest.mark.e2e

ROWS = 30
ASKED = {str(number): new_title(number) for number in range(FIRST_ID, FIRST_ID + ROWS)}


@pytest.mark.parametrize("party", ["ours", "peer"])
@pytest.mark.parametrize("changed", [True, False], ids=["every row changed", "nothing changed"])
def test_a_measured_party_has_done_the_work(party: str, tmp_path: Path, *, changed: bool) -> None:
    """Every changed row reaches the server, and a row that is as asked is not sent."""
    with CannedServer(ROWS) as server:
        parties = Parties(server, ROWS, changed=changed, folder=tmp_path)
        command = parties.ours() if party == "ours" else parties.peer()
        took = seconds(command)

        assert took > 0
        assert server.titles() == (ASKED if changed else {})


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_the_memory_of_children_counts() -> None:
    """A process that lets a child hold 80 MB is as heavy as one that holds them itself."""
    from tests.bench.processes import Command

    hold = "held = bytearray(80_000_000); import time; time.sleep(0.4)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hold!r}])"

    assert peak_bytes(Command((sys.executable, "-c", parent), {})) > 80_000_000
