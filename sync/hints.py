"""What a cell holds beside a value that can be believed: a remark for the operator, and no flaw."""

from enum import StrEnum

from sync.frozen import Frozen


class HintKind(StrEnum):
    """What stands behind the value."""

    FORMULA = "formula"
    EXTERNAL_LINK = "external_link"
    """A formula on another workbook: the value is the copy from when that was last open."""
    LINK_TARGET = "link_target"
    """A link that leads elsewhere than its text says."""


class Hint(Frozen):
    """A remark on a cell."""

    kind: HintKind
    shown: str
    """The formula, or where the link leads."""
