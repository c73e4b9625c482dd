"""One pass of the XML parser over a part: no DTD, well-formed to its end, or refused."""

from collections.abc import Callable
from typing import Final, TypeAlias
from xml.parsers import expat

from sync.adapters.spreadsheet.package import damaged, dtd_refusal

_PIECE_BYTES: Final = 500_000
"""Between two pieces, a few milliseconds apart, another thread gets its turn: the parser lets nobody in."""

StartHandler: TypeAlias = Callable[[str, dict[str, str]], None]


def local(tag: str) -> str:
    """Take the prefix off a name."""
    return tag.rpartition(":")[2]


def parse(
    data: bytes,
    start: StartHandler | None,
    file: str,
    *,
    on_parser: Callable[[expat.XMLParserType], None] | None = None,
) -> None:
    """Run one pass over a part, refusing a DTD at its first token.

    Raises:
        InputError: `file.dtd`, `file.damaged`.
    """

    def refuse(*_: object) -> None:
        raise dtd_refusal(file)

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    if on_parser is not None:
        on_parser(parser)
    try:
        with memoryview(data) as whole:
            for place in range(0, len(data), _PIECE_BYTES):
                parser.Parse(whole[place : place + _PIECE_BYTES], False)  # noqa: FBT003 - the signature of expat
        parser.Parse(b"", True)  # noqa: FBT003 - the same
    except expat.ExpatError as exc:
        raise damaged(file) from exc
    except (LookupError, ValueError) as exc:  # an encoding that is unknown, or not one of XML's
        raise damaged(file) from exc
