"""What was told is remembered on a full disk too, in a file that never grows."""

import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.adapters.told_file import NAME, SIZE, keep_told, make_ready, told
from sync.alerts import Event, Known

STOPPED = {"account": Known(Event.STOPPED, "StoreNotWritten", 1_772_442_847.25, told=True)}


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    """And is gone when it is replaced by nothing; the file keeps its size, and is its owner's alone."""
    make_ready(tmp_path)

    assert told(tmp_path) == {}
    assert keep_told(tmp_path, STOPPED)
    assert told(tmp_path) == STOPPED
    assert keep_told(tmp_path, {})
    assert told(tmp_path) == {}
    assert (tmp_path / NAME).stat().st_size == SIZE
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


def test_no_file_grows_by_it(tmp_path: Path) -> None:
    """It is overwritten where no file may become longer; where it is not there, it is not made."""
    make_ready(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SIZE, before[1]))
    try:
        kept = keep_told(tmp_path, STOPPED)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert kept
    assert told(tmp_path) == STOPPED
    assert not keep_told(tmp_path / "nowhere", STOPPED)
    assert not keep_told(tmp_path, {f"{number}": STOPPED["account"] for number in range(99)})
    assert told(tmp_path) == STOPPED


@given(st.binary(max_size=64))
def test_a_damaged_file_says_nothing(content: bytes) -> None:
    """It is read as if nothing had been told: a message may come twice, and a run never ends by it."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, NAME).write_bytes(content)

        assert all(isinstance(known, Known) for known in told(Path(folder)).values())


@pytest.mark.parametrize(
    "content", ['{"a": 1}', "[1]", '{"a": {"event": "x", "mark": "", "since": 1, "told": 1}}', "null"]
)
def test_json_that_is_not_ours_says_nothing(tmp_path: Path, content: str) -> None:
    """The same for what can be read."""
    (tmp_path / NAME).write_text(content)

    assert told(tmp_path) == {}
