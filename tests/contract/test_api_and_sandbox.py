"""`SectionApi` and `PasswordGrant` against the sandbox, which follows the documented contract on its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.adapters.api import SectionApi
from sync.adapters.secret import Secret
from sync.adapters.tokens import PasswordGrant, ReadyToken
from sync.errors import SignInError
from sync.exchange import (
    Absent,
    Accepted,
    Misdirected,
    OneRecord,
    Put,
    ReadBatch,
    ReadOne,
    ReadPage,
    Records,
    Refused,
    Throttled,
    Unauthorised,
)
from sync.model import SectionId
from sync.section import Record, missing_fields
from tests.sandbox_process import TOKEN, SandboxProcess

NOBODY = SectionId(999_999_999)


@pytest.fixture(scope="module")
def process() -> Iterator[SandboxProcess]:
    with SandboxProcess("--no-limits") as running:
        yield running


@pytest.fixture
def sandbox(process: SandboxProcess) -> SandboxProcess:
    process.reset()
    return process


@pytest.fixture
def api(sandbox: SandboxProcess) -> Iterator[SectionApi]:
    with SectionApi(sandbox.base_url, ReadyToken(Secret(TOKEN)), timeout_s=5) as opened:
        yield opened


def read(api: SectionApi, section_id: SectionId) -> Record:
    answer = api.exchange(ReadOne(section_id))
    assert isinstance(answer, OneRecord)
    return answer.record


def test_one_batch_and_list_agree(api: SectionApi, sandbox: SandboxProcess) -> None:
    """Full records singly and in a batch; a list says how many there are."""
    ids = [SectionId(section_id) for section_id in sorted(sandbox.records())]

    batch = api.exchange(ReadBatch((*ids, NOBODY)))
    listed = api.exchange(ReadPage("coursesections", 1, len(ids)))

    assert isinstance(batch, Records)
    assert sorted(batch.records, key=lambda record: str(record["Id"])) == sorted(
        (read(api, section_id) for section_id in ids), key=lambda record: str(record["Id"])
    )
    assert not any(missing_fields(record) for record in batch.records)
    assert isinstance(listed, Records)
    assert (len(listed.records), listed.total, listed.has_next) == (len(ids), len(ids), False)


def test_a_put_changes_what_it_says_and_nothing_else(api: SectionApi, sandbox: SandboxProcess) -> None:
    """The whole record goes back as it came, with one field changed."""
    section_id = SectionId(min(sandbox.records()))
    before = read(api, section_id)

    answer = api.exchange(Put(section_id, {**before, "Title": "Ünïcode \u2028 \U0001f600"}))

    after = read(api, section_id)
    assert answer == Accepted(section_id, str(after["UpdatedOn"]), str(after["UpdatedBy"]), 200)
    assert {name for name in after if after[name] != before.get(name)} - {"UpdatedOn", "UpdatedBy"} == {
        "Title",
        *(name for name in ("ToStringText",) if after[name] != before[name]),
    }


def test_a_section_that_is_not_there(api: SectionApi, sandbox: SandboxProcess) -> None:
    """Absent for a read, refused for a PUT."""
    body = {**read(api, SectionId(min(sandbox.records()))), "Id": NOBODY}

    put = api.exchange(Put(NOBODY, body))

    assert api.exchange(ReadOne(NOBODY)) == Absent(NOBODY)
    assert isinstance(put, Refused)


def test_all_errors_of_a_rejection_come_back(api: SectionApi, sandbox: SandboxProcess) -> None:
    """One entry for each field that is wrong."""
    section_id = SectionId(min(sandbox.records()))

    answer = api.exchange(Put(section_id, {**read(api, section_id), "Title": None, "DisplayOrder": None}))

    assert isinstance(answer, Refused)
    assert {error.property for error in answer.errors} == {"Title", "DisplayOrder"}
    assert answer.code == "api.rejected"


@pytest.mark.parametrize("status", [409, 429])
def test_the_limit_of_the_server_throttles(api: SectionApi, sandbox: SandboxProcess, status: int) -> None:
    """With the older and the newer status."""
    sandbox.options(limits=["all:1:60"], throttle_status=status)
    section_id = SectionId(min(sandbox.records()))
    read(api, section_id)

    answer = api.exchange(ReadOne(section_id))

    assert isinstance(answer, Throttled)
    assert answer.retry_after_s is not None
    assert 0 < answer.retry_after_s <= 60


def test_another_path_is_another_address(sandbox: SandboxProcess) -> None:
    """A base URL that lacks `/api` is told from a section that is not there, by its list."""
    with SectionApi(sandbox.base_url.removesuffix("/api"), ReadyToken(Secret(TOKEN)), timeout_s=5) as api:
        assert isinstance(api.exchange(ReadPage("coursesections", 1, 25)), Misdirected)


def test_a_sign_in_lasts_over_its_renewal(sandbox: SandboxProcess, tmp_path: Path) -> None:
    """Sign in, be told that the token has expired, renew, go on; the next process starts from the file."""

    def source(password: str | None) -> PasswordGrant:
        return PasswordGrant(
            sandbox.base_url,
            state_dir=tmp_path,
            username="admin@example.com",
            password=Secret(password) if password else None,
        )

    tokens = source("sandbox-password")
    page = ReadPage("coursesections", 1, 25)
    with SectionApi(sandbox.base_url, tokens, timeout_s=5) as api:
        first = api.exchange(page)
        sandbox.expire_tokens()
        expired = api.exchange(page)
        assert tokens.renew(1)
        renewed = api.exchange(page)
    with SectionApi(sandbox.base_url, source(None), timeout_s=5) as api:
        stored = api.exchange(page)

    assert isinstance(first, Records)
    assert expired == Unauthorised(1)
    assert first == renewed == stored


def test_a_wrong_password_is_refused(sandbox: SandboxProcess, tmp_path: Path) -> None:
    """In words, and without a file."""
    tokens = PasswordGrant(
        sandbox.base_url, state_dir=tmp_path, username="admin@example.com", password=Secret("canary")
    )

    with pytest.raises(SignInError, match="user name or the password"):
        tokens.current()

    assert [path.name for path in tmp_path.iterdir()] == ["token.lock"]
