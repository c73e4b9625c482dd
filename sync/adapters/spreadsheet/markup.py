"""One pass of the XML parser over a part: no DTD, well-formed to its end, or refused."""

from collections.abc import Callable
from typing import TypeAlias
from xml.parsers import expat

from sync.adapters.spreadsheet.package import damaged, dtd_refusal

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
        parser.Parse(data, True)  # noqa: FBT003 - the signature of expat
    except expat.ExpatError as exc:
        raise damaged(file) from exc
    except (LookupError, ValueError) as exc:  # an encoding that is unknown, or not one of XML's
        raise damaged(file) from exc
