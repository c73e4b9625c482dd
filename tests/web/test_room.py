"""No room on the disk: an upload is refused with a sentence, leaves nothing behind, and the next one is taken."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.web.page_process import PageProcess, Visitor
from tests.web.test_journey import SECTIONS, titles

pytestmark = pytest.mark.e2e

FULL = "The disk of the server is almost full: nothing was taken."


@contextmanager
def no_file_larger(site: PageProcess, size: int) -> Iterator[None]:
    """For the server, as if the disk were full as soon as one of its files has so many bytes."""
    _, hard = resource.prlimit(site.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(site.pid, resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.prlimit(site.pid, resource.RLIMIT_FSIZE, (hard, hard))


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(900_000, id="while-it-is-kept"),
        pytest.param(5_000_000, id="while-it-is-taken-in"),
    ],
)
def test_an_upload_that_finds_no_room_is_refused(
    site: PageProcess, visitor: Visitor, size: int, tmp_path: Path
) -> None:
    """507 and a sentence, whether it was the sheet's own file or where the form is gathered; no half file stays."""
    before = sorted((site.state / "plans").glob("*/*"))
    with no_file_larger(site, 800_000):
        refused = visitor.client.post(
            "/uploads", data={"csrf": visitor.csrf}, files={"sheet": ("a.csv", b"Id,Title\n" + b"x" * size)}
        )
        looks = visitor.get("/").status_code

    assert (refused.status_code, looks) == (507, 200)
    assert FULL in refused.text
    assert sorted((site.state / "plans").glob("*/*")) == before
    assert "page.broken" not in (site.folder / "serve.err").read_text(encoding="utf-8")
    _, page = visitor.planned(titles(tmp_path / "a.xlsx", f"Room {size}", SECTIONS[0:2]))
    assert visitor.counts(page) == {"to_update": 2}
