"""The rows that stay as they lie in the file, told by one look at each: most rows of a sheet have the same outline.

The outline of a row is what is left of it without its texts and digits. For each outline there is a pattern that such
rows match as a whole; one that does not is looked at cell by cell (`own_cells.py`).
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final, TypeAlias

from sync.adapters.workbook.own_forms import Forms, OddRowError, RowForm
from sync.adapters.workbook.own_rows import RawRow
from sync.adapters.workbook.own_strings import SUSPECT, Strings

_DIGITS: Final = b"0123456789"
_INLINE: Final = b"<is>"
_TEXTS: Final = re.compile(rb">[^<]+")
_CELL: Final = re.compile(
    rb'<c r="([A-Z]{1,3})"( s="")?( t="(?:n|s|b|inlineStr)")?'
    rb'(?:(/>|></c>)|(><v></v></c>)|><is>(<t(?: xml:space="preserve")?>)</t></is></c>)'
)
_NUMBER: Final = b' t="s"'
_NOTHING: Final = b' t="n"'
_TEXT: Final = b' t="inlineStr"'
_NO_FORMULA: Final = b"(?!%b)" % b"|".join(map(re.escape, SUSPECT))
_MOST_OUTLINES: Final = 1_000

_Groups: TypeAlias = Sequence[bytes]
_Pick: TypeAlias = Callable[[_Groups], _Groups]


def _pick(places: Sequence[int]) -> _Pick:
    """Make what takes some of the groups of a match."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda groups: [groups[place] for place in places]


@dataclass(frozen=True, slots=True)
class _Outline:
    """What rows of the same outline have in common."""

    whole: re.Pattern[bytes]
    """A row of it; the first group is its number."""
    letters: tuple[bytes, ...]
    kinds: tuple[bytes, ...]
    is_styled: tuple[bool, ...]
    styles: _Pick
    numbers: _Pick
    """Of texts in the table."""
    forms: dict[tuple[bytes, ...], RowForm | None] = field(default_factory=dict)
    """By the styles; `None` where such a row cannot stay as it is."""


class PlainRows:
    """Tells the rows that can stay as they are."""

    def __init__(self, forms: Forms, strings: Strings) -> None:
        """Take the forms of cells, and the texts of the workbook."""
        self._forms = forms
        self._count = strings.count
        self._special = strings.formula_like
        self._outlines: dict[bytes, _Outline | None] = {b"": None}

    def form(self, row: RawRow) -> RowForm | None:
        """What a row consists of that can stay as it is; `None` where it cannot, or that is not told at a look."""
        cells = row.cells
        key = (_TEXTS.sub(b">", cells) if _INLINE in cells else cells).translate(None, _DIGITS)
        if key not in self._outlines:
            if len(self._outlines) == _MOST_OUTLINES:
                return None
            self._outlines[key] = _outline(key)
        outline = self._outlines[key]
        found = outline and outline.whole.fullmatch(cells)
        if not outline or not found:
            return None
        groups = found.groups()
        styles = tuple(outline.styles(groups))
        if styles not in outline.forms:
            outline.forms[styles] = self._row_form(outline, styles)
        if int(groups[0]) != row.number or not self._are_usual(outline, groups):
            return None
        return outline.forms[styles]

    def _are_usual(self, outline: _Outline, groups: _Groups) -> bool:
        """Whether the table has these texts, and none of them looks like a formula."""
        numbers = list(map(int, outline.numbers(groups)))
        return not numbers or (max(numbers) < self._count and self._special.isdisjoint(numbers))

    def _row_form(self, outline: _Outline, styles: tuple[bytes, ...]) -> RowForm | None:
        left = iter(styles)
        attributes = tuple(
            (b' s="%b"' % next(left) if is_styled else b"") + kind
            for is_styled, kind in zip(outline.is_styled, outline.kinds, strict=True)
        )
        try:
            form = self._forms.row(outline.letters, attributes)
        except OddRowError:
            return None
        return form if form.is_plain else None


def _outline(key: bytes) -> _Outline | None:
    """Make the pattern for rows of this outline; `None` where such rows are looked at cell by cell."""
    cells = list(_CELL.finditer(key))
    if b"".join(cell[0] for cell in cells) != key:
        return None
    pattern: list[bytes] = []
    places: dict[str, list[int]] = {"styles": [], "numbers": []}
    group = 1
    for cell in cells:
        for kind, piece in _pieces(cell, is_first=not pattern):
            pattern.append(piece)
            if kind:
                places[kind].append(group)
                group += 1
        if pattern[-1] == b"":
            return None
    return _Outline(
        re.compile(b"".join(pattern)),
        tuple(cell[1] for cell in cells),
        tuple(cell[3] or b"" for cell in cells),
        tuple(cell[2] is not None for cell in cells),
        _pick(places["styles"]),
        _pick(places["numbers"]),
    )


def _pieces(cell: re.Match[bytes], *, is_first: bool) -> Iterator[tuple[str, bytes]]:
    """The pattern of one cell, and what kind of group is in each piece; an empty last piece where there is none."""
    _, letters, style, kind, is_blank, is_value, text = cell.group(0, 1, 2, 3, 4, 5, 6)
    yield "", rb'<c r="%b%b"' % (letters, b"([0-9]{1,7})" if is_first else rb"\1")
    if style:
        yield "styles", rb' s="([0-9]{1,6})"'
    yield "", kind or b""
    if is_blank:
        yield "", is_blank if kind in {None, _NOTHING} else b""
    elif is_value and kind == _NUMBER:
        yield "numbers", rb"><v>([0-9]{1,15})</v></c>"
    elif is_value:
        yield "", b"" if kind == _TEXT else rb"><v>[0-9]{1,15}</v></c>"
    else:
        yield "", rb"><is>%b%b[^<]+</t></is></c>" % (text, _NO_FORMULA) if kind == _TEXT else b""
