"""A strategy for values of which every field that matters is given one: nothing is inferred from their types."""

from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import strategies as st

Kind = TypeVar("Kind")


def built(
    kind: Callable[..., Kind], *each: st.SearchStrategy[Any], **named: st.SearchStrategy[Any]
) -> st.SearchStrategy[Kind]:
    """Make values of this kind; as `st.builds`, which asks a class for the types of fields that nobody named."""

    def make(*given: object, **by_name: object) -> Kind:
        return kind(*given, **by_name)

    return st.builds(make, *each, **named)
