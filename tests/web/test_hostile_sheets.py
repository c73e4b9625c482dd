"""What is uploaded by somebody who means no good, S10 to S14 of the security list: sizes, names, contents."""

import re
import socket
import threading
import time
from pathlib import Path

import pytest

from sync.web.upload import shown_name
from tests.web.hostile import HOSTILE_NAMES, is_text
from tests.web.page_process import PageProcess, Visitor
from tests.web.sheets import write_sheet

pytestmark = pytest.mark.e2e


def test_s10_a_body_is_cut_off_where_it_becomes_too_large(site: PageProcess, visitor: Visitor) -> None:
    """S10: an upload that says its size is refused unread; one that does not is read to the limit and no further."""
    host, port = site.base.removeprefix("http://").split(":")
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.client.cookies.items())
    head = (
        f"POST /uploads HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: {site.base}\r\nCookie: {cookie}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n"
    )
    part = b'--x\r\nContent-Disposition: form-data; name="sheet"; filename="a.csv"\r\n\r\n'
    answers = []
    for how in ("Content-Length: 1000000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"):
        sent = 0
        with socket.create_connection((host, int(port)), timeout=30) as wire:
            wire.sendall((head + how).encode())
            try:
                if "chunked" in how:
                    wire.sendall(f"{len(part):x}\r\n".encode() + part + b"\r\n")
                    for _ in range(400):
                        wire.sendall(b"10000\r\n" + b"a" * 65536 + b"\r\n")
                        sent += 65536
            except OSError:
                pass
            answers.append((wire.recv(200).split(b"\r\n")[0], sent))

    assert b"413" in answers[0][0]
    assert b"413" in answers[1][0]


def test_s10_many_parts_and_two_files_are_refused(visitor: Visitor) -> None:
    """S10: 10,000 parts, or a second file, are no form of ours."""
    many = [(f"field-{number}", (None, "x")) for number in range(10_000)]
    two = [("csrf", (None, visitor.csrf)), ("sheet", ("a.csv", b"Id\n")), ("sheet", ("b.csv", b"Id\n"))]

    assert visitor.client.post("/uploads", files=many).status_code in {400, 413}
    assert visitor.client.post("/uploads", files=two).status_code == 400


def test_s10_who_uploads_without_a_session_is_turned_away_unread(site: PageProcess) -> None:
    """S10: nobody's upload is kept, and no file of it is left."""
    before = len(list((site.state).glob("plans/*")))

    answer = site.stranger().client.post("/uploads", files={"sheet": ("a.csv", b"Id\n1\n")})

    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?over=1"
    assert len(list((site.state).glob("plans/*"))) == before


def test_s10_a_slow_body_holds_nobody_up(site: PageProcess, visitor: Visitor) -> None:
    """S10: a form that does not come to its end holds nobody up; others are answered meanwhile."""
    host, port = site.base.removeprefix("http://").split(":")
    answers: list[float] = []

    def slow() -> None:
        with socket.create_connection((host, int(port)), timeout=5) as wire:
            wire.sendall(
                f"POST /sign-in HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: {site.base}\r\nContent-Length: 50\r\n"
                "Content-Type: application/x-www-form-urlencoded\r\n\r\nlink=".encode()
            )
            time.sleep(1)

    threads = [threading.Thread(target=slow) for _ in range(20)]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    assert visitor.get("/").status_code == 200
    answers.append(time.monotonic() - began)
    for thread in threads:
        thread.join()

    assert max(answers) < 5


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_s11_what_is_shown_of_a_name(name: str) -> None:
    """S11: the last part, without what cannot be seen, at most 100 characters, never an option."""
    shown = shown_name(name)

    assert 1 <= len(shown) <= 100
    assert shown.isprintable()
    assert "/" not in shown.replace("</script", "")
    assert not shown.startswith("-")


def test_s11_a_name_is_never_a_path(site: PageProcess, hostile: tuple[str, str]) -> None:
    """S11: whatever a file is called, it lies under a name of ours, for its owner alone, and is shown as text."""
    plan, page = hostile
    folder = site.state / "plans" / plan.rpartition("/")[2]

    assert re.fullmatch(r"[0-9a-f]{32}", folder.name)
    assert (folder / "sheet.bin").stat().st_mode & 0o077 == 0
    assert folder.stat().st_mode & 0o077 == 0
    assert "script&gt;.xlsx" in page
    assert is_text(page)
    assert not Path("/tmp/x.xlsx").exists()  # noqa: S108 - what must not be there


@pytest.mark.soak
@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_s11_each_hostile_name_is_planned_like_any(visitor: Visitor, tmp_path: Path, name: str) -> None:
    """S11: the name changes nothing of what is done."""
    sheet = write_sheet(tmp_path / "a.xlsx", ("Id", "Title"), (1414925001, "Hello"))

    page = visitor.planned(sheet, name=name)[1].text

    assert "1 row would be sent" in page
    assert is_text(page)


@pytest.mark.parametrize(
    "path", ["/plans/../../../etc/passwd", "/plans/%2e%2e", "/plans/%2e%2e%2f", "/runs/x", "/plans/" + "0" * 32]
)
def test_s11_an_address_is_no_path(visitor: Visitor, path: str) -> None:
    """S11: what is not one of our names is not there."""
    assert visitor.get(path).status_code == 404


def test_s11_downloads_are_named_files_of_a_run_and_never_shown(visitor: Visitor, hostile: tuple[str, str]) -> None:
    """S11: attachment, nosniff, and only the files of the contract."""
    plan, _ = hostile

    given = visitor.get(f"{plan}/files/report.csv")

    assert given.headers["content-disposition"].startswith("attachment")
    assert given.headers["x-content-type-options"] == "nosniff"
    for name in ("sheet.bin", "about.json", "answer.json", "..%2fabout.json", "plan.key"):
        assert visitor.get(f"{plan}/files/{name}").status_code == 404


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"MZ\x90\x00 no sheet at all", "", id="program"),
        pytest.param(b"PK\x03\x04 cut off", "", id="cut-off"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "", id="old-excel"),
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b"Name,Colour\nx,red\n", "headings", id="other-table"),
    ],
)
def test_s12_what_is_no_sheet_is_refused_with_its_sentence(
    visitor: Visitor, content: bytes, said: str, tmp_path: Path
) -> None:
    """S12: the content decides, whatever name and type say; the reader's sentence is shown, and nothing is sent."""
    sheet = tmp_path / "good.xlsx"
    sheet.write_bytes(content)

    page = visitor.made(visitor.upload(sheet)).text

    assert "This sheet was not taken" in page
    assert said in page
    assert "Traceback" not in page


def test_s13_contents_are_shown_and_never_rendered(hostile: tuple[str, str]) -> None:
    """S13: markup of a cell stands on the page as text, in the difference, in titles and in messages."""
    assert "&lt;img src=x onerror=alert(1)&gt;" in hostile[1]
    assert is_text(hostile[1])


def test_s14_an_image_that_nobody_should_fetch_holds_its_row(visitor: Visitor, hostile: tuple[str, str]) -> None:
    """S14: the page asks for no image; each such row is invalid, and says why."""
    page = visitor.get(f"{hostile[0]}?status=invalid").text

    for row in (4, 5, 6):
        assert f'aria-label="row {row}"' in page
    assert page.count("<strong>NewImageUrl</strong>") >= 3
