"""F1 and F2: killed at every point, of small plans without exception; `resume`, and every promise still holds."""

import pytest

from tests.faults.desk import Desk

pytestmark = pytest.mark.e2e

MOST_POINTS = 400


def recovered(desk: Desk) -> None:
    """Go on after a death: `resume` where a run had begun, then apply again, which finds nothing left to do."""
    ended = desk.resume()
    assert ended.code == 0, ended
    if ended.out is None:
        ended = desk.apply()
        assert ended.code == 0, ended


def test_probe(desk: Desk) -> None:
    """Probe."""
    import time
    desk.rename(2)
    for k in range(1, 200):
        t = time.time()
        e = desk.apply(failpoint=f"*:{k}")
        t2 = time.time()
        if e.code != -9:
            print(k, e)
            break
        print(k, e.stderr.splitlines()[-1], round(t2 - t, 3))
        desk = Desk(desk.folder / "n", desk.sandbox, desk.commands) if False else desk
        import shutil
        shutil.rmtree(desk.state_dir)
        desk.sandbox.reset()
    print(desk.broken())
    desk.apply_again_sends_nothing()
    print(desk.broken())
