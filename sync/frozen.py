"""What values are made of: frozen, compared by what they say, and as quick to make as a tuple.

A run makes some million of them, and each start of a command defines two hundred kinds: a frozen dataclass takes six
times as long for the one, and twenty times for the other. What changes while the program is at work is a dataclass.
"""

from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform

from sync.lean import without

with without("typing_extensions"):  # for Pythons that are older than ours: it loads all of `inspect`
    from msgspec import Struct, field, structs

if TYPE_CHECKING:
    from dataclasses import replace  # both kinds alike, and their fields are checked by name and type
else:
    Kind = TypeVar("Kind")

    def replace(value: Kind, /, **changes: Any) -> Kind:  # noqa: ANN401 - as the standard library has it
        """Give the same value but for these fields; also where it is a dataclass.

        Raises:
            TypeError: it has no such field.
        """
        if isinstance(value, Struct):
            return structs.replace(value, **changes)
        from dataclasses import replace as replace_dataclass  # noqa: PLC0415 - it loads all of `inspect`

        return replace_dataclass(value, **changes)


__all__ = ["Frozen", "field", "replace"]


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class Frozen(Struct, frozen=True):
    """A value of named fields, which nothing changes."""
