"""Whatever is asked of the page, it answers: no request that a browser or a mischief-maker can form is a 500."""

import random
import string

import pytest

from tests.web.page_process import PageProcess, Visitor

pytestmark = [pytest.mark.e2e, pytest.mark.soak]

WORDS = (
    "",
    "0",
    "1",
    "-1",
    "9" * 400,
    "%00",
    "%ff",
    "..",
    "a" * 3000,
    "'",
    '"',
    "<b>",
    "\u202e",
    "None",
    "on",
    "{{7*7}}",
)
PATHS = (
    "/",
    "/sign-in",
    "/people",
    "/uploads",
    "/workbooks",
    "/plans/{word}",
    "/plans/{plan}",
    "/plans/{plan}/decisions",
    "/plans/{plan}/kept",
    "/plans/{plan}/kept/{word}",
    "/plans/{plan}/approval",
    "/plans/{plan}/files/{word}",
    "/orders/{word}",
    "/orders/1",
    "/orders/1/withdrawal",
    "/runs/{word}",
    "/runs/{word}/events",
    "/runs/{word}/pause",
    "/runs/{word}/stop",
    "/runs/{word}/resume",
    "/runs/{word}/undo",
    "/runs/{word}/files/{word}",
    "/static/{word}",
    "/{word}",
)
FIELDS = (
    "status",
    "field",
    "course",
    "words",
    "code",
    "page",
    "leave",
    "on_page",
    "choice-2",
    "choice-x",
    "rail",
    "token",
)


def test_no_request_is_a_500(site: PageProcess, visitor: Visitor, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Seeded, 500 requests: addresses, queries and forms of every kind, with a session and without."""
    from tests.web.sheets import write_sheet

    chance = random.Random(20250115)
    sheet = write_sheet(tmp_path_factory.mktemp("routes") / "a.xlsx", ("Id", "Title"), (1414925001, "Hello"))
    plan = visitor.planned(sheet)[0].rpartition("/")[2]
    stranger = site.stranger()
    answers: dict[int, int] = {}
    for _ in range(500):
        path = chance.choice(PATHS).format(word=chance.choice(WORDS), plan=plan)
        words = {chance.choice(FIELDS): chance.choice(WORDS) or noise(chance) for _ in range(chance.randrange(4))}
        who = chance.choice((visitor, visitor, visitor, stranger))
        answer = who.client.get(path, params=words) if chance.random() < 0.5 else who.post(path, words)
        answers[answer.status_code] = answers.get(answer.status_code, 0) + 1
        assert answer.status_code < 500, (path, words, answer.text)

    assert answers[200] > 20
    assert "page.broken" not in (site.folder / "serve.err").read_text(encoding="utf-8")


def noise(chance: random.Random) -> str:
    return "".join(chance.choice(string.printable) for _ in range(chance.randrange(30)))
