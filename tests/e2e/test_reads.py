"""Reading costs next to nothing: what a run reads beside its plan, counted on the server's log."""

import pytest

from tests.e2e.command_line import Shell, counts_of
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.e2e

ROWS = 25


@pytest.mark.parametrize(
    ("limits", "rounds"),
    [
        pytest.param("[]", 1, id="no-limits-one-batch-of-ids"),
        pytest.param('[{ scope = "write", count = 10, seconds = 4 }]', 3, id="three-windows-of-ten"),
    ],
)
def test_one_fresh_and_one_verifying_batch_a_round(
    shell: Shell, sandbox: SandboxProcess, limits: str, rounds: int
) -> None:
    """At most one of each for every window of writes, or for every batch of Ids, whichever is more."""
    shell.profile(limits=limits)
    keys = sorted(sandbox.records())[:ROWS]
    shell.write("mine.csv", ["Id", "Title"], *[[key, f"New {key}"] for key in keys])

    ran = shell.apply("mine.csv", "--allow", "rows_changed")

    log = sandbox.log()
    first = next(at for at, entry in enumerate(log) if entry["method"] == "PUT")
    plan, fresh = [entry for entry in log[:first] if entry["ids"]][:2]
    reads = [entry for entry in log if entry["method"] == "GET" and entry is not plan]
    assert ran.code == 0
    assert counts_of(shell.folder / "out") == {"updated": ROWS}
    assert len(sandbox.puts()) == ROWS
    assert set(plan["ids"]) == set(keys) >= set(fresh["ids"])
    assert len(reads) <= 2 * rounds
