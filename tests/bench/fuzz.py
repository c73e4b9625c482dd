"""Mutate sheets at random and load them: `make fuzz`, with N=10000 files and SEED=0.

Bytes, parts of the zip, tokens of the XML and bytes of texts are changed; each file is read by one process that stays
warm, and judged. Whatever comes is a checked sheet or an `InputError`: anything else ends with exit code 1, and the
file is kept, under its number and seed, where `--keep` says.
"""

import argparse
import io
import random
import re
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import openpyxl

from sync.adapters.spreadsheet import Limits
from sync.adapters.spreadsheet.child import ReadingProcess
from sync.adapters.spreadsheet.container import content_of
from sync.errors import InputError
from sync.hidden_rows import HiddenRows
from sync.validate import check_sheet

LIMITS = Limits(memory_bytes=1_000_000_000, cpu_s=1_000_000, wall_s=10.0)
BAD = frozenset({"file.crashed", "file.too_slow"})
HEADER = ("Id", "CourseId", "Title", "DisplayOrder", "UnlockType", "Active", "SectionContents", "NewImageUrl")
NASTY = (
    b"", b"0", b"-1", b"1048576", b"1048577", b"99999999999999999999", b"1e400", b"NaN", b"A1", b"XFD1048576", b"XFE1",
    b"A0", b"A1:XFD1048576", b"&#0;", b"&lt;", b"&x;", b"<!DOCTYPE a>", b"<![CDATA[x]]>", b"]]>", b"\xff\xfe", b"\x00",
    b"_x0000_", b"s", b"str", b"e", b"b", b"d", b"inlineStr", b"hidden", b"../../../etc/passwd", b"http://[",
    b"2024-13-45",    b"PT99999999H", b"1048570", b"true", b"\xc3\x28", b"'", b'"',
)  # fmt: skip
TOKEN = re.compile(rb'"[^"<>]*"|>[^<>]+<|</?[A-Za-z:]+')
CSV_BITS = (
    b'"',
    b'""',
    b",",
    b";",
    b"\t",
    b"\r",
    b"\n",
    b"\r\n",
    b"\x00",
    b"\xff",
    b"\xef\xbb\xbf",
    b"sep=;\n",
    b"=",
    b"#N/A",
)


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("-n", type=int, default=10_000)
    words.add_argument("--seed", type=int, default=0)
    words.add_argument("--keep", type=Path, default=None)
    options = words.parse_args()
    seeds = (workbook(), open_document(), text(","), text(";"))
    results: Counter[str] = Counter()
    failed: list[str] = []
    slowest, start = 0.0, time.monotonic()
    with ReadingProcess(LIMITS) as process:
        for number in range(options.n):
            chance = random.Random(f"{options.seed}:{number}")
            data = mutated(chance.choice(seeds), chance)
            began = time.monotonic()
            result = outcome(process, data)
            slowest = max(slowest, time.monotonic() - began)
            results[result] += 1
            if result in BAD or result.startswith("!"):
                failed.append(f"seed {options.seed}, number {number}: {result}")
                if options.keep is not None:
                    options.keep.mkdir(parents=True, exist_ok=True)
                    (options.keep / f"{options.seed}-{number}.bin").write_bytes(data)
    for result, count in results.most_common():
        print(f"{count:>7,}  {result}")
    print(
        f"{options.n:,} files in {time.monotonic() - start:.0f} s, the slowest {slowest:.2f} s; failures: {len(failed)}"
    )
    for line in failed:
        print(f"  {line}")
    return 1 if failed else 0


def outcome(process: ReadingProcess, data: bytes) -> str:
    """Load and judge: a word for what came of it; with `!` for what must not come."""
    try:
        loaded = process.read(content_of(Path("fuzz.bin"), data))
        checked = check_sheet(loaded, aliases={}, hidden_rows=HiddenRows.INCLUDE)
    except InputError as exc:
        return exc.code
    except Exception as exc:  # noqa: BLE001 - to find those is its purpose
        return f"!{exc!r}"[:200]
    numbers = [row.row for row in checked.rows]
    return "checked" if numbers == sorted(set(numbers)) else "!rows out of order"


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Change a file in one to four places, in one of the ways that fit it."""
    ways: Sequence[Callable[[bytes, random.Random], bytes]]
    ways = (of_part, of_part, of_part, of_parts, of_bytes) if data.startswith(b"PK") else (of_text, of_text, of_bytes)
    for _ in range(chance.randint(1, 4)):
        data = chance.choice(ways)(data, chance)
    return data


def of_bytes(data: bytes, chance: random.Random) -> bytes:
    """Flip, cut out, double or cut off bytes."""
    if not data:
        return data
    changed = bytearray(data)
    place = chance.randrange(len(changed))
    length = chance.choice((1, 2, 4, 16, 200))
    match chance.randrange(5):
        case 0:
            changed[place] ^= 1 << chance.randrange(8)
        case 1:
            changed[place : place + length] = chance.randbytes(length)
        case 2:
            del changed[place : place + length]
        case 3:
            changed[place:place] = changed[place : place + length]
        case _:
            del changed[place:]
    return bytes(changed)


def of_text(data: bytes, chance: random.Random) -> bytes:
    """Put a sign that means something into a text."""
    place = chance.randrange(len(data) + 1)
    return data[:place] + chance.choice(CSV_BITS) * chance.choice((1, 1, 1, 3)) + data[place:]


def of_part(data: bytes, chance: random.Random) -> bytes:
    """Change tokens of the XML in one part, or its bytes, and pack it again rightly."""
    parts = unpacked(data)
    if not parts:
        return of_bytes(data, chance)
    name = chance.choice(sorted(parts))
    part = parts[name]
    tokens = list(TOKEN.finditer(part))
    if tokens and chance.random() < 0.8:
        for _ in range(chance.randint(1, 3)):
            found = chance.choice(tokens)
            old, new = found.group(), chance.choice(NASTY)
            if chance.random() < 0.3:
                new = chance.choice(tokens).group().strip(b'"<>')
            fresh = old[:1] + new + old[-1:] if old[:1] in {b'"', b">"} else b"<" + new
            part = part.replace(old, fresh, chance.choice((1, 1, -1)))
    else:
        part = of_bytes(part, chance)
    return packed({**parts, name: part})


def of_parts(data: bytes, chance: random.Random) -> bytes:
    """Drop a part, rename one, or give one the contents of another."""
    parts = unpacked(data)
    if not parts:
        return of_bytes(data, chance)
    first, second = chance.choice(sorted(parts)), chance.choice(sorted(parts))
    match chance.randrange(3):
        case 0:
            del parts[first]
        case 1:
            parts[chance.choice((first.upper(), f"/{first}", first.replace("/", "\\"), "../x"))] = parts.pop(first)
        case _:
            parts[first] = parts[second]
    return packed(parts)


def unpacked(data: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except Exception:  # noqa: BLE001 - already broken by an earlier change
        return {}


def packed(parts: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return buffer.getvalue()


def workbook() -> bytes:
    """A workbook with a bit of everything."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(HEADER)
    for number in range(1, 12):
        sheet.append((number, 5, f"Title {number}", number, 3, True, f"<p>{number}</p>", "https://example.com/a.png"))
    sheet["C3"] = "=A3&B3"
    sheet["C4"].data_type = "e"
    sheet["C4"].value = "#N/A"
    sheet["D5"].number_format = "yyyy-mm-dd"
    sheet["H6"].hyperlink = "https://example.com/b.png"
    sheet.merge_cells("C8:C9")
    sheet.row_dimensions[10].hidden = True
    sheet.column_dimensions["G"].hidden = True
    sheet.auto_filter.ref = "A1:H12"
    book.create_sheet("Other").append(("x", 1))
    book.create_sheet("Base").sheet_state = "hidden"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def open_document() -> bytes:
    """A sheet of another program, with repetitions, an error, a formula and a merged cell."""
    names = ("office", "table", "text", "style", "calcext")
    spaces = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in names)

    def cell(value: object, more: str = "") -> str:
        kind = f'float" office:value="{value}' if isinstance(value, int) else "string"
        return f'<table:table-cell office:value-type="{kind}" {more}><text:p>{value}</text:p></table:table-cell>'

    rows = ["".join(map(cell, HEADER[:4]))]
    rows += ["".join((cell(number), cell(5), cell(f"Title {number}"), cell(number))) for number in range(1, 8)]
    rows[3] += cell("#N/A", 'calcext:value-type="error" table:formula="of:=NA()"')
    rows[4] += '<table:table-cell table:formula="of:=[.A1]" table:number-columns-repeated="3"/>'
    rows[5] += cell("x", 'table:number-rows-spanned="2"')
    body = "".join(
        f'<table:table-row table:number-rows-repeated="{1 + n // 7}">{row}</table:table-row>'
        for n, row in enumerate(rows)
    )
    content = (
        f"<office:document-content {spaces}><office:body><office:spreadsheet>"
        f'<table:table table:name="S"><table:table-column table:number-columns-repeated="8"/>{body}'
        '<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="1024"/>'
        "</table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"
    )
    mimetype = b"application/vnd.oasis.opendocument.spreadsheet"
    return packed({"mimetype": mimetype, "content.xml": content.encode(), "META-INF/manifest.xml": b"<m/>"})


def text(delimiter: str) -> bytes:
    """A text with quotes and line ends within cells."""
    rows = [HEADER, *((str(n), "5", f'"Title ""{n}"""', str(n), "3", "TRUE", '"<p>\n</p>"', "") for n in range(1, 20))]
    return "\r\n".join(delimiter.join(row) for row in rows).encode("utf-8-sig")


if __name__ == "__main__":
    sys.exit(main())
