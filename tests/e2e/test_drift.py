"""`drift`: what somebody changed of what runs made so, and nothing else; and putting it back through the rails."""

import pytest

from tests.e2e.command_line import Shell, as_json, counts_of, refused, rows_of, statuses, summary_of
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.e2e

KEY, OTHER, THIRD = 1414925001, 1414925007, 1414925023
EVE = "eve@example.com"


@pytest.fixture
def ran(shell: Shell, sandbox: SandboxProcess) -> SandboxProcess:
    """A server that writes HTML its own way, after a run that named two sections."""
    sandbox.options(html="rewrite")
    shell.write("mine.xlsx", ["Id", "Title", "SectionContents"], [KEY, "Mine", None], [OTHER, None, "<B>Mine<BR>"])
    assert shell.apply("mine.xlsx", "--allow", "contents_shrunk").code == 0
    return sandbox


def drift(shell: Shell, *words: str, out: str = "drift") -> int:
    return shell("drift", *words, "--out", out).code


def test_nothing_drifts_that_no_run_made_so(shell: Shell, sandbox: SandboxProcess) -> None:
    """Everything may be changed that was merely read, or never; an empty desired state has no rows."""
    assert drift(shell, "--detailed-exitcode", out="nothing") == 0
    sandbox.options(html="rewrite")
    shell.write("mine.xlsx", ["Id", "Title", "SectionContents"], [KEY, "Mine", "<B>Mine"])
    shell.apply("mine.xlsx", "--allow", "contents_shrunk")
    sandbox.edit(KEY, EVE, DisplayOrder=99, Active=False)
    sandbox.edit(OTHER, EVE, Title="Theirs")

    code = drift(shell, "--detailed-exitcode")

    assert code == 0
    assert counts_of(shell.folder / "nothing") == {}
    assert counts_of(shell.folder / "drift") == {"unchanged": 1}


def test_what_somebody_changed_is_told_and_put_back(shell: Shell, ran: SandboxProcess) -> None:
    """Who and when, both values, exit 10 where it is asked for; `--apply` sends it, and then there is no drift."""
    desired = ran.records()
    theirs = ran.edit(KEY, EVE, Title="Theirs", Active=False)["after"]
    puts = len(ran.puts())

    plain = shell("drift", "--out", "drift")
    detailed = shell("drift", "--detailed-exitcode", "--json", "--out", "drift")
    seen = len(ran.puts())
    (row, other) = rows_of(shell.folder / "drift")
    restored = shell("drift", "--apply", "--out", "restored")

    assert (plain.code, detailed.code, restored.code) == (0, 10, 0)
    assert "coursesync drift --apply" in plain.out
    assert seen == puts
    assert (row["status"], other["status"]) == ("to_update", "unchanged")
    assert row["changes"] == [{"field": "Title", "base": "Mine", "before": "Theirs", "after": "Mine"}]
    (issue,) = row["issues"]
    assert (issue["code"], issue["severity"]) == ("drift.changed", "warning")
    assert all(text in issue["message"] for text in ("“Mine”", "“Theirs”", EVE, theirs["UpdatedOn"]))
    assert statuses(shell.folder / "restored") == {2: "updated", 3: "unchanged"}
    (put,) = ran.puts()[puts:]
    assert as_json(put["body"]) == as_json({**theirs, "Title": "Mine"})
    assert as_json(ran.records()[OTHER]) == as_json(desired[OTHER])
    assert drift(shell, "--detailed-exitcode", out="again") == 0


def test_a_rail_of_its_own_counts_what_would_be_put_back(shell: Shell, ran: SandboxProcess) -> None:
    """6 before 4 before 10: held, nothing is sent; lifted, it is. A section that is gone is told until then."""
    shell.profile("[rails.drift_restored]\nmax = 0")
    ran.edit(KEY, EVE, Title="Theirs")
    ran.delete(OTHER)
    puts = len(ran.puts())

    shown = shell("drift", "--detailed-exitcode", "--out", "shown")
    held = shell("drift", "--apply", "--out", "held")
    attention = drift(shell, "--detailed-exitcode", "--allow", "drift_restored", out="allowed")
    none_sent = len(ran.puts()) == puts
    lifted = shell("drift", "--apply", "--allow", "drift_restored", "--out", "lifted")
    after = drift(shell, "--detailed-exitcode", out="after")

    refused(shown, 6, "drift_restored", "--allow drift_restored")
    refused(held, 6, "drift_restored", ". If that is meant, add --allow drift_restored.")
    assert none_sent
    assert (attention, lifted.code) == (4, 4)
    assert statuses(shell.folder / "lifted") == {2: "updated", 3: "rejected"}
    assert ran.records()[KEY]["Title"] == "Mine"
    assert (after, counts_of(shell.folder / "after")) == (0, {"unchanged": 1})


def test_an_undo_ends_what_its_run_desired(shell: Shell, ran: SandboxProcess) -> None:
    """What it put back is desired; what it left to somebody else is nobody's wish any more."""
    run = summary_of(shell.folder / "out")["run_id"]
    ran.edit(KEY, EVE, Title="Theirs")

    undone = shell("undo", run, "--yes", "--out", "undone")
    after = drift(shell, "--detailed-exitcode")
    ran.edit(OTHER, EVE, SectionContents="<p>Theirs</p>")
    later = drift(shell, "--detailed-exitcode", out="later")

    assert (undone.code, after, later) == (4, 0, 10)
    assert counts_of(shell.folder / "drift") == {"unchanged": 1}
    assert [row["id"] for row in rows_of(shell.folder / "later") if row["status"] == "to_update"] == [OTHER]


def test_a_conflict_that_is_given_up_is_what_is_desired(shell: Shell, ran: SandboxProcess) -> None:
    """The word `live` takes their value: it does not drift, the same sheet stays quiet, and a later one is an edit."""
    ran.edit(KEY, EVE, Title="Theirs")
    shell.write("mine.csv", ["Id", "Title"], [KEY, "Mine, again"])
    conflict = shell.apply("mine.csv")
    before = drift(shell, "--detailed-exitcode", out="before")
    shell.write("mine.csv", ["Id", "Title", "Command"], [KEY, "Mine, again", "live"])
    codes = [shell.apply("mine.csv").code for _ in range(2)]
    puts = len(ran.puts())

    after = drift(shell, "--detailed-exitcode", out="after")
    title = ran.records()[KEY]["Title"]
    shell.write("mine.csv", ["Id", "Title"], [KEY, "Mine, again"])
    last = shell.apply("mine.csv")

    assert (conflict.code, before, codes, after, last.code) == (4, 10, [0, 0], 0, 0)
    assert (title, ran.records()[KEY]["Title"]) == ("Theirs", "Mine, again")
    assert len(ran.puts()) == puts + 1
