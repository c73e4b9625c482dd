"""Each row of a sheet judged by itself: an edit, an invalid row with all its issues, or a row to be left out."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, assert_never

from sync.base import Base, find_base, read_base
from sync.cells import Clear, Reader, Silent, Value, Wrong, is_error_word, read_cell, reader_for, remark_on, shown
from sync.columns import Layout, column_letters, find_layout, left_out_notes, sheet_prefix
from sync.frozen import Frozen, replace
from sync.headings import CHOICES, COMMAND
from sync.hidden_rows import HiddenRows, decide
from sync.hints import Hint
from sync.html_cleaning import Cleaned, Cleaner, Uncleanable, cleaned
from sync.html_risks import HtmlPolicy, risks
from sync.image_url import ANY_HOST, ImageRules
from sync.model import (
    CellValue,
    CheckedRow,
    CheckedSheet,
    Edit,
    Flaw,
    FlawKind,
    InvalidRow,
    Issue,
    Label,
    LoadedFile,
    RowNumber,
    SectionId,
    Severity,
    SkippedRow,
    TableRow,
)
from sync.plain_rows import LABEL_LENGTH, PlainRows
from sync.repeated import also_on, ask_the_same
from sync.section import BY_NAME, EDITABLE, FIELDS, Access, Json, SectionField, UnlockType

SKIP: Final = "skip"
"""What a `Command` cell may choose for a conflict."""

_ID: Final = BY_NAME["Id"]
_READ_ONLY: Final = tuple(field for field in FIELDS if field.access is Access.READ_ONLY)
_HTML: Final = "SectionContents"


def check_sheet(
    file: LoadedFile,
    *,
    aliases: Mapping[str, str],
    hidden_rows: HiddenRows = HiddenRows.ASK,
    html: HtmlPolicy = HtmlPolicy.REPORT,
    cleaner: Cleaner | None = None,
    images: ImageRules = ANY_HOST,
) -> CheckedSheet:
    """Find the sheet and its columns, and judge every row that is not blank; nothing is compared with the server.

    With a `cleaner`, contents that the operator has touched are cleaned, and both texts are in the issue.

    Raises:
        InputError: no sheet, header or row can be told (see `columns.find_layout`), the base is damaged, or
            `file.hidden_rows` where nobody has said what becomes of the rows that are hidden.
    """
    layout = find_layout(file, aliases=aliases)
    table = find_base(file.tables)
    base = None if table is None else read_base(table, tabs_lost=file.format == "ods")
    judge = _Judge(layout, is_csv=file.format == "csv", base=base, html=html, cleaner=cleaner, images=images)
    plain = PlainRows(layout.columns, base=base, html=html)
    judged = [
        (row, judge.row(row) if (edit := plain.edit(row)) is None else _Verdict(edit, edit.id)) for row in layout.rows()
    ]
    verdicts, hidden = _without_hidden(judged, hidden_rows, layout.table.name)
    rows = tuple(_judge_repeated(verdicts, judge))
    issues = (*_notes(file), *layout.issues, *hidden, *left_out_notes(layout))
    origin = None if base is None else base.origin
    return CheckedSheet(file, layout.table.name, layout.header_row, layout.columns, rows, issues, origin)


class _Column(Frozen):
    """One column of the sheet, with what its cells are read by."""

    field: SectionField
    index: int
    read: Reader


class _Verdict(Frozen):
    """A judged row, and the Id that it names, even where it is invalid."""

    row: CheckedRow
    id: SectionId | None


class _Judge:
    """What is the same for all rows of one sheet, worked out once."""

    def __init__(
        self,
        layout: Layout,
        *,
        is_csv: bool,
        base: Base | None,
        html: HtmlPolicy,
        cleaner: Cleaner | None,
        images: ImageRules,
    ) -> None:
        columns = layout.columns
        self._prefix = sheet_prefix(layout.table.name)
        self._letters = {name: column_letters(index) for name, index in columns.items()}
        self._is_csv = is_csv
        self._base = base
        self._html = html
        self._cleaner = cleaner
        self._width = max(columns.values()) + 1
        self._id = columns["Id"]
        self._command = columns.get(COMMAND)
        self._label = tuple(columns.get(name) for name in ("Id", "CourseId", "Title"))
        self._id_column = _Column(_ID, self._id, reader_for(_ID))
        self._editable = tuple(
            _Column(field, columns[field.name], reader_for(field, images=images))
            for field in EDITABLE
            if field.name in columns
        )
        self._read_only = tuple((field.name, columns[field.name]) for field in _READ_ONLY if field.name in columns)

    def row(self, row: TableRow) -> _Verdict:
        """Judge one row: all its issues are collected, not the first alone."""
        cells = row.cells
        if len(cells) < self._width:
            cells += (None,) * (self._width - len(cells))
        flaws = self._error_words(cells, row.flaws) if self._is_csv else row.flaws
        if row.merged:
            flaws = {**row.merged, **flaws}
        label = self._label_of(cells, flaws)
        issues: list[Issue] = []
        command = self._read_command(row.number, cells, flaws, issues)
        if command == SKIP or self._is_commented_out(cells[self._id], flaws):
            return _Verdict(SkippedRow(row.number, label), None)
        if row.broken is not None and isinstance(meaning := read_cell(_ID, None, row.broken), Wrong):
            issues.append(self._issue(row.number, "Id", meaning.code, meaning.message, meaning.attempted, about=None))
        section_id = self._read_id(row.number, cells, flaws, issues)
        values = self._read_values(row.number, cells, flaws, issues)
        read_only = self._read_shown(row.number, cells, flaws, issues)
        self._check_together(row.number, values, issues)
        seen = None if self._base is None or section_id is None else self._base.seen(section_id, values)
        self._check_html(row.number, values, issues, is_touched=seen is None or _HTML not in seen.untouched)
        if row.hints:
            self._remark(row.number, row.hints, issues)
        if section_id is None or (issues and any(issue.severity is Severity.ERROR for issue in issues)):
            return _Verdict(InvalidRow(row.number, label, tuple(issues)), section_id)
        if not values:
            message = "the row names nothing to change"
            issues.append(self._issue(row.number, "Id", "row.nothing_named", message, None, warning=True, about=None))
        edit = Edit(
            row=row.number,
            id=section_id,
            values=values,
            label=label,
            seen_updated_on=read_only.get("UpdatedOn"),
            read_only=read_only,
            command=command,
            base=seen,
            issues=tuple(issues),
        )
        return _Verdict(edit, section_id)

    def repeated(self, row: RowNumber, section_id: SectionId, rows: Sequence[RowNumber]) -> Issue:
        """Hold a row for the other ones of the `rows` that have the same Id and ask for something else."""
        return self._issue(row, "Id", "id.duplicate", also_on(row, rows), section_id)

    def repeats(self, row: RowNumber, section_id: SectionId, first: RowNumber) -> Issue:
        """Leave a row out since the `first` one asks for the very same."""
        message = f"asks for the same as row {first}, which is done once"
        issue = self._issue(row, "Id", "id.repeated", message, section_id)
        return replace(issue, severity=Severity.NOTE)

    def _label_of(self, cells: Sequence[CellValue], flaws: Mapping[int, Flaw]) -> Label:
        """Show Id, CourseId and Title as the sheet has them."""
        texts = []
        for column in self._label:
            if column is None:
                texts.append("")
            elif column in flaws:
                texts.append(flaws[column].shown)
            else:
                texts.append(shown(cells[column]).strip()[:LABEL_LENGTH])
        return Label(*texts)

    def _is_commented_out(self, cell: CellValue, flaws: Mapping[int, Flaw]) -> bool:
        """Whether the Id begins with `#`; an error word does too, and so do hashes that stand for a narrow column."""
        flaw = flaws.get(self._id)
        if not isinstance(cell, str) or (flaw is not None and flaw.kind is not FlawKind.MERGED):
            return False
        text = cell.strip()
        return text.startswith("#") and text.strip("# ") != "" and not is_error_word(text)

    def _error_words(self, cells: Sequence[CellValue], flaws: Mapping[int, Flaw]) -> Mapping[int, Flaw]:
        """Take error words for error cells: in a CSV nothing tells the two apart."""
        found = {
            index: Flaw(FlawKind.ERROR_VALUE, cell.strip())
            for index, cell in enumerate(cells)
            if isinstance(cell, str) and "#" in cell[:2] and is_error_word(cell)
        }
        return {**found, **flaws} if found else flaws

    def _read_command(
        self, row: RowNumber, cells: Sequence[CellValue], flaws: Mapping[int, Flaw], issues: list[Issue]
    ) -> str | None:
        if self._command is None:
            return None
        flaw = flaws.get(self._command)
        word = flaw.shown if flaw is not None else shown(cells[self._command]).strip()
        if not word:
            return None
        choice = word.casefold()
        if flaw is None and (choice == SKIP or choice in CHOICES):
            return choice
        issues.append(self._issue(row, COMMAND, "command.unknown", "must be skip, sheet, live or blank", word))
        return None

    def _read_id(
        self, row: RowNumber, cells: Sequence[CellValue], flaws: Mapping[int, Flaw], issues: list[Issue]
    ) -> SectionId | None:
        flaw = flaws.get(self._id)
        meaning = self._id_column.read(cells[self._id]) if flaw is None else read_cell(_ID, cells[self._id], flaw)
        match meaning:
            case Value(value=int() as number):
                return SectionId(number)
            case Wrong(code=code, message=message, attempted=attempted):
                issues.append(self._issue(row, "Id", code, message, attempted))
            case Silent() | Clear() | Value():
                issues.append(self._issue(row, "Id", "cell.required", "is a required field", None))
            case _:
                assert_never(meaning)
        return None

    def _read_values(
        self, row: RowNumber, cells: Sequence[CellValue], flaws: Mapping[int, Flaw], issues: list[Issue]
    ) -> dict[str, Json]:
        values: dict[str, Json] = {}
        for column in self._editable:
            index = column.index
            cell = cells[index]
            flaw = flaws.get(index) if flaws else None
            if cell is None and flaw is None:
                continue
            name = column.field.name
            meaning = column.read(cell) if flaw is None else read_cell(column.field, cell, flaw)
            match meaning:
                case Value(value=value, remark=remark):
                    values[name] = value
                    if remark is not None:
                        issues.append(self._issue(row, name, remark.code, remark.message, value, warning=True))
                case Clear():
                    values[name] = ""
                case Wrong(code=code, message=message, attempted=attempted):
                    issues.append(self._issue(row, name, code, message, attempted))
                case Silent(whitespace_only=True):
                    message = "holds only white space and counts as blank"
                    issues.append(self._issue(row, name, "cell.white_space", message, None, warning=True))
                case Silent():
                    pass
                case _:
                    assert_never(meaning)
        return values

    def _read_shown(
        self, row: RowNumber, cells: Sequence[CellValue], flaws: Mapping[int, Flaw], issues: list[Issue]
    ) -> Mapping[str, str]:
        """Take the read-only cells as text; they are compared with live and never sent."""
        texts = {}
        for name, index in self._read_only:
            flaw = flaws.get(index) if flaws else None
            if flaw is not None:
                meaning = read_cell(BY_NAME[name], cells[index], flaw)
                if isinstance(meaning, Wrong):
                    issues.append(self._issue(row, name, meaning.code, meaning.message, meaning.attempted))
            elif cells[index] is not None and (text := shown(cells[index]).strip()):
                texts[name] = text
        return texts

    def _check_together(self, row: RowNumber, values: dict[str, Json], issues: list[Issue]) -> None:
        """Hold the fields of a row against one another."""
        if values.get("ClearImageFile") is False:
            # FALSE asks for nothing: an image goes only where TRUE stands.
            del values["ClearImageFile"]
        named = values.keys() | {issue.field for issue in issues if issue.field == "NewImageUrl"}
        if "NewImageUrl" in named and "ClearImageFile" in values:
            message = "must not be TRUE while NewImageUrl is given"
            issues.append(self._issue(row, "ClearImageFile", "image.both", message, attempted=True))
        if values.get("UnlockAfterDays") and values.get("UnlockType", UnlockType.Timed) != UnlockType.Timed:
            message = "has effect only with UnlockType 3 (Timed)"
            days = values["UnlockAfterDays"]
            issues.append(self._issue(row, "UnlockAfterDays", "unlock.not_timed", message, days, warning=True))

    def _check_html(self, row: RowNumber, values: dict[str, Json], issues: list[Issue], *, is_touched: bool) -> None:
        """Clean the contents, if that is asked for, and name what acts rather than shows in them."""
        text = values.get(_HTML)
        if self._html is HtmlPolicy.OFF or not isinstance(text, str):
            return
        if self._cleaner is not None and is_touched:
            match cleaned(text, self._cleaner):
                case Cleaned(text=clean, message=message):
                    issues.append(self._issue(row, _HTML, "html.cleaned", message, text, warning=True))
                    values[_HTML] = text = clean
                case Uncleanable(message=message):
                    issues.append(self._issue(row, _HTML, "html.not_cleanable", message, text))
                case None:
                    pass
        warning = self._html is not HtmlPolicy.HOLD
        issues.extend(
            self._issue(row, _HTML, risk.code, risk.message, risk.excerpt, warning=warning) for risk in risks(text)
        )

    def _remark(self, row: RowNumber, hints: Mapping[int, Hint], issues: list[Issue]) -> None:
        """Say what a cell holds beside its value."""
        for column in (self._id_column, *self._editable):
            hint = hints.get(column.index)
            remark = None if hint is None else remark_on(column.field, hint)
            if hint is not None and remark is not None:
                name = column.field.name
                issue = self._issue(row, name, remark.code, remark.message, hint.shown, warning=True)
                issues.append(replace(issue, severity=Severity.NOTE) if remark.is_note else issue)

    def _issue(
        self,
        row: RowNumber,
        column: str,
        code: str,
        message: str,
        attempted: Json,
        *,
        warning: bool = False,
        about: str | None = "",
    ) -> Issue:
        """Write an issue at the row's cell in `column`; `about=None` makes it one of the whole row."""
        return Issue(
            code,
            message,
            field=column if about == "" else about,
            severity=Severity.WARNING if warning else Severity.ERROR,
            attempted_value=attempted,
            cell=f"{self._prefix}{self._letters[column]}{row}",
        )


def _without_hidden(
    judged: Sequence[tuple[TableRow, _Verdict]], policy: HiddenRows, sheet: str
) -> tuple[list[_Verdict], tuple[Issue, ...]]:
    """Do with hidden rows as was said; a row that the operator leaves out anyway needs no saying."""
    verdicts = [verdict for _, verdict in judged]
    hidden = [row.number for row, verdict in judged if row.hidden and not isinstance(verdict.row, SkippedRow)]
    if not hidden:
        return verdicts, ()
    note, gone = decide(policy, hidden, of=len(judged), sheet=sheet)
    verdicts = [
        _Verdict(SkippedRow(each.row.row, each.row.label), None) if each.row.row in gone else each for each in verdicts
    ]
    return verdicts, (note,)


def _notes(file: LoadedFile) -> Iterator[Issue]:
    """Pass on what the loader has to say."""
    for note in file.notes:
        yield Issue("file.note", note, severity=Severity.NOTE)


def _judge_repeated(verdicts: Sequence[_Verdict], judge: _Judge) -> list[CheckedRow]:
    """Of rows with the same Id keep the first where all ask for the same; else hold all: which is meant is unknown."""
    ids = [verdict.id for verdict in verdicts if verdict.id is not None]
    if len(set(ids)) == len(ids):
        return [verdict.row for verdict in verdicts]
    rows_of: dict[SectionId, list[CheckedRow]] = {}
    for verdict in verdicts:
        if verdict.id is not None:
            rows_of.setdefault(verdict.id, []).append(verdict.row)
    alike = {section_id for section_id, rows in rows_of.items() if ask_the_same(rows)}
    return [
        verdict.row
        if verdict.id is None or len(rows_of[verdict.id]) == 1
        else _repeated(verdict.row, verdict.id, rows_of[verdict.id], judge, alike=verdict.id in alike)
        for verdict in verdicts
    ]


def _repeated(
    row: CheckedRow, section_id: SectionId, rows: Sequence[CheckedRow], judge: _Judge, *, alike: bool
) -> CheckedRow:
    numbers = [each.row for each in rows]
    if not alike:
        issue = judge.repeated(row.row, section_id, numbers)
        return InvalidRow(row.row, row.label, (issue, *row.issues))
    if row.row == numbers[0]:
        return row
    return SkippedRow(row.row, row.label, (judge.repeats(row.row, section_id, numbers[0]),))
