"""Where requests go: base URLs that are taken or refused, paths, batches that fit."""

import pytest

from sync.adapters.addresses import Origin, parse_base_url, split_ids, target_of
from sync.errors import ConfigError
from sync.exchange import Put, ReadBatch, ReadOne, ReadPage, Request
from sync.model import SectionId

BASE = "https://spaces.example.com/api"


@pytest.mark.parametrize(
    ("text", "expected", "normal"),
    [
        pytest.param(BASE, Origin("https", "spaces.example.com", 443, "/api"), BASE, id="usual"),
        pytest.param(BASE + "/", Origin("https", "spaces.example.com", 443, "/api"), BASE, id="slash"),
        pytest.param(
            "HTTPS://Spaces.Example.Com:443/api",
            Origin("https", "spaces.example.com", 443, "/api"),
            BASE,
            id="case-and-port",
        ),
        pytest.param(
            "http://127.0.0.1:8080/api", Origin("http", "127.0.0.1", 8080, "/api"), "http://127.0.0.1:8080/api", id="v4"
        ),
        pytest.param("http://[::1]:8080", Origin("http", "::1", 8080, ""), "http://[::1]:8080", id="v6"),
        pytest.param("http://localhost", Origin("http", "localhost", 80, ""), "http://localhost", id="localhost"),
    ],
)
def test_a_base_url_has_one_normal_form(text: str, expected: Origin, normal: str) -> None:
    """The same server is written the same way, and that form means the same again."""
    origin = parse_base_url(text)

    assert (origin, origin.base_url, parse_base_url(normal)) == (expected, normal, expected)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("spaces.example.com/api", id="no-scheme"),
        pytest.param("ftp://spaces.example.com", id="ftp"),
        pytest.param("https://", id="no-host"),
        pytest.param("http://spaces.example.com/api", id="http-beyond-loopback"),
        pytest.param("http://127.0.0.1.example.com/api", id="http-almost-loopback"),
        pytest.param("https://canary:canary@spaces.example.com", id="user-info"),
        pytest.param("https://@spaces.example.com", id="empty-user-info"),
        pytest.param("https://spaces.example.com/api?canary", id="query"),
        pytest.param("https://spaces.example.com/api#canary", id="fragment"),
        pytest.param("https://spaces.example.com:99999", id="port"),
        pytest.param("https://[::1", id="bracket"),
        pytest.param("https://spaces.example.com/\napi", id="line-end"),
        pytest.param("https://spaces.example.com /api", id="space"),
        pytest.param("https://spaces.example.com\\@evil.example.com", id="backslash"),
        pytest.param("https://späces.example.com", id="not-ascii"),
        pytest.param("https://spaces.example.com/" + "a" * 500, id="long"),
    ],
)
def test_a_wrong_base_url_is_refused(text: str) -> None:
    """A wrong address is a matter of configuration, and a secret in it is not repeated."""
    with pytest.raises(ConfigError) as caught:
        parse_base_url(text)

    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        pytest.param(Put(SectionId(7), {"Id": 7}), "/content/coursesections", id="put"),
        pytest.param(ReadOne(SectionId(7)), "/content/coursesections/7", id="one"),
        pytest.param(ReadBatch((SectionId(1), SectionId(22))), "/content/coursesections/?id=[1,22]", id="batch"),
        pytest.param(
            ReadPage("courses", 2, 50, (("CourseSection_Title", "a b&c"),)),
            "/content/courses?page=2&size=50&orderBy=Id&CourseSection_Title=a%20b%26c",
            id="page",
        ),
    ],
)
def test_each_request_has_its_path(request_: Request, expected: str) -> None:
    """As the API documents it."""
    assert target_of(request_) == expected


def test_batches_fit_into_a_url() -> None:
    """In order, nothing lost, no URL beyond the limit, and no batch shorter than it need be."""
    ids = [SectionId(n) for n in range(1_400_000_000, 1_400_001_000)]

    batches = split_ids(ids, BASE)

    lengths = [len(BASE + target_of(ReadBatch(batch))) for batch in batches]
    assert [section_id for batch in batches for section_id in batch] == ids
    assert max(lengths) <= 2000
    assert all(length + len(",1400000000") > 2000 for length in lengths[:-1])


def test_batches_hold_each_id_once_and_no_more_than_told() -> None:
    """A server that answers with an Id twice is not believed, so none is asked for twice."""
    ids = [SectionId(n) for n in (3, 1, 3, 2, 1, 5)]

    assert split_ids(ids, BASE, at_most=2) == [(3, 1), (2, 5)]


def test_no_ids_make_no_batch() -> None:
    """An empty question could be answered with everything."""
    assert split_ids([], BASE) == []
