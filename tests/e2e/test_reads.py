"""Reading costs next to nothing: what a run reads beside its plan, counted on the server's log."""

from math import ceil

import pytest

from sync.adapters.addresses import split_ids
from sync.model import SectionId
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


@pytest.mark.parametrize("rows", [1, 130, 299])
def test_planning_asks_for_no_more_than_its_batches_and_the_witnesses(
    shell: Shell, sandbox: SandboxProcess, rows: int
) -> None:
    """So many edited rows are planned with the reads that their Ids need, and one for the account's witnesses."""
    keys = sorted(sandbox.records())[:rows]
    shell.write("mine.csv", ["Id", "Title"], *[[key, f"New {key}"] for key in keys])
    a_url_takes = len(split_ids([SectionId(10**9 + number) for number in range(1_000)], sandbox.base_url)[0])

    first, again = shell("plan", "mine.csv"), shell("plan", "mine.csv")

    asked = [entry["ids"] for entry in sandbox.log()]
    assert (first.code, again.code) == (0, 0)
    assert {entry["method"] for entry in sandbox.log()} == {"GET"}
    assert len(asked) <= 2 * (ceil(rows / a_url_takes) + 1)
    assert set(keys) == {key for ids in asked for key in ids}


def test_a_quiet_run_asks_for_each_row_once(shell: Shell, sandbox: SandboxProcess) -> None:
    """Nothing changed: the Ids in batches and the witnesses, nothing singly, no list, no PUT."""
    records = sandbox.records()
    keys = sorted(records)
    shell.write("same.csv", ["Id", "Title"], *[[key, records[key]["Title"]] for key in keys])
    shell.apply("same.csv")
    before = len(sandbox.log())

    ran = shell.apply("same.csv")

    asked = [entry["ids"] for entry in sandbox.log()[before:]]
    assert ran.code == 0
    assert counts_of(shell.folder / "out") == {"unchanged": len(keys)}
    assert len(asked) <= ceil(len(keys) / 170) + 1
    assert sorted(key for ids in asked[1:] for key in ids) == keys
