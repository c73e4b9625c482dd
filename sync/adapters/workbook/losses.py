"""What of a workbook openpyxl does not write again, told from the parts of the file and from what was opened."""

import re
from collections.abc import Iterator, Sequence
from typing import Final
from zipfile import ZipFile

from openpyxl import Workbook

_MOST_OF_A_PART: Final = 10_000_000
"""Bytes of a drawing that are looked through for shapes."""

_PICTURE = re.compile(r"xl/media/[^/]+$")
_CHART = re.compile(r"xl/charts/chart[0-9]+\.xml$")
_PIVOT = re.compile(r"xl/pivotTables/[^/]+\.xml$")
_DRAWING = re.compile(r"xl/drawings/drawing[0-9]+\.xml$")
_SHAPE = re.compile(rb"<(?:\w+:)?(?:sp|cxnSp|grpSp)[ >]")
_LOST: Final = (
    ("a chart of a newer kind", "charts of newer kinds", re.compile(r"xl/charts/chartEx[0-9]+\.xml$")),
    ("a diagram", "diagrams", re.compile(r"xl/diagrams/data[0-9]+\.xml$")),
    ("a slicer", "slicers", re.compile(r"xl/(?:slicers|timelines)/[^/]+\.xml$")),
    ("a form control", "form controls", re.compile(r"xl/(?:ctrlProps|activeX)/[^/]+\.xml$")),
    ("an embedded object", "embedded objects", re.compile(r"xl/embeddings/[^/]+$")),
    ("a link to another workbook", "links to other workbooks", re.compile(r"xl/externalLinks/[^/]+\.xml$")),
    ("a data connection", "data connections", re.compile(r"xl/(?:queryTables/[^/]+|connections)\.xml$")),
    ("a thread of comments", "threads of comments", re.compile(r"xl/threadedComments/[^/]+\.xml$")),
    ("a linked data type", "linked data types", re.compile(r"xl/richData/rdrichvalue\.xml$")),
    ("a signature", "signatures", re.compile(r"_xmlsignatures/sig[^/]*\.xml$")),
    ("the macros", "macros", re.compile(r"xl/vbaProject\.bin$")),
)
"""What openpyxl never writes, one and many, by the parts that hold it."""


def losses(archive: ZipFile, workbook: Workbook, said: Sequence[str], *, own_charts: int = 0) -> tuple[str, ...]:
    """Give the sentences for the summary: what is not in the copy, and what was drawn anew.

    `said` is what openpyxl warned of while it opened the file; `own_charts` are those of former summaries.
    """
    lost = list(_lost(archive, workbook, own_charts))
    sentences = []
    if lost:
        sentences.append(
            f"Of your workbook, this copy does not have: {', '.join(lost)}. The file that you sent still has all of it."
        )
    sentences += sorted(
        {f"Of your workbook, this could not be kept: {warning.strip().rstrip('.')}." for warning in said}
    )
    charts = _charts(workbook)
    if charts:
        named = "a chart was" if charts == 1 else f"{charts} charts were"
        sentences.append(f"Of your workbook, {named} drawn anew: some of the look may differ.")
    return tuple(sentences)


def _lost(archive: ZipFile, workbook: Workbook, own_charts: int) -> Iterator[str]:
    names = archive.namelist()
    pictures = sum(_held(each, "_images") for each in workbook.worksheets)
    pivots = sum(_held(each, "_pivots") for each in workbook.worksheets)
    yield from _count("a chart", "charts", _parts(names, _CHART) - _charts(workbook) - own_charts)
    yield from _count("a picture", "pictures", _parts(names, _PICTURE) - pictures)
    yield from _count("a pivot table", "pivot tables", _parts(names, _PIVOT) - pivots)
    yield from _count("a shape or text box", "shapes or text boxes", _shapes(archive))
    for one, many, part in _LOST:
        yield from _count(one, many, _parts(names, part))


def _count(one: str, many: str, number: int) -> Iterator[str]:
    if number > 0:
        yield one if number == 1 else f"{number:,} {many}"


def _parts(names: Sequence[str], part: re.Pattern[str]) -> int:
    return sum(1 for name in names if part.match(name))


def _charts(workbook: Workbook) -> int:
    return sum(_held(each, "_charts") for each in (*workbook.worksheets, *workbook.chartsheets))


def _held(sheet: object, what: str) -> int:
    """How many of these a sheet was opened with; openpyxl has no public name for them."""
    return len(getattr(sheet, what, ()))


def _shapes(archive: ZipFile) -> int:
    drawings = [part for part in archive.infolist() if _DRAWING.match(part.filename)]
    return sum(len(_SHAPE.findall(archive.read(part))) for part in drawings if part.file_size <= _MOST_OF_A_PART)
