"""The bytes of a text to characters: by its mark, else as strict UTF-8, else as was declared; never by a guess."""

import codecs
from typing import Final

from sync.adapters.spreadsheet.container import SAVE_AS
from sync.errors import InputError

SAVE_AS_UTF8: Final = 'In Excel choose "CSV UTF-8 (Comma delimited)" when saving, or save as a workbook (.xlsx).'
DECLARE: Final = (
    'In Excel choose "CSV UTF-8 (Comma delimited)" when saving, or save as a workbook (.xlsx); or, where it comes from '
    'elsewhere, name its encoding in the profile, as in encoding = "cp1252".'
)

_UTF_32: Final = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decode(data: bytes, file: str, *, declared: str | None) -> tuple[str, str | None]:
    """Give the text, and the declared encoding if it was needed.

    A text that is UTF-8 is read so whatever was declared: by chance no other text of some length is.

    Raises:
        InputError: `file.encoding` for bytes that cannot be read, `file.binary` for a text with NUL characters.
    """
    if data.startswith(_UTF_32):
        raise InputError(f"{file} is encoded as UTF-32.", code="file.encoding", remedy=SAVE_AS_UTF8)
    if data.startswith(_UTF_16):
        return _without_nul(_strictly(data, "utf-16", file), file), None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        if declared is None:
            raise _unreadable(data, "UTF-8", exc.start, file, remedy=DECLARE) from exc
    else:
        if declared is None or "\x00" not in text:
            return _without_nul(text, file), None
    return _without_nul(_strictly(data, _known(declared, file), file), file), declared


def _known(declared: str, file: str) -> str:
    """Look up the name of an encoding of text.

    Raises:
        InputError: `file.encoding`: there is no such encoding.
    """
    try:
        "".encode(declared)  # also refuses codecs that are no encodings of text, such as base64
        return codecs.lookup(declared).name
    except (LookupError, ValueError) as exc:
        raise InputError(
            f"{file} was declared as {declared!r}, which is no encoding that is known here.",
            code="file.encoding",
            remedy="Declare cp1252, or the name that Python has for it.",
        ) from exc


def _strictly(data: bytes, encoding: str, file: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as exc:
        raise _unreadable(data, encoding, exc.start, file) from exc


def _unreadable(data: bytes, encoding: str, offset: int, file: str, *, remedy: str = SAVE_AS_UTF8) -> InputError:
    line = data[:offset].count(b"\n") + 1
    return InputError(
        f"{file} is not encoded as {encoding}: the byte at offset {offset} (line {line}) cannot be read.",
        code="file.encoding",
        remedy=remedy,
    )


def _without_nul(text: str, file: str) -> str:
    position = text.find("\x00")
    if position >= 0:
        line = text.count("\n", 0, position) + 1
        raise InputError(
            f"{file} is no text: there is a NUL character on line {line}.", code="file.binary", remedy=SAVE_AS
        )
    return text
