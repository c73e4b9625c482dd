"""A state directory belongs to one account, and a few sections bear witness for it."""

import pytest

from sync.errors import ConfigError
from sync.model import SectionId
from sync.reading import Found, Missing
from sync.witness import WITNESSES, choose, judge

ONE, TWO, THREE = SectionId(1), SectionId(2), SectionId(3)


def _found(number: int, unique_id: str | None) -> Found:
    return Found(SectionId(number), {"Id": number, "UniqueId": unique_id})


def test_a_new_state_directory_has_no_witness_and_takes_any_account() -> None:
    """Bound at first use: with nothing known, nothing can contradict."""
    assert judge({}, []) == frozenset()


def test_sections_with_their_own_unique_id_stand() -> None:
    """One that was deleted meanwhile is no contradiction while another one stands."""
    assert judge({ONE: "a", TWO: "b"}, [_found(1, "a"), Missing(TWO)]) == {ONE}


@pytest.mark.parametrize(
    "sights",
    [
        pytest.param([_found(1, "z"), _found(2, "b")], id="same Id, another section"),
        pytest.param([Missing(ONE), Missing(TWO)], id="none of them is there"),
        pytest.param([_found(1, None), _found(2, "b")], id="no UniqueId"),
    ],
)
def test_another_account_is_refused(sights: list[Found | Missing]) -> None:
    """Nothing is sent where another account answers."""
    with pytest.raises(ConfigError, match="another account"):
        judge({ONE: "a", TWO: "b"}, sights)


def test_witnesses_that_fell_are_replaced_by_sections_seen_now() -> None:
    """Those that stand are kept; sections without a UniqueId are no witnesses; there are never too many."""
    seen = [_found(3, "c"), _found(4, None), *(_found(number, str(number)) for number in range(10, 20))]

    kept = choose({ONE: "a", TWO: "b"}, frozenset({ONE}), seen)

    assert list(kept)[:2] == [ONE, THREE]
    assert len(kept) == WITNESSES
    assert SectionId(4) not in kept
