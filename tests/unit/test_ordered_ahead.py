"""A run that has nothing to send has its report.xlsx made while it is written down: the very one it would get later."""

from contextlib import suppress
from pathlib import Path

from openpyxl import Workbook

from sync.adapters.spreadsheet import load_here
from sync.adapters.workbook.own_order import Order
from sync.adapters.workbook.own_process import OwnProcess
from sync.adapters.workbook.own_task import NotCarried
from sync.bootstrap import open_session
from sync.config import load_settings
from sync.errors import CourseSyncError, Interrupted, StoreNotWritten
from sync.jobs.reports import Result
from sync.jobs.runs import apply_sheet
from sync.jobs.watch import Watch
from sync.validate import check_sheet
from tests.own_orders import is_reaped
from tests.simulated_profile import Profile
from tests.simulated_server import section


class Recording(OwnProcess):
    """Makes no workbook: remembers what it was asked ahead, and what in the end."""

    def __init__(self) -> None:
        """Nothing was asked."""
        super().__init__()
        self.ahead: list[Order] = []
        self.asked: list[Order] = []
        self.result: Result | None = None

    def order_ahead(self, order: Order) -> None:
        """Remember it."""
        self.ahead.append(order)

    def annotated(self, order: Order) -> NotCarried:
        """Remember it."""
        self.asked.append(order)
        return NotCarried.ODD


class Silent:
    """Nobody listens."""

    def emit(self, _event: str, /, **_facts: object) -> None:
        """Say nothing."""


def applied(folder: Path, *titles: str, stop: CourseSyncError | None = None) -> Recording:
    """Apply a workbook that gives the sections these titles; `Section N` is what they have."""
    profile = Profile(folder, [section(number) for number in range(1, 4)])
    workbook = Workbook()
    workbook.worksheets[0].append(["Id", "Title", "DisplayOrder"])
    for number, title in enumerate(titles, start=1):
        workbook.worksheets[0].append([number, title, "none" if title == "wrong" else None])
    path = folder / "sheet.xlsx"
    workbook.save(path)
    own = Recording()
    with profile.session() as session:
        session.own = own
        store = session.store

        def stop_asked() -> CourseSyncError | None:
            return stop if store.connection.exec_driver_sql("SELECT count(*) FROM runs").scalar() else None

        checked = check_sheet(load_here(path), aliases={})
        own.result = apply_sheet(session, checked, out=None, watch=Watch(Silent(), stop_asked))
    return own


def title_of(number: int) -> str:
    title = section(number)["Title"]
    assert isinstance(title, str)
    return title


def test_what_is_ordered_ahead_is_what_the_report_asks_for(tmp_path: Path) -> None:
    """Its times, exit code, rows and messages: nothing of it is known only at the end."""
    own = applied(tmp_path, title_of(1), "wrong", title_of(3))

    (ahead,), (asked,) = own.ahead, own.asked
    assert ahead.asks_the_same(asked)
    assert ahead.slim() == asked.slim()
    assert [outcome.status.value for outcome in asked.report.outcomes] == ["unchanged", "invalid", "unchanged"]
    assert asked.report.exit_code == 4


def test_a_workbook_that_could_not_be_carried_over_is_told_of(tmp_path: Path) -> None:
    """Whoever reads no summary page hears it all the same: the report is without formats and other sheets."""
    own = applied(tmp_path, title_of(1))

    assert own.result is not None
    assert own.result.written.notes == (str(NotCarried.ODD),)


def test_a_run_that_sends_something_orders_nothing_ahead(tmp_path: Path) -> None:
    """What becomes of its rows is known when it has ended."""
    own = applied(tmp_path, title_of(1), "new", title_of(3))

    assert own.ahead == []
    assert [outcome.status.value for outcome in own.asked[0].report.outcomes] == ["unchanged", "updated", "unchanged"]


def test_a_run_that_is_stopped_gets_the_report_of_its_end(tmp_path: Path) -> None:
    """Whoever stops it between plan and end reads so: what was ordered ahead is not what is asked for."""
    own = applied(tmp_path, title_of(1), stop=Interrupted("The run was told to end.", signal_number=15))

    (ahead,), (asked,) = own.ahead, own.asked
    assert asked.report.exit_code == 143
    assert not ahead.asks_the_same(asked)


def test_a_session_leaves_no_such_process_behind(tmp_path: Path) -> None:
    """However it ends, also between the order and the report."""
    settings = load_settings(
        profile=None,
        config_path=None,
        options={"base_url": "http://127.0.0.1:9/api", "account": "a", "state_dir": str(tmp_path / "state")},
        environ={"COURSESYNC_TOKEN": "canary"},
        cwd=tmp_path,
        user_config_dir=tmp_path,
        needs_network=True,
    )
    pids: list[int | None] = []
    with suppress(StoreNotWritten), open_session(settings) as session:
        session.own.begin()
        pids.append(session.own.pid)
        raise StoreNotWritten("The disk is full.")

    (pid,) = pids
    assert pid is not None
    assert is_reaped(pid)
