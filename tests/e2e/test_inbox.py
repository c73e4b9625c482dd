"""The drop folder: each finished file is run once and moved with its report; what a rail holds waits for a word."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from sync.adapters.lock import run_lock
from sync.cli.inbox import patience_s
from tests.e2e.command_line import SAMPLES, Cell, Ran, Shell, counts_of
from tests.sandbox_process import SandboxProcess

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("reads_here")]

SEED = json.loads((SAMPLES / "sandbox_seed.json").read_text(encoding="utf-8"))
SECTIONS = [section for section in SEED["sections"] if section["Title"] and section["SectionContents"]]
FIRST = SECTIONS[0]["Id"]
OTHER_COURSE = SECTIONS[-1]["CourseId"]
QUICK = "[inbox]\nsettled_s = 0.05\nincomplete_s = 900"


class Inbox:
    """A drop folder beside the shell's profile."""

    def __init__(self, shell: Shell) -> None:
        self.shell, self.root = shell, shell.folder / "inbox"
        self.root.mkdir()
        shell.profile(QUICK)

    def drop(self, name: str, headings: Sequence[str], *rows: Sequence[Cell]) -> Path:
        """Put a finished file into it, as a sync client does: under another name, then renamed."""
        written = self.shell.write(f"written-{name}", headings, *rows)
        return written.replace(self.root / name)

    def run(self, *words: str) -> Ran:
        return self.shell("inbox", self.root, *words)

    def lies(self) -> dict[str, list[str]]:
        """By place: the names of the files that were dropped."""
        places = ("work", "done", "attention", "refused", "approval")
        return {
            place: found
            for place in places
            if (found := sorted(path.name for path in (self.root / place).glob("*/*") if path.is_file()))
        }

    def report(self, place: str) -> Path:
        """The report of the only file in this place."""
        (folder,) = (self.root / place).glob("*/report")
        return folder


@pytest.fixture
def inbox(shell: Shell) -> Inbox:
    return Inbox(shell)


def test_a_quiet_pass_says_nothing_and_asks_nothing(inbox: Inbox, sandbox: SandboxProcess) -> None:
    """Nothing finished lies there: exit 0, no word, no request, not even a sign-in."""
    inbox.shell.setenv(
        COURSESYNC_TOKEN=None, COURSESYNC_USERNAME="admin@example.com", COURSESYNC_PASSWORD="sandbox-password"
    )
    (inbox.root / "~$open.xlsx").write_bytes(b"lock")
    (inbox.root / "half.xlsx.part").write_bytes(b"half")

    ran = inbox.run("--quiet")

    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert sandbox.log() == []
    assert sorted(path.name for path in inbox.root.glob("*.*")) == ["half.xlsx.part", "~$open.xlsx"]


def test_files_are_run_oldest_first_and_moved_with_their_reports(inbox: Inbox, sandbox: SandboxProcess) -> None:
    """Each by its end: done, attention, refused; the code is the gravest of all."""
    inbox.drop("third.csv", ["Title"], ["No Id here"])
    inbox.drop("first.csv", ["Id", "Title"], [FIRST, "One"])
    inbox.drop("second.csv", ["Id", "Title"], [FIRST, "Two"], ["x", "No number"])
    for place, name in enumerate(["first.csv", "second.csv", "third.csv"]):
        os.utime(inbox.root / name, (1_700_000_000 + place, 1_700_000_000 + place))

    ran = inbox.run("--json")

    assert ran.code == 4
    assert [(file["name"], file["exit_code"]) for file in ran.json["files"]] == [
        ("first.csv", 0),
        ("second.csv", 4),
        ("third.csv", 3),
    ]
    assert inbox.lies() == {"done": ["first.csv"], "attention": ["second.csv"], "refused": ["third.csv"]}
    assert counts_of(inbox.report("attention")) == {"updated": 1, "invalid": 1}
    assert "Id" in (inbox.report("refused") / "why.txt").read_text()
    assert sandbox.records()[FIRST]["Title"] == "Two"
    assert ran.err.count("coursesync: ") == 2


def test_a_name_that_is_no_text_keeps_no_file_from_being_run(inbox: Inbox) -> None:
    """Bytes that are no UTF-8, a line's end, what acts on a terminal: run under a name that can be written down."""
    for number, name in enumerate((b"a\xff.csv", b"b\n\x1b[2J.csv", b"c.csv")):
        dropped = inbox.drop("x.csv", ["Id", "Title"], [SECTIONS[number]["Id"], "Named"])
        os.rename(dropped, os.fsencode(inbox.root) + b"/" + name)  # noqa: PTH104 - a path of bytes

    ran = inbox.run()
    history = inbox.shell("history").out.splitlines()
    (last,) = inbox.root.glob("done/*/c.csv")

    assert ran.code == 0
    assert str(last) in history[0]
    assert inbox.lies() == {"done": ["a\ufffd.csv", "b\ufffd\ufffd[2J.csv", "c.csv"]}
    assert len(history) == 3


def test_quiet_data_comes_where_there_is_something_to_say(inbox: Inbox) -> None:
    """`--quiet --json` prints the object on any exit code but 0."""
    inbox.drop("held.csv", ["Id", "CourseId"], [FIRST, OTHER_COURSE])

    held, nothing = inbox.run("--quiet", "--json"), inbox.run("--quiet", "--json")

    assert (held.code, held.json["files"][0]["name"]) == (6, "held.csv")
    assert (nothing.code, nothing.out) == (0, "")


def test_a_held_run_can_be_asked_for(inbox: Inbox) -> None:
    """Nothing was begun, so there is no run to show: but where its sheet and the reason lie."""
    inbox.drop("held.csv", ["Id", "CourseId"], [FIRST, OTHER_COURSE])
    inbox.run()
    (held,) = inbox.root.glob("approval/*/held.csv")

    for command in ("status", "report"):
        ran = inbox.shell(command, waiting_run(inbox))

        assert ran.code == 2
        assert f"was held, and sent nothing: its sheet is {held}." in ran.why


def test_an_approval_of_a_file_that_changed_says_why_it_is_void(inbox: Inbox, sandbox: SandboxProcess) -> None:
    """Nothing is sent, and whoever approved it reads why it waits again."""
    inbox.drop("held.csv", ["Id", "CourseId"], [FIRST, OTHER_COURSE])
    inbox.run()
    run_id = waiting_run(inbox)
    inbox.shell("approve", run_id)
    (held,) = inbox.root.glob("approval/*/held.csv")
    held.write_text(held.read_text() + f"{SECTIONS[1]['Id']},{OTHER_COURSE}\n")

    ran = inbox.run("--quiet")

    assert ran.code == 6
    assert f"The approval of run {run_id} is void: the file has changed since." in ran.why
    assert ran.why.endswith(f"If that is meant: coursesync approve {waiting_run(inbox)} --profile main")
    assert not sandbox.puts()


def test_the_same_content_is_not_run_twice(inbox: Inbox, sandbox: SandboxProcess) -> None:
    """Under another name, after somebody changed the section: the file is known, and moved with a note."""
    inbox.drop("a.csv", ["Id", "Title"], [FIRST, "One"])
    assert inbox.run().code == 0
    sandbox.edit(FIRST, Title="Theirs")
    asked = len(sandbox.log())

    inbox.drop("b.csv", ["Id", "Title"], [FIRST, "One"])
    ran = inbox.run()

    assert ran.code == 0
    assert len(sandbox.log()) == asked
    assert inbox.lies() == {"done": ["a.csv", "b.csv"]}
    assert "was applied before" in "".join(path.read_text() for path in inbox.root.glob("done/*/report/why.txt"))


def test_rows_that_failed_can_be_dropped_again(inbox: Inbox, sandbox: SandboxProcess) -> None:
    """Only what ended well is known as done; a file may be called as a report's own file is, and stays whole."""
    rows = [FIRST, "One"], [FIRST + 10**6, "Nowhere"]
    content = inbox.drop("failed.csv", ["Id", "Title"], *rows).read_bytes()
    assert inbox.run().code == 4
    inbox.drop("report.csv", ["Id", "Title"], *rows)

    ran = inbox.run("--json")

    assert [file["exit_code"] for file in ran.json["files"]] == [4]
    assert inbox.lies() == {"attention": ["failed.csv", "report.csv"]}
    assert [path.read_bytes() for path in inbox.root.glob("attention/*/*.csv")] == [content, content]
    assert len(sandbox.puts()) == 1


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_only_finished_files_are_taken(inbox: Inbox, suffix: str) -> None:
    """A file that grows, that is open in Excel, or that lacks its end waits; the next pass takes it."""
    whole = inbox.drop(f"whole{suffix}", ["Id", "Title"], [FIRST, "One"])
    content = whole.read_bytes()
    whole.unlink()
    (inbox.root / f"open{suffix}").write_bytes(content)
    (inbox.root / f"~$open{suffix}").write_bytes(b"lock")
    (inbox.root / f"empty{suffix}").write_bytes(b"")
    if suffix == ".xlsx":
        (inbox.root / "half.xlsx").write_bytes(content[:-100])
    grows = (inbox.root / f"grows{suffix}").open("wb", buffering=0)
    inbox.shell.profile("[inbox]\nsettled_s = 0.4")
    writer = subprocess.Popen(["/bin/sh", "-c", "while sleep 0.05; do printf x; done"], stdout=grows)

    first = inbox.run("--json")
    writer.kill()
    writer.wait()
    grows.close()

    assert first.json["files"] == []
    assert inbox.lies() == {}
    (inbox.root / f"grows{suffix}").write_bytes(content)
    (inbox.root / f"~$open{suffix}").unlink()
    second = inbox.run("--json")
    assert [file["exit_code"] for file in second.json["files"]] == [0, 0]
    assert len(inbox.lies()["done"]) == 2


def held_sheet(inbox: Inbox) -> None:
    """A sheet that moves sections to another course."""
    inbox.drop("moved.csv", ["Id", "CourseId"], *((section["Id"], OTHER_COURSE) for section in SECTIONS[:3]))


def waiting_run(inbox: Inbox) -> str:
    """The id that the report of the held file has."""
    run_id: str = json.loads((inbox.report("approval") / "summary.json").read_text(encoding="utf-8"))["run_id"]
    return run_id


def test_what_a_rail_holds_waits_for_approval_and_then_goes_on(inbox: Inbox, sandbox: SandboxProcess) -> None:
    """Exit 6 and nothing sent; not asked again by the next pass; after `approve`, sent once and done."""
    held_sheet(inbox)
    first = inbox.run()
    assert first.code == 6
    assert f"coursesync approve {waiting_run(inbox)} --profile main" in first.err
    assert inbox.lies() == {"approval": ["moved.csv"]}
    assert inbox.run("--quiet") == Ran(0, "", "")
    assert sandbox.puts() == []

    approved = inbox.shell("approve", waiting_run(inbox))
    ran = inbox.run()

    assert (approved.code, ran.code) == (0, 0)
    assert "sections_moved" in approved.out
    assert len(sandbox.puts()) == 3
    assert inbox.lies() == {"done": ["moved.csv"]}
    assert "--allow sections_moved" in inbox.shell("history").out
    assert not (inbox.report("done") / "why.txt").exists()


def test_an_approval_is_for_one_plan(inbox: Inbox, sandbox: SandboxProcess) -> None:
    """When the plan has changed since, nothing is sent past the rail: the file waits anew, under another run."""
    held_sheet(inbox)
    inbox.run()
    run_id = waiting_run(inbox)
    inbox.shell("approve", run_id)
    sandbox.edit(FIRST, CourseId=OTHER_COURSE)

    ran = inbox.run()

    assert ran.code == 6
    assert sandbox.puts() == []
    assert waiting_run(inbox) != run_id
    assert inbox.shell("approve", run_id).code == 2


def test_an_approval_expires_and_holds_for_its_profile(inbox: Inbox, sandbox: SandboxProcess) -> None:
    """After its hours, or under another profile, it is no word at all; a run that does not wait cannot be approved."""
    held_sheet(inbox)
    inbox.run()
    inbox.shell.profile(QUICK + "\napproval_hours = 0.00001")
    assert inbox.shell("approve", waiting_run(inbox)).code == 0
    time.sleep(0.1)
    inbox.shell.profile(QUICK)
    assert inbox.run("--quiet") == Ran(0, "", "")
    inbox.shell.profile(QUICK, name="other")
    assert inbox.shell.bare("approve", waiting_run(inbox), "--profile", "other").code == 0

    ran = inbox.run("--quiet")

    assert ran == Ran(0, "", "")
    assert sandbox.puts() == []
    assert inbox.shell("approve", "20990101-000000-abcd").code == 2


def test_an_outage_leaves_the_file_at_work_and_the_next_pass_goes_on(inbox: Inbox, sandbox: SandboxProcess) -> None:
    """Exit 5; the next pass resumes the same run, and files behind it are taken then."""
    inbox.drop("a.csv", ["Id", "Title"], *((section["Id"], "One") for section in SECTIONS[:3]))
    inbox.drop("b.csv", ["Id", "Title"], [FIRST, "Two"])
    os.utime(inbox.root / "a.csv", (1_700_000_000, 1_700_000_000))
    sandbox.faults([{"match": {"method": "PUT"}, "action": "status", "status": 401, "body": ""}])
    first = inbox.run()
    sandbox.faults([])

    second = inbox.run("--json")

    assert (first.code, second.code) == (5, 0)
    assert [file["name"] for file in second.json["files"]] == ["a.csv", "b.csv"]
    assert len(json.loads(inbox.shell("history", "--json").out)) == 2
    assert inbox.lies() == {"done": ["a.csv", "b.csv"]}
    assert sandbox.records()[FIRST]["Title"] == "Two"


def test_invalid_rows_refuse_the_file_where_the_profile_says_so(inbox: Inbox, sandbox: SandboxProcess) -> None:
    """Under `on_invalid = "stop"`, with the report that a check writes."""
    inbox.shell.profile('on_invalid = "stop"\n' + QUICK)
    inbox.drop("a.csv", ["Id", "Title"], [FIRST, "One"], ["x", "No number"])

    assert inbox.run().code == 3
    assert counts_of(inbox.report("refused")) == {"valid": 1, "invalid": 1}
    assert sandbox.puts() == []


def test_a_folder_is_for_one_account(inbox: Inbox) -> None:
    """What another account left at work is never run under ours."""
    inbox.run()
    inbox.shell.profile(f'{QUICK}\n[aliases]\n"Kurs" = "CourseId"', name="same")
    (inbox.root / "work" / ".coursesync-profile").write_text("harbour at https://spaces.nexudus.com/api\n")

    ran = inbox.run()

    assert ran.code == 2
    assert "is used for harbour" in ran.why


def test_two_passes_at_once_run_each_file_once(inbox: Inbox, sandbox: SandboxProcess) -> None:
    """The second exits 8, names the first, and touches nothing."""
    inbox.shell.profile("[inbox]\nsettled_s = 2")
    inbox.drop("a.csv", ["Id", "Title"], [FIRST, "One"])
    command = inbox.shell.command("inbox", inbox.root)
    first = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for((inbox.shell.state / "inbox.lock").exists)
    time.sleep(0.2)

    second = inbox.run()
    first.communicate(timeout=60)

    assert (first.returncode, second.code) == (0, 8)
    assert "Another run of this profile is at work" in second.why
    assert len(sandbox.puts()) == 1


def test_while_another_run_is_at_work_the_file_waits(inbox: Inbox, sandbox: SandboxProcess) -> None:
    """Exit 8 as for `apply`, nothing sent; the next pass runs it."""
    inbox.run()
    inbox.drop("a.csv", ["Id", "Title"], [FIRST, "One"])
    with run_lock(inbox.shell.state / "run.lock", since="now", holds="other.xlsx"):
        held = inbox.run()

    assert held.code == 8
    assert sandbox.puts() == []
    assert inbox.lies() == {"work": ["a.csv"]}
    assert inbox.run().code == 0
    assert inbox.lies() == {"done": ["a.csv"]}


def test_watching_goes_on_until_a_signal_and_reopens_its_log(inbox: Inbox, sandbox: SandboxProcess) -> None:
    """A file that is dropped is run at once; SIGHUP opens the log anew; SIGTERM, idle, ends it with 0."""
    log = inbox.shell.folder / "log.jsonl"
    inbox.shell.profile(f'log_file = "{log}"\n{QUICK}')
    process = subprocess.Popen(
        inbox.shell.command("inbox", inbox.root, "--watch", "--quiet"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        wait_for((inbox.root / "work").is_dir)
        time.sleep(0.5)
        inbox.drop("a.csv", ["Id", "Title"], [FIRST, "One"])
        wait_for(lambda: inbox.lies() == {"done": ["a.csv"]})
        log.rename(log.with_suffix(".1"))
        process.send_signal(signal.SIGHUP)
        inbox.drop("b.csv", ["Id", "Title"], [FIRST, "Two"])
        wait_for(lambda: inbox.lies() == {"done": ["a.csv", "b.csv"]})
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()

    assert (process.returncode, out, err) == (0, b"", b"")
    assert '"file": "b.csv"' in log.read_text()
    assert '"file": "b.csv"' not in log.with_suffix(".1").read_text()
    assert sandbox.records()[FIRST]["Title"] == "Two"


def test_a_watch_asks_a_dead_server_ever_more_seldom() -> None:
    """A minute at first, then twice as long each time, a quarter of an hour at most."""
    assert [patience_s(stopped) for stopped in (1, 2, 3, 4, 5, 6, 5000)] == [60, 120, 240, 480, 900, 900, 900]


def wait_for(is_so: Callable[[], bool], *, most_s: float = 20.0) -> None:
    """Wait until it is so."""
    end = time.monotonic() + most_s
    while not is_so():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.05)
