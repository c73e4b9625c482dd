"""The values that pass between the stages: frozen, closed, and right once they exist.

A row travels as `TableRow` (cells as the file holds them) → `Edit`, `InvalidRow` or `SkippedRow` (judged by itself)
→ `PlannedRow` (judged against the live state) → `Outcome` (what became of it).
"""

import dataclasses
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import NewType, TypeAlias

from sync.frozen import Frozen, field
from sync.hints import Hint
from sync.origin import Against, Origin, Seen
from sync.section import Json

RowNumber = NewType("RowNumber", int)
"""The number that Excel shows beside the row, from 1."""
SectionId = NewType("SectionId", int)
RunId = NewType("RunId", str)

CellValue: TypeAlias = bool | int | float | str | datetime | date | time | timedelta | None
"""A cell as the reader gives it; `None` is a blank cell."""


class Status(StrEnum):
    """What became of a row. Closed: every row of a sheet has exactly one."""

    UPDATED = "updated"
    UNCHANGED = "unchanged"
    INVALID = "invalid"
    REJECTED = "rejected"
    CONFLICT = "conflict"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    NOT_ATTEMPTED = "not_attempted"
    TO_UPDATE = "to_update"
    """In a plan only: what would be sent."""
    VALID = "valid"
    """In a `check` only: the row can be planned."""


NEEDS_ATTENTION: frozenset[Status] = frozenset(
    {Status.INVALID, Status.REJECTED, Status.CONFLICT, Status.FAILED, Status.UNKNOWN, Status.NOT_ATTEMPTED}
)
"""The statuses that go into `failed.xlsx`; all but `not_attempted` (a run that stopped, 5) make exit code 4."""


class Source(StrEnum):
    """Who found the issue."""

    SHEET = "sheet"
    API = "api"
    SYNC = "sync"


class Severity(StrEnum):
    """Only an error holds a row."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Issue(Frozen):
    """A problem with one row, at its cell where it has one."""

    code: str
    """Stable and dotted (`cell.not_a_number`): what tests and users rely on."""
    message: str
    """In the API's own form, without the property: `is a required field`."""
    field: str | None = None
    """The API's `PropertyName`."""
    source: Source = Source.SHEET
    severity: Severity = Severity.ERROR
    attempted_value: Json = None
    cell: str | None = None
    """As Excel writes it: `Sections!D14`."""

    def __str__(self) -> str:
        """`Title: is a required field`, as the API writes it."""
        return f"{self.field}: {self.message}" if self.field else self.message


class FlawKind(StrEnum):
    """What a reader shows as blank, or as a plain value, though the cell holds something else."""

    ERROR_VALUE = "error_value"
    UNCACHED_FORMULA = "uncached_formula"
    MERGED = "merged"
    """One of several cells that are shown as one: which rows and columns the value is meant for cannot be told."""
    EXTRA_CELLS = "extra_cells"
    """A row of a text with a value right of the last heading: a delimiter inside a cell has pushed the others along."""
    MISSING_CELLS = "missing_cells"
    """A row of a text that ends before the last heading."""


class Flaw(Frozen):
    """A cell that cannot be believed as read."""

    kind: FlawKind
    shown: str
    """What Excel shows: `#N/A`, the formula, the merged range; of a row, how many cells it has."""


class TableRow(Frozen):
    """One row of a sheet: its number in Excel and its cells from column A on, as the file holds them."""

    number: RowNumber
    cells: tuple[CellValue, ...]
    flaws: Mapping[int, Flaw] = field(default_factory=dict)
    """By column, from 0."""
    hints: Mapping[int, Hint] = field(default_factory=dict)
    """By column, from 0."""
    merged: Mapping[int, Flaw] = field(default_factory=dict)
    """By column, from 0: apart from the flaws, since the value of the first cell stands as it was read."""
    hidden: bool = False
    """Hidden by hand, by a filter or by an outline."""
    broken: Flaw | None = None
    """Why the row as a whole cannot be believed."""


class Table(Frozen):
    """One sheet of a file, from its first row to its last that is not blank; blank rows between are kept."""

    name: str
    rows: tuple[TableRow, ...]
    hidden: bool = False
    hidden_columns: frozenset[int] = frozenset()
    """From 0."""


class LoadedFile(Frozen):
    """A file that was read as a whole."""

    path: Path
    sha256: str
    format: str
    """`xlsx`, `ods` or `csv`."""
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()
    """Sentences for the operator: what was left out, what was assumed."""


class Label(Frozen):
    """How a report names a row: as the sheet has it, or as the live record says where the sheet is silent."""

    id: str = ""
    course_id: str = ""
    title: str = ""


class Edit(Frozen):
    """What one row asks for: a valid row, each named field with the value that is to be sent."""

    row: RowNumber
    id: SectionId
    values: Mapping[str, Json]
    """By field; a field that is not here is left alone. A cleared text is `""`."""
    label: Label
    seen_updated_on: str | None = None
    """The export's `UpdatedOn` cell, the witness of a sheet that lost its base."""
    read_only: Mapping[str, str] = field(default_factory=dict)
    """Read-only cells that are not blank, as text: compared with live, for a warning."""
    command: str | None = None
    """The `Command` cell, where it holds a choice (`sheet`, `live`)."""
    base: Seen | None = None
    """Where the sheet is an exported workbook that knows this section."""
    issues: tuple[Issue, ...] = ()
    """Warnings and notes: an edit has no errors."""


class InvalidRow(Frozen):
    """A row with at least one error; never sent."""

    row: RowNumber
    label: Label
    issues: tuple[Issue, ...]


class SkippedRow(Frozen):
    """A row that the operator told us to leave out."""

    row: RowNumber
    label: Label
    issues: tuple[Issue, ...] = ()


CheckedRow: TypeAlias = Edit | InvalidRow | SkippedRow


class CheckedSheet(Frozen):
    """The chosen sheet of a file with every row judged by itself, in the sheet's order."""

    file: LoadedFile
    sheet: str
    header_row: RowNumber
    columns: Mapping[str, int]
    """Field (or `Command`) to column, from 0."""
    rows: tuple[CheckedRow, ...]
    issues: tuple[Issue, ...] = ()
    """About the sheet as a whole: unknown headings, ignored columns."""
    origin: Origin | None = None
    """Where the sheet is an exported workbook."""


class ChangeKind(StrEnum):
    """Why a field is sent."""

    EDIT = "edit"
    RESTORE = "restore"
    """Drift: the sheet asks again for what was made so before."""
    UNDO = "undo"
    """The run that wrote it is taken back."""


class FieldChange(Frozen):
    """One field that is to be sent: from `before` (live when it was decided) to `after`."""

    field: str
    before: Json
    after: Json
    base: Json = None
    kind: ChangeKind = ChangeKind.EDIT


class ToUpdate(Frozen):
    """Live differs from what the row asks: a PUT."""

    changes: tuple[FieldChange, ...]
    updated_on: str | None
    """The live record's `UpdatedOn` when it was decided."""


class Unchanged(Frozen):
    """Live is as asked already."""


@dataclasses.dataclass(frozen=True, slots=True)  # a `Frozen` compares every field
class Conflict:
    """Somebody else changed what the row wants to change."""

    changes: tuple[FieldChange, ...]
    """`base` is what the operator saw, `before` is live, `after` is the sheet. `against` is but said."""
    against: Against = dataclasses.field(default_factory=Against, compare=False)


class Gone(Frozen):
    """The server says that there is no section with this Id."""


class Held(Frozen):
    """The row was judged invalid, or the operator left it out: live plays no part."""

    status: Status


Decision: TypeAlias = ToUpdate | Unchanged | Conflict | Gone | Held


class PlannedRow(Frozen):
    """A row of the sheet and what is to be done about it."""

    row: RowNumber
    label: Label
    decision: Decision
    edit: Edit | None = None
    issues: tuple[Issue, ...] = ()
    accepted: Mapping[str, Json] = field(default_factory=dict)
    """Live values that the row's `Command` takes in place of what runs had made so: desired once the run begins."""


class Verified(StrEnum):
    """What a read after the PUT said."""

    YES = "yes"
    NO = "no"
    """Wanted, but the read did not come about."""
    DIFFERS = "differs"
    NOT_ASKED = ""


class Outcome(Frozen):
    """What became of one row of the sheet: a line of the report."""

    row: RowNumber
    label: Label
    status: Status
    section_id: SectionId | None = None
    changes: tuple[FieldChange, ...] = ()
    issues: tuple[Issue, ...] = ()
    http_status: int | None = None
    attempts: int = 0
    """PUTs that were sent for this row."""
    verified: Verified = Verified.NOT_ASKED
    updated_on: str | None = None
    updated_by: str | None = None
    started_at: str | None = None
    """ISO 8601 in UTC: the first intent."""
    finished_at: str | None = None


class RequestCounts(Frozen):
    """Requests of one run."""

    reads: int = 0
    writes: int = 0
    throttled: int = 0
    retried: int = 0


class QuotaUse(Frozen):
    """How much of one window is taken at this moment."""

    window: str
    """`60 writes in 60 s`."""
    used: int
    limit: int


class InputFacts(Frozen):
    """The sheet that a run was made from."""

    path: str
    sha256: str
    sheet: str
    rows: int


class RunReport(Frozen):
    """Everything that the report files say, rebuilt from the journal or from a plan."""

    run_id: RunId
    command: str
    profile: str
    base_url: str
    input: InputFacts
    outcomes: tuple[Outcome, ...]
    started_at: str
    finished_at: str
    exit_code: int
    plan_hash: str | None = None
    requests: RequestCounts = RequestCounts()
    quota: tuple[QuotaUse, ...] = ()
    issues: tuple[Issue, ...] = ()
    """About the sheet or the run as a whole."""


class RunFacts(Frozen):
    """A run as the journal knows it."""

    run_id: RunId
    command: str
    profile: str
    base_url: str
    account: str
    input: InputFacts
    input_copy: str
    """Where a copy of the sheet is kept, so that the report can be written at any time."""
    input_format: str
    header_row: RowNumber
    started_wall: float
    user: str
    issues: tuple[Issue, ...] = ()
    """About the sheet as a whole."""
    plan_hash: str | None = None
    state: str = "open"
    """`open`, `stopped` (can be resumed) or `finished`."""
    finished_wall: float | None = None
    exit_code: int | None = None
    requests: RequestCounts = RequestCounts()
    quota: tuple[QuotaUse, ...] = ()
    reported: bool = False
    """Whether the report of its latest end was written whole."""
    stop: Issue | None = None
    """Why it stopped early."""
