"""The one table: a row for each work, the same columns for all, as Markdown."""

from dataclasses import dataclass

from tests.bench.processes import Times

HEADINGS = ("work", "ours", "plain peer", "ratio", "goal", "floors")


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured of one work; a cell that says nothing stays empty."""

    work: str
    ours: str
    peer: str = ""
    ratio: str = ""
    goal: str = ""
    floors: str = ""

    def __str__(self) -> str:
        """As a line of Markdown."""
        cells = (self.work, self.ours, self.peer, self.ratio, self.goal, self.floors)
        return f"| {' | '.join(cells)} |"


def head() -> str:
    return f"| {' | '.join(HEADINGS)} |\n|{'---|' * len(HEADINGS)}"


def shown_s(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds:.3f} s"
    return f"{seconds:.2f} s" if seconds < 100 else f"{seconds:,.0f} s"


def shown_times(times: Times) -> str:
    return f"{shown_s(times.clock)} (processor {shown_s(times.processor)})"


def shown_mb(size: float) -> str:
    return f"{size / 1e6:,.0f} MB"


def times_faster(ours: float, peer: float) -> str:
    return f"{peer / ours:.2f} times faster" if ours <= peer else f"{ours / peer:.2f} times slower"


def smaller(ours: float, peer: float) -> str:
    return f"{ours / peer:.2f} times the peer's"
