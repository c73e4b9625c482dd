"""The graph in the README: time and memory of a whole apply by the rows of its sheet, ours and the plain peer's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log10
from pathlib import Path
from statistics import median

from tests.bench.canned import CannedServer
from tests.bench.parties import ROOT, Parties
from tests.bench.processes import at_most, weighed

PLACE = ROOT / "sample_data" / "cost_by_size.svg"
LOOKS_EVERY_S = 0.1
"""Seldom: time is measured too."""
ROUNDS = 3
ROWS = (100, 1_000, 10_000, 50_000, 100_000, 200_000)
WIDTH, HEIGHT, LEFT, TOP, PANEL = 760, 330, 60, 40, 290
FONT = 'font-family="sans-serif" font-size="11"'
COLOURS: Mapping[str, str] = {"ours": "#1a6fb5", "plain peer": "#c0562b"}


@dataclass(frozen=True, slots=True)
class Panel:
    """One of the two graphs: what it shows, in which unit, and the curves."""

    title: str
    unit: str
    curves: Mapping[str, Sequence[tuple[int, float]]]


def draw() -> Path:
    """Measure every size and draw the graph."""
    times: dict[str, list[tuple[int, float]]] = {name: [] for name in COLOURS}
    sizes: dict[str, list[tuple[int, float]]] = {name: [] for name in COLOURS}
    for rows in ROWS:
        with CannedServer(rows) as server:
            parties = Parties(server, rows, changed=False)
            commands = dict(zip(COLOURS, (parties.ours(), parties.peer()), strict=True))
            runs = [
                {name: weighed(each, looks_every_s=LOOKS_EVERY_S) for name, each in commands.items()}
                for _ in range(at_most(ROUNDS))
            ]
            for name in commands:
                times[name].append((rows, median(run[name][0] for run in runs)))
                sizes[name].append((rows, median(run[name][1] for run in runs) / 1e6))
    PLACE.write_text(svg((Panel("Time", "s", times), Panel("Peak memory", "MB", sizes))), encoding="utf-8")
    return PLACE


def svg(panels: Sequence[Panel]) -> str:
    """Draw the panels side by side; rows on a logarithmic scale, what they cost on one as well."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {FONT}>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for number, panel in enumerate(panels):
        parts += _panel(panel, LEFT + number * (PANEL + 80))
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel, left: int) -> list[str]:
    values = [value for curve in panel.curves.values() for _, value in curve]
    low, high = 10 ** int(log10(min(values)) // 1), 10 ** -int(-log10(max(values)) // 1)
    bottom = TOP + PANEL - 60

    def x(rows: float) -> float:
        return left + (log10(rows) - 2) / (log10(ROWS[-1]) - 2) * PANEL

    def y(value: float) -> float:
        return bottom - log10(value / low) / log10(high / low) * (bottom - TOP)

    parts = [f'<text x="{left}" y="{TOP - 16}" font-size="13" font-weight="bold">{panel.title} ({panel.unit})</text>']
    value = low
    while value <= high:
        parts.append(f'<path d="M{left} {y(value):.1f}h{PANEL}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:g}</text>')
        value *= 10
    parts += [
        f'<text x="{x(rows):.1f}" y="{bottom + 18}" text-anchor="middle">{rows:,}</text>'
        for rows in (100, 1_000, 10_000, 100_000)
    ]
    parts.append(
        f'<text x="{left + PANEL / 2:.0f}" y="{bottom + 38}" text-anchor="middle">rows, nothing changed</text>'
    )
    for number, (name, curve) in enumerate(panel.curves.items()):
        points = " ".join(f"{x(rows):.1f},{y(value):.1f}" for rows, value in curve)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{COLOURS[name]}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{x(rows):.1f}" cy="{y(value):.1f}" r="3" fill="{COLOURS[name]}"/>' for rows, value in curve
        ]
        parts.append(f'<text x="{left + 12}" y="{TOP + 14 + 15 * number}" fill="{COLOURS[name]}">{name}</text>')
    return parts
