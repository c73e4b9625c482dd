"""Tell a sheet with some wrong Ids, which are rows to mend, from a sheet of another account. Pure state."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sync.errors import InputError
from sync.model import SectionId
from sync.reading import SINGLES_A_BATCH, Missing, Sight


def spread(ids: Sequence[SectionId], size: int) -> list[SectionId]:
    """Order Ids so that each batch of `size` is a sample of the whole sheet: the first one says what sheet it is."""
    batches = max(1, -(-len(ids) // size))
    return [section_id for start in range(batches) for section_id in ids[start::batches]]


@dataclass(slots=True)
class Strangers:
    """Counts the Ids that the server does not know, while a sheet is read."""

    asked: int
    """Ids of the sheet."""
    tell: Callable[[int, int], None] = lambda _missing, _asked: None
    """Told of unknown Ids and of all, after every twenty: each of them costs a request of its own."""
    found: int = 0
    missing: int = 0

    def saw(self, sight: Sight) -> None:
        """Take in what a read said of one Id.

        Raises:
            InputError: `sheet.foreign_ids`: twenty Ids, from all over the sheet, are unknown, and none is known.
        """
        if not isinstance(sight, Missing):
            self.found += 1
            return
        self.missing += 1
        if self.missing % SINGLES_A_BATCH:
            return
        if not self.found and self.asked > SINGLES_A_BATCH:
            raise InputError(
                f"None of the sheet's {self.asked:,} Ids was found in this account, and {self.missing} of them, from"
                " all over the sheet, were asked one by one.",
                code="sheet.foreign_ids",
                remedy="Nothing was sent. Check that this is the right sheet and the right profile.",
            )
        self.tell(self.missing, self.asked)
