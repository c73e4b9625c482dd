"""The key that seals plans, and the files themselves: private, whole, and refused where they cannot be trusted."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sync.adapters.plan_file import KEY_NAME, is_plan_file, plan_key, read_plan
from sync.errors import ConfigError, PlanRefused


def test_a_state_directory_has_one_key_for_its_owner_alone(tmp_path: Path) -> None:
    """Made at its first use, 0600, the same ever after, and another one elsewhere; nothing else is left behind."""
    key = plan_key(tmp_path)

    assert plan_key(tmp_path) == key
    assert len(key) == 32
    assert stat.S_IMODE((tmp_path / KEY_NAME).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [KEY_NAME]
    (tmp_path / "other").mkdir()
    assert plan_key(tmp_path / "other") != key


def test_processes_that_make_it_at_once_agree(tmp_path: Path) -> None:
    """The first that is whole stands."""
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(plan_key, [tmp_path] * 16))

    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == [KEY_NAME]


@pytest.mark.parametrize("there", [True, False], ids=["the key is there", "no key yet"])
def test_what_a_killed_process_left_of_the_key_is_removed(tmp_path: Path, there: bool) -> None:  # noqa: FBT001 - a case
    """No half key stays in the state directory; the whole one is as it was."""
    key = plan_key(tmp_path) if there else None
    (tmp_path / ".plan-key-x1y2z3").write_bytes(bytes(16))

    assert plan_key(tmp_path) == (key or plan_key(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [KEY_NAME]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660], ids=oct)
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    """Whoever has it can seal a plan of their own."""
    plan_key(tmp_path)
    (tmp_path / KEY_NAME).chmod(mode)

    with pytest.raises(ConfigError, match="open to other users"):
        plan_key(tmp_path)


@pytest.mark.parametrize("content", [b"", b"short", bytes(31)], ids=len)
def test_a_damaged_key_is_refused(tmp_path: Path, content: bytes) -> None:
    """Never used as it is, never replaced in silence: plans that it sealed would be refused without a reason."""
    path = tmp_path / KEY_NAME
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(ConfigError, match="damaged"):
        plan_key(tmp_path)


def test_a_link_in_its_place_is_refused(tmp_path: Path) -> None:
    """It could lead to a key that somebody else knows."""
    real = tmp_path / "known"
    real.write_bytes(bytes(32))
    real.chmod(0o600)
    (tmp_path / KEY_NAME).symlink_to(real)

    with pytest.raises(ConfigError, match="cannot be used"):
        plan_key(tmp_path)


def test_a_folder_that_takes_nothing_is_told(tmp_path: Path) -> None:
    """With what to do."""
    with pytest.raises(ConfigError, match="Mend the rights"):
        plan_key(tmp_path / "missing")


def test_what_cannot_be_read_is_no_plan(tmp_path: Path) -> None:
    """Neither a file that is not there, nor a folder, nor bytes that are no text."""
    binary = tmp_path / "plan.json"
    binary.write_bytes(b'{"coursesync_plan":1,"\xff')

    assert not is_plan_file(tmp_path / "missing.json")
    assert not is_plan_file(tmp_path)
    assert is_plan_file(binary)
    with pytest.raises(PlanRefused, match="cannot be read"):
        read_plan(binary)
