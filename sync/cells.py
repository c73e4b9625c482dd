"""What a cell means for its field: nothing, a value, an order to clear, or a mistake. Nothing is guessed."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Final, TypeAlias, assert_never

from sync.frozen import Frozen
from sync.hints import Hint, HintKind
from sync.image_url import ANY_HOST, ImagePolicy, ImageRules, refusal
from sync.model import CellValue, Flaw, FlawKind
from sync.normalize import as_sent
from sync.section import FieldKind, Json, SectionField, UnlockType

MAX_EXACT: Final = 2**53
"""Above it a JSON reader may round (IEEE 754)."""
EXCEL_DIGITS: Final = 15
"""A number in Excel keeps no more digits than these."""
_ROUNDED_FROM: Final = 10**EXCEL_DIGITS
EXCEL_TEXT: Final = 32_767
"""A cell in Excel keeps no more characters (UTF-16 units) than these, and cuts the rest without a word."""

MAX_TEXT: Final = 5_000_000
"""Characters of one text; the API names no limit."""

CLEAR: Final = "[clear]"


class Silent(Frozen):
    """The cell asks for nothing: leave the field alone."""

    whitespace_only: bool = False


class Clear(Frozen):
    """The cell asks to empty the field."""


class Remark(Frozen):
    """A doubt that does not hold the row."""

    code: str
    message: str
    is_note: bool = False
    """Something to know rather than to doubt."""


class Value(Frozen):
    """The cell names a value, as it is to be sent."""

    value: Json
    remark: Remark | None = None


class Wrong(Frozen):
    """The cell cannot be taken for a value of its field."""

    code: str
    message: str
    attempted: Json


Meaning: TypeAlias = Silent | Clear | Value | Wrong
Reader: TypeAlias = Callable[[CellValue], Meaning]

_BLANK: Final = Silent()
_WHITE_SPACE: Final = Silent(whitespace_only=True)

_INVISIBLE: Final = " \t\r\n\u00a0\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_EXCEL_ERRORS: Final = frozenset({"#N/A", "#N/D", "#N/B", "#NV", "#GETTING_DATA"})
_EXCEL_ERROR: Final = re.compile(r"#[¡¿]?[0-9/]*[A-ZÀ-Þ][A-ZÀ-Þ_0-9/ .]*[!?]")
"""`#REF!`, `#DIV/0!`, `#NAME?` and their translations (`#BEZUG!`, `#¡VALOR!`, `#NOM?`)."""
_PLACEHOLDERS: Final = frozenset({"null", "none", "nil", "n/a", "na", "nan", "undefined", "-", "--"})
_FORMULA_TRICK: Final = re.compile(r'="[^"]*"')
_GUARDED: Final = re.compile(r"'[=+\-@\uff1d\uff0b\uff0d\uff20][^']*\Z")
_UNSENDABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff\ufffd]")
_PLAIN_TEXT: Final = re.compile(
    r"(?i:(?!null|none|nil|n/?a|undefined))"
    r"[A-Za-z<][^\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff\ufffd]+"
)
"""A text in which there is nothing to doubt and nothing to change."""
_WHOLE: Final = re.compile(r"-?[0-9]{1,20}")
_COURSE: Final = re.compile(r"([0-9]{1,20})\s*·.*", re.DOTALL)
_BOOLEANS: Final[Mapping[str, Value]] = {
    **dict.fromkeys(("true", "yes", "1"), Value(value=True)),
    **dict.fromkeys(("false", "no", "0"), Value(value=False)),
}
_UNLOCK_TYPES: Final[Mapping[str, Value]] = {
    key: Value(int(kind)) for kind in UnlockType for key in (kind.name.casefold(), str(int(kind)))
}
_UNLOCK_NUMBERS: Final = frozenset(map(int, UnlockType))


def is_error_word(text: str) -> bool:
    """Whether `text` is what Excel shows for an error, in whatever language."""
    word = text.strip()
    return word in _EXCEL_ERRORS or _EXCEL_ERROR.fullmatch(word) is not None


def shown(value: CellValue) -> str:
    """Give a cell as text for people and labels: whole numbers without a point, times in ISO 8601."""
    if isinstance(value, str):
        return value
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | timedelta():
            return str(value)
        case None:
            return ""
        case float():
            return str(int(value)) if value.is_integer() else repr(value)
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            assert_never(value)


def read_cell(field: SectionField, value: CellValue, flaw: Flaw | None = None) -> Meaning:
    """Tell what `value` means in the column of `field`; a flaw outweighs the value that a reader gave."""
    return reader_for(field)(value) if flaw is None else _flawed(flaw)


def reader_for(field: SectionField, *, images: ImageRules = ANY_HOST) -> Reader:
    """Choose the reader of a column once, for all its cells that have no flaw; `images` says what addresses may be."""
    how = partial(_read_image_url, images) if field.kind is FieldKind.IMAGE_URL else _READERS[field.kind]
    is_plain, read = plainness_of(field), partial(_read, field, how)
    return lambda value: Value(_json(value)) if is_plain(value) else read(value)


def plainness_of(field: SectionField) -> Callable[[CellValue], bool]:
    """Choose what tells the plainest cells of a column by a look: each is its own value, and nothing is to be remarked.

    A sheet can have a million of them.
    """
    match field.kind:
        case FieldKind.INTEGER:
            minimum = -MAX_EXACT if field.minimum is None else field.minimum
            return lambda value: type(value) is int and minimum <= value < _ROUNDED_FROM
        case FieldKind.TEXT:
            return _is_plain_text
        case FieldKind.BOOLEAN:
            return lambda value: type(value) is bool
        case FieldKind.UNLOCK_TYPE:
            return lambda value: type(value) is int and value in _UNLOCK_NUMBERS
        case FieldKind.IMAGE_URL | FieldKind.OPAQUE:
            return lambda _: False
        case _:
            assert_never(field.kind)


def _is_plain_text(value: CellValue) -> bool:
    return type(value) is str and len(value) < EXCEL_TEXT // 2 and _PLAIN_TEXT.fullmatch(value) is not None


def _flawed(flaw: Flaw) -> Wrong:
    match flaw.kind:
        case FlawKind.ERROR_VALUE:
            return Wrong("cell.error_value", f"is an error in the sheet ({flaw.shown})", flaw.shown)
        case FlawKind.UNCACHED_FORMULA:
            return Wrong(
                "cell.uncached_formula",
                "is a formula that was never calculated; open the file in Excel and save it, or write the value",
                flaw.shown,
            )
        case FlawKind.MERGED:
            return Wrong(
                "cell.merged",
                f"is part of the merged cells {flaw.shown}; unmerge them and write the value wherever it is meant",
                flaw.shown,
            )
        case FlawKind.EXTRA_CELLS:
            return Wrong(
                "row.extra_cells",
                f"the row has more cells than there are headings ({flaw.shown}); put cells with a delimiter into "
                "quotation marks",
                flaw.shown,
            )
        case FlawKind.MISSING_CELLS:
            return Wrong(
                "row.missing_cells",
                f"the row has fewer cells than there are headings ({flaw.shown}); add the delimiters that are missing",
                flaw.shown,
            )
        case _:
            assert_never(flaw.kind)


def remark_on(field: SectionField, hint: Hint) -> Remark | None:
    """Say what stands behind the value of a cell, where it matters in the column of `field`."""
    match hint.kind:
        case HintKind.FORMULA:
            truth = field.kind is FieldKind.BOOLEAN and hint.shown.upper() in ("=TRUE()", "=FALSE()")  # of LibreOffice
            return None if truth else Remark("cell.formula", "is the result of a formula", is_note=True)
        case HintKind.EXTERNAL_LINK:
            return Remark(
                "cell.external_link", "is the result of a formula on another workbook, as of when that was last read"
            )
        case HintKind.LINK_TARGET if field.kind is FieldKind.IMAGE_URL:
            return Remark(
                "cell.link_target", f"shows another address than its link leads to ({hint.shown}); what it shows counts"
            )
        case HintKind.LINK_TARGET:
            return None
        case _:
            assert_never(hint.kind)


def _read(field: SectionField, read: "Callable[[SectionField, CellValue], Meaning]", value: CellValue) -> Meaning:
    """Deal with what all columns have in common, then with the field's kind."""
    if value is None:
        return _BLANK
    if isinstance(value, str):
        text = value.strip()
        if not text.strip(_INVISIBLE):
            return _WHITE_SPACE if value else _BLANK
        if len(text) == len(CLEAR) and text.casefold() == CLEAR:
            return _clear(field, value)
    elif isinstance(value, date | time | timedelta):
        return Wrong(
            "cell.date",
            f"is a date or time in the sheet ({shown(value)}); format the column as text and type it again",
            shown(value),
        )
    return read(field, value)


def _clear(field: SectionField, value: str) -> Meaning:
    if field.clearable:
        return Clear()
    if field.required:
        return Wrong("cell.required", "is a required field", value)
    return Wrong("cell.not_clearable", "cannot be cleared", value)


def _read_integer(field: SectionField, value: CellValue) -> Meaning:
    if isinstance(value, str):
        text = value.strip()
        if field.name == "CourseId" and (course := _COURSE.fullmatch(text)):
            text = course.group(1)
        if not _WHOLE.fullmatch(text):
            return Wrong("cell.not_a_number", "must be a whole number, in digits alone", value)
        return _in_range(field, int(text), value)
    number = _whole(value)
    if number is None:
        return Wrong("cell.not_a_number", "must be a whole number", _json(value))
    if abs(number) >= _ROUNDED_FROM:
        return Wrong(
            "cell.rounded",
            f"has more than {EXCEL_DIGITS} digits, so Excel has rounded this number; format the column as text and "
            "type it again",
            number,
        )
    return _in_range(field, number, number)


def _in_range(field: SectionField, number: int, attempted: Json) -> Meaning:
    if abs(number) > MAX_EXACT:
        return Wrong("cell.rounded", "is too large to be kept exactly", attempted)
    if field.minimum is not None and number < field.minimum:
        return Wrong("cell.too_small", f"must be at least {field.minimum}", attempted)
    return Value(number)


def _whole(value: CellValue) -> int | None:
    """Give a number that is whole as `int`; a boolean is no number."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, float) and value.is_integer() else None


def _read_unlock_type(_: SectionField, value: CellValue) -> Meaning:
    choice = _UNLOCK_TYPES.get(_word(value))
    if choice is None:
        return Wrong("cell.unknown_choice", "must be 1 (Immediate), 2 (Sequential) or 3 (Timed)", _json(value))
    return choice


def _read_boolean(_: SectionField, value: CellValue) -> Meaning:
    truth = _BOOLEANS.get(_word(value))
    if truth is None:
        return Wrong("cell.not_a_boolean", "must be TRUE or FALSE", _json(value))
    return truth


def _word(value: CellValue) -> str:
    return shown(value).strip().casefold()


def _read_text(_: SectionField, value: CellValue) -> Meaning:
    if isinstance(value, str):
        return _wrong_text(value) or Value(as_sent(value), _doubt(value))
    number = _whole(value)
    if number is None:
        # TRUE, 0.5 or 1E+20 can be shown in several ways: which one is meant cannot be told.
        return Wrong(
            "cell.not_text", f"is not text ({shown(value)}); format the column as text and type it again", _json(value)
        )
    if abs(number) >= _ROUNDED_FROM:
        return Wrong(
            "cell.rounded",
            f"has more than {EXCEL_DIGITS} digits, so Excel has rounded this number; format the column as text and "
            "type it again",
            number,
        )
    return Value(str(number))


def _wrong_text(text: str) -> Wrong | None:
    if found := _UNSENDABLE.search(text):
        name = f"U+{ord(found.group()):04X}"
        code = "cell.replacement_character" if found.group() == "\ufffd" else "cell.control_character"
        return Wrong(code, f"holds the character {name} at place {found.start() + 1}, which is no text", _safe(text))
    if EXCEL_TEXT // 2 <= len(text) <= EXCEL_TEXT and len(text.encode("utf-16-le")) == 2 * EXCEL_TEXT:
        return Wrong(
            "cell.cut",
            f"has exactly {EXCEL_TEXT:,} characters, the most that a cell of Excel keeps: its end may be cut off",
            f"{text[:100]}…",
        )
    if len(text) > MAX_TEXT:
        return Wrong("cell.too_long", f"has {len(text):,} characters; at most {MAX_TEXT:,} are sent", f"{text[:100]}…")
    if _FORMULA_TRICK.fullmatch(text.strip()):
        return Wrong(
            "cell.formula_text", f"is a formula written as text ({text.strip()}); write the value itself", text
        )
    if _GUARDED.match(text):
        return Wrong(
            "cell.guarded",
            "begins with an apostrophe before a sign that begins a formula, which may be a report's guard; remove the "
            "apostrophe, or write the text in another way",
            text[:100],
        )
    return None


def _doubt(text: str) -> Remark | None:
    """Remark on a text that is a word of programs rather than of people."""
    if len(text) > EXCEL_DIGITS:
        return None
    if text.strip().casefold() in _PLACEHOLDERS or is_error_word(text):
        return Remark(
            "cell.suspicious_word", f"is sent as the text {text.strip()}; leave the cell blank to change nothing"
        )
    return None


def _read_image_url(rules: ImageRules, _: SectionField, value: CellValue) -> Meaning:
    if not isinstance(value, str):
        return Wrong("cell.not_a_url", "must be a web address that begins with https://", _json(value))
    url = value.strip()
    reason = None if rules.policy is ImagePolicy.OFF else refusal(url, rules.hosts)
    if reason is not None and rules.policy is ImagePolicy.HOLD:
        return Wrong("cell.not_a_url", reason, _safe(value))
    if wrong := _wrong_text(url):
        return wrong
    if reason is not None:
        return Value(url, Remark("cell.doubtful_url", reason))
    doubt = Remark("cell.http", "is not encrypted (http); prefer https") if url[:5].lower() == "http:" else None
    return Value(url, doubt)


def _read_opaque(_: SectionField, value: CellValue) -> Meaning:
    """Read a column that is only shown."""
    return Value(_json(value))


def _json(value: CellValue) -> Json:
    return value if isinstance(value, bool | int | float | str) or value is None else shown(value)


def _safe(text: str) -> str:
    """Escape what a report could not hold."""
    return _UNSENDABLE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


_READERS: Final[Mapping[FieldKind, Callable[[SectionField, CellValue], Meaning]]] = {
    FieldKind.INTEGER: _read_integer,
    FieldKind.UNLOCK_TYPE: _read_unlock_type,
    FieldKind.BOOLEAN: _read_boolean,
    FieldKind.TEXT: _read_text,
    FieldKind.IMAGE_URL: partial(_read_image_url, ANY_HOST),
    FieldKind.OPAQUE: _read_opaque,
}
