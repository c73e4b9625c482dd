"""The cells of a report's tables: what they hold, and which texts a spreadsheet would run as a formula. Pure."""

from typing import Final

TableCell = str | int | None
"""A cell of `report.csv` or of a result column; `None` is blank."""

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet may take for the start of a formula; the last four are the full-width forms."""


def guarded(text: str) -> str:
    """Take the sting out of text that a spreadsheet would run as a formula: a `'` before it."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
