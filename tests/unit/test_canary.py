"""The canary: stages over the rows, and when the next one may not begin."""

import pytest

from sync.canary import judge, parse_canary, stages
from sync.errors import ConfigError
from sync.model import Label, Outcome, RowNumber, Status, Verified


@pytest.mark.parametrize(
    ("text", "rows", "expected"),
    [
        pytest.param("1,5,20%", 100, (1, 5, 20, 100), id="as documented"),
        pytest.param("1,5,20%", 101, (1, 5, 21, 101), id="a share is rounded up"),
        pytest.param("1,5,20%", 10, (1, 5, 10), id="a share below the step before"),
        pytest.param("1,5,20%", 5, (1, 5), id="a step takes all"),
        pytest.param("1,5,20%", 3, (1, 3), id="more than there are"),
        pytest.param("1,5,20%", 1, (1,), id="one row"),
        pytest.param("1,5,20%", 0, (), id="no rows"),
        pytest.param("1%", 3, (1, 3), id="never none"),
        pytest.param("100%", 7, (7,), id="all at once"),
        pytest.param(" 2 , 50 % ", 8, (2, 4, 8), id="spaces"),
        pytest.param("10%,3", 10, (1, 3, 10), id="share first"),
    ],
)
def test_stages_rise_to_all_rows(text: str, rows: int, expected: tuple[int, ...]) -> None:
    """Counted together from the first row on."""
    assert stages(parse_canary(text), rows) == expected


@pytest.mark.parametrize(
    "text", ["", ",", "1,,5", "a", "-1", "0", "0%", "101%", "1.5", "5,1", "5,5", "20%,10%", "²", "1;5", "1%%", "9" * 10]
)
def test_a_canary_that_means_nothing_is_refused(text: str) -> None:
    """In one sentence, with an example; exit 2."""
    with pytest.raises(ConfigError, match=r"in --canary .* --canary 1,5,20%\.$"):
        parse_canary(text)


@pytest.mark.parametrize("text", ["0", "5,0%", "101%"])
def test_a_step_that_is_no_part_of_the_rows_is_called_so(text: str) -> None:
    """Nothing at all, and more than all."""
    with pytest.raises(ConfigError, match="is no part of the rows"):
        parse_canary(text)


def outcome(row: int, status: Status, verified: Verified = Verified.YES) -> Outcome:
    return Outcome(RowNumber(row), Label(str(100 + row)), status, verified=verified)


@pytest.mark.parametrize("status", [Status.UPDATED, Status.UNCHANGED, Status.SKIPPED, Status.INVALID])
def test_a_stage_that_went_well_lets_the_next_begin(status: Status) -> None:
    """Rows that the operator was told of before do not hold it either."""
    assert judge([outcome(2, status), outcome(3, Status.UNCHANGED, Verified.NOT_ASKED)]) is None
    assert judge([]) is None


@pytest.mark.parametrize(
    ("status", "verified", "said"),
    [
        pytest.param(Status.REJECTED, Verified.NOT_ASKED, "rejected", id="rejected"),
        pytest.param(Status.FAILED, Verified.NOT_ASKED, "failed", id="failed"),
        pytest.param(Status.UNKNOWN, Verified.NOT_ASKED, "unknown", id="unknown"),
        pytest.param(Status.CONFLICT, Verified.NOT_ASKED, "conflict", id="conflict"),
        pytest.param(
            Status.UPDATED, Verified.DIFFERS, "updated, and the server holds something else", id="stored differently"
        ),
        pytest.param(Status.UPDATED, Verified.NO, "updated, and could not be read back", id="not read back"),
        pytest.param(Status.UPDATED, Verified.NOT_ASKED, "updated, and could not be read back", id="never read"),
    ],
)
def test_one_row_that_went_wrong_stops_the_run(status: Status, verified: Verified, said: str) -> None:
    """The reason names the row and what became of it."""
    reason = judge([outcome(2, Status.UPDATED), outcome(3, status, verified)])

    assert reason == f"1 of 2 rows of the canary did not go well: row 3 (103) {said}"


def test_a_reason_names_three_rows_and_counts_the_rest() -> None:
    """A line is read, a list is not."""
    reason = judge([outcome(row, Status.FAILED) for row in range(2, 7)])

    assert reason == (
        "5 of 5 rows of the canary did not go well: row 2 (102) failed; row 3 (103) failed; row 4 (104) failed;"
        " and 2 more"
    )
