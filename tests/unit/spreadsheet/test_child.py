"""The reading process: it gives what a reading here gives, and its deaths are sentences to whoever asked."""

import datetime as dt
import hashlib
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sync.adapters.spreadsheet import Limits, load, load_here
from sync.adapters.spreadsheet.child import ReadingProcess
from sync.adapters.spreadsheet.container import Content, content_of, read_content
from sync.adapters.spreadsheet.parts import join, parts_of
from sync.adapters.spreadsheet.wire import pack, unpack
from sync.errors import InputError
from sync.frozen import replace
from sync.hints import Hint, HintKind
from sync.model import Flaw, FlawKind, LoadedFile, RowNumber, Table, TableRow

MakeWorkbook = Callable[..., Path]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and /proc")

EVERYTHING = LoadedFile(
    Path("a.xlsx"),
    "0" * 64,
    "xlsx",
    (
        Table(
            "S",
            (
                TableRow(RowNumber(1), ("Id", None, "\ud800", 2**70, 0.1, True, False, float("inf"))),
                TableRow(
                    RowNumber(2),
                    (
                        dt.datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=None),  # noqa: DTZ001 - Excel knows no zones
                        dt.date(1900, 1, 1),
                        dt.time(23, 59, 59, 999_999),
                        dt.timedelta(days=-1, microseconds=1),
                        1,
                    ),
                    {4: Flaw(FlawKind.ERROR_VALUE, "#N/A")},
                    {0: Hint(HintKind.FORMULA, "=A1")},
                    {1: Flaw(FlawKind.MERGED, "B2:C2")},
                    hidden=True,
                    broken=Flaw(FlawKind.EXTRA_CELLS, "9 of 8"),
                ),
            ),
            hidden=True,
            hidden_columns=frozenset({1, 4}),
        ),
        Table("empty", ()),
    ),
    ("a note",),
)

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
SMALL = content_of(Path("small.csv"), b"Id,Title\n1,A\n")


def wide(rows: int) -> Content:
    return content_of(Path("wide.csv"), b"Id,Title,a,b,c,d,e,f,g,h\n" + b"1,2,3,4,5,6,7,8,9,0\n" * rows)


@pytest.fixture
def process() -> Iterator[ReadingProcess]:
    with ReadingProcess(Limits(wall_s=30.0)) as process:
        yield process


def test_a_loaded_file_travels_whole() -> None:
    """Every kind of cell, mark and remark comes out as it went in."""
    packed = [pack(part) for part in parts_of(EVERYTHING)]

    assert join(map(unpack, packed), EVERYTHING.path) == EVERYTHING


def test_reading_apart_gives_what_reading_here_gives(make_workbook: MakeWorkbook) -> None:
    """The process is no second reader: the same tables, flaws and notes."""
    rows = (
        '<row r="1"><c r="A1"><v>1</v></c><c r="B1" t="e"><v>#N/A</v></c><c r="C1"><f>A1</f><v>1</v></c></row>'
        '<row r="2" hidden="1"><c r="A2" t="b"><v>1</v></c><c r="B2" t="inlineStr"><is><t>Käse</t></is></c></row>'
    )
    path = make_workbook(rows, extra={"xl/vbaProject.bin": b"x"})

    assert load(path) == load_here(path)


def test_a_refusal_comes_through_with_code_and_remedy(make_workbook: MakeWorkbook) -> None:
    """What the reader says of the file is what the caller hears."""
    path = make_workbook("<row><c>", name="broken.xlsx")

    with pytest.raises(InputError) as apart:
        load(path)
    with pytest.raises(InputError) as here:
        load_here(path)

    assert (apart.value.code, str(apart.value)) == (here.value.code, str(here.value))
    assert apart.value.code == "file.damaged"


def test_one_process_reads_many_files_and_leaves_no_zombie() -> None:
    """It is started once, and gone when it is closed."""
    with ReadingProcess() as process:
        assert process.pid is None
        read = [process.read(SMALL).tables[0].rows[1].cells for _ in range(3)]
        pid = process.pid
        assert pid is not None

    assert read == [("1", "A")] * 3
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


@pytest.mark.parametrize(
    ("sign", "code", "named"),
    [
        pytest.param(signal.SIGABRT, "file.crashed", "signal 6", id="abort, as of a panic"),
        pytest.param(signal.SIGSEGV, "file.crashed", "signal 11", id="segmentation fault"),
        pytest.param(signal.SIGXCPU, "file.too_slow", "7 s of processor time", id="out of processor time"),
        pytest.param(signal.SIGKILL, "file.too_much_memory", "1,500 MB", id="killed by the system"),
    ],
)
def test_a_death_is_a_sentence(sign: signal.Signals, code: str, named: str) -> None:
    """It names the file and the limit, and the next file is read by a new process."""
    with ReadingProcess(Limits(memory_bytes=1_500_000_000, cpu_s=7)) as process:
        process.read(SMALL)
        first = process.pid
        assert first is not None
        os.kill(first, sign)
        with pytest.raises(InputError) as caught:
            process.read(SMALL)
        again = process.read(SMALL)

        assert process.pid not in {None, first}
    assert caught.value.code == code
    assert named in caught.value.message
    assert "small.csv" in caught.value.message
    assert caught.value.remedy
    assert len(again.tables) == 1


def test_a_reader_that_hangs_is_ended_by_the_clock() -> None:
    """Nobody waits longer than the limit, whatever the process does."""
    with ReadingProcess(Limits(wall_s=0.3)) as process:
        process.read(SMALL)
        os.kill(process.pid or 0, signal.SIGSTOP)
        with pytest.raises(InputError) as caught:
            process.read(SMALL)

    assert (caught.value.code, "0.3 s" in caught.value.message) == ("file.too_slow", True)


def test_memory_has_a_limit() -> None:
    """A file that needs more than its reader may use is refused; the caller's own memory is not touched."""
    with ReadingProcess(Limits(memory_bytes=350_000_000)) as process:
        with pytest.raises(InputError) as caught:
            process.read(wide(350_000))

        assert process.pid is None
        assert len(process.read(SMALL).tables) == 1
    assert (caught.value.code, "350 MB" in caught.value.message) == ("file.too_much_memory", True)


def test_processor_time_has_a_limit() -> None:
    """The system itself ends a reader that computes without end."""
    with ReadingProcess(Limits(cpu_s=1)) as process, pytest.raises(InputError) as caught:
        process.read(wide(390_000))

    assert (caught.value.code, "1 s of processor time" in caught.value.message) == ("file.too_slow", True)


def test_the_process_knows_no_secret_and_holds_no_file_of_ours(
    process: ReadingProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A hostile file that took the reader over would find neither a token nor an open lock."""
    if not Path("/proc/self/fd").exists():
        pytest.skip("no /proc")
    monkeypatch.setenv("COURSESYNC_TOKEN", "canary")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    lock = os.open(tmp_path / "lock", os.O_CREAT | os.O_RDWR)
    os.set_inheritable(lock, True)
    try:
        process.read(SMALL)
        home = Path(f"/proc/{process.pid}")

        assert b"canary" not in (home / "environ").read_bytes()
        assert [link for link in map(os.readlink, (home / "fd").iterdir()) if not link.startswith("pipe:")] == []
    finally:
        os.close(lock)


def test_limits_are_set_on_the_process(process: ReadingProcess) -> None:
    """No core file, few descriptors, address space and processor time as told."""
    limits = Path(f"/proc/{process.pid or 'self'}/limits")
    if not limits.exists():
        pytest.skip("no /proc")
    process.read(SMALL)
    lines = Path(f"/proc/{process.pid}/limits").read_text(encoding="ascii").splitlines()
    soft = {line[:26].strip(): line[26:].split()[0] for line in lines}

    assert soft["Max core file size"] == "0"
    assert soft["Max open files"] == "64"
    assert soft["Max address space"] == "2000000000"
    assert soft["Max cpu time"] == "60"
    assert soft["Max file size"] == "1000000"


def test_the_process_has_no_network(process: ReadingProcess) -> None:
    """A hostile file that took the reader over could tell nobody, where the system lets us see to that."""
    if not Path("/proc/self/ns/net").exists():
        pytest.skip("no namespaces")
    if a_network_of_its_own_is_forbidden():
        pytest.skip("this system gives no network of its own to this user")
    process.read(SMALL)
    devices = Path(f"/proc/{process.pid}/net/dev").read_text(encoding="ascii").splitlines()[2:]

    assert Path(f"/proc/{process.pid}/ns/net").readlink() != Path("/proc/self/ns/net").readlink()
    assert [line.split(":")[0].strip() for line in devices] == ["lo"]


def a_network_of_its_own_is_forbidden() -> bool:
    """Ask the system in a process that ends at once."""
    asked = "import ctypes, sys; sys.exit(ctypes.CDLL(None).unshare(0x50000000) != 0)"
    return subprocess.run([sys.executable, "-c", asked], check=False).returncode != 0


def test_a_cell_far_out_and_a_looping_container_are_refused_and_the_process_lives(
    make_workbook: MakeWorkbook, process: ReadingProcess
) -> None:
    """F5: what makes other readers abort or hang is refused in a sentence, and the same process reads on."""
    cell = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    far = make_workbook('<row r="1"><c r="A1"><v>1</v></c></row>' + cell, name="far.xlsx").read_bytes()
    sectors = struct.pack("<8s16xHHHH6x", OLE, 0x3E, 3, 0xFFFE, 9) + struct.pack("<9I", 0, 1, 0, 0, 4096, 0, 1, 0, 0)
    loop = sectors.ljust(512, b"\x00") + struct.pack("<128I", *([0] * 128)) + "Workbook".encode("utf-16-le")
    process.read(SMALL)
    first = process.pid

    codes = []
    for data in (far, loop):
        with pytest.raises(InputError) as caught:
            process.read(replace(SMALL, path=Path("f5.xlsx"), data=data))
        assert caught.value.remedy
        codes.append(caught.value.code)

    assert codes == ["file.too_large", "file.xls"]
    assert process.pid == first
    assert len(process.read(SMALL).tables) == 1


def test_a_workbook_that_needs_too_much_memory_aborts_nobody_else(make_workbook: MakeWorkbook) -> None:
    """F5: the reader of workbooks aborts its process where memory is refused; here that is a sentence."""
    row = '<row r="{0}"><c r="A{0}" t="str"><v>{1}</v></c><c r="AM{0}"><v>2.5</v></c></row>'
    texts = (hashlib.sha256(b"%d" % number).hexdigest() * 8 for number in range(1, 100_001))
    path = make_workbook("".join(row.format(*each) for each in enumerate(texts, start=1)), name="big.xlsx")

    with ReadingProcess(Limits(memory_bytes=200_000_000)) as process:
        with pytest.raises(InputError) as caught:
            process.read(read_content(path))

        assert (caught.value.code, "big.xlsx" in caught.value.message) == ("file.too_much_memory", True)
        assert len(process.read(SMALL).tables) == 1


def test_a_text_of_another_encoding_is_read_as_declared_in_the_process_too(process: ReadingProcess) -> None:
    """The declaration travels with the file."""
    content = replace(SMALL, data="Id,Title\n1,Käse\n".encode("cp1252"))

    assert process.read(content, encoding="cp1252").tables[0].rows[1].cells == ("1", "Käse")
