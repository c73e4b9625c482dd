"""The sheet, what its operator saw, and what is live: every combination, through the whole of `plan`."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.e2e.command_line import Shell, cells_of, rows_of
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.e2e

ABSENT = "(no value at all)"
POOLS: dict[str, tuple[Any, ...]] = {
    "Title": ("A", "B", "C"),
    "SectionContents": ("", "0", "<p>C</p>" * 300),
    "DisplayOrder": (0, 1, 2),
    "Active": (False, True),
}
FIRST = 5001


@dataclass(frozen=True, slots=True)
class Case:
    """One section: what its row asks of one field, what the export showed of it, and what is live by now."""

    key: int
    field: str
    edit: Any
    base: Any
    has_base: bool
    live: Any

    def verdict(self, choice: str) -> str:
        """The rules of the house, written down a second time."""
        if self.edit is ABSENT or self.edit == self.live:
            return "unchanged"
        moved = self.live != self.base
        if self.has_base and self.edit == self.base:
            return "unchanged"
        if not moved:
            return "to_update"
        return {"refuse": "conflict", "sheet": "to_update", "live": "unchanged"}[choice]


def _cases() -> list[Case]:
    combinations = [
        (field, edit, base, has_base, live)
        for field, pool in POOLS.items()
        for edit, base, has_base, live in product((*pool, ABSENT), pool, (True, False), pool)
    ]
    return [Case(key, *combination) for key, combination in enumerate(combinations, start=FIRST)]


CASES = _cases()


@pytest.fixture(scope="module")
def sandbox_of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """A sandbox with one section for each combination, as it was exported."""
    sections = [
        {"Id": case.key, "CourseId": case.key, "Title": "T", "DisplayOrder": 1, case.field: case.base} for case in CASES
    ]
    seed = tmp_path_factory.mktemp("seed") / "seed.json"
    courses = [{"Id": case.key, "Title": "C"} for case in CASES]
    seed.write_text(json.dumps({"courses": courses, "sections": sections}), encoding="utf-8")
    with SandboxProcess("--no-limits", seed=seed) as sandbox:
        yield sandbox


def _edit_workbook(path: Path, *, command: str | None = None) -> None:
    """Type every row's wish, and take the sections without a base out of the hidden sheet."""
    workbook = load_workbook(path)
    sheet, base = workbook["Sections"], workbook["Base"]
    columns = {str(cell.value): cell.column for cell in sheet[1]}
    row_of = {int(str(row[columns["Id"] - 1].value)): row[0].row for row in sheet.iter_rows(min_row=2)}
    for case in CASES:
        wish = "[clear]" if case.edit == "" else None if case.edit is ABSENT else case.edit
        sheet.cell(row_of[case.key], columns[case.field]).value = wish
        if command is not None:
            sheet.cell(row_of[case.key], columns["Command"]).value = command
    kept = {case.key for case in CASES if case.has_base}
    for number in range(base.max_row, 2, -1):
        if int(str(base.cell(number, 1).value)) not in kept:
            base.delete_rows(number)
    workbook.save(path)
    workbook.close()


def _move(sandbox: SandboxProcess) -> None:
    """Let somebody else make live what it is by now."""
    for case in CASES:
        if case.live != case.base:
            sandbox.edit(case.key, **{case.field: case.live})


def _planned(shell: Shell, out: str, *words: str) -> dict[int, str]:
    shell("plan", "sections.xlsx", "--quiet", "--out", out, *words)
    return {row["id"]: row["status"] for row in rows_of(shell.folder / out)}


@pytest.mark.parametrize("policy", ["refuse", "sheet", "live"])
def test_every_combination_is_planned_by_the_rule(shell: Shell, sandbox: SandboxProcess, policy: str) -> None:
    """All edits, bases (or the export's UpdatedOn where there is none) and live values, under each policy."""
    shell.profile(f'on_conflict = "{policy}"')
    shell("export", "-o", "sections.xlsx", "--quiet")
    _edit_workbook(shell.folder / "sections.xlsx")
    _move(sandbox)

    got = _planned(shell, "plan")

    assert got == {case.key: case.verdict(policy) for case in CASES}
    assert sandbox.puts() == []


def _choose_anew(path: Path) -> None:
    """Save the same choices once more, as somebody does who has looked: another file, by its content."""
    workbook = load_workbook(path)
    workbook.properties.title = "chosen anew"
    workbook.save(path)


@pytest.mark.parametrize("command", ["sheet", "live"])
def test_every_combination_is_planned_by_the_rows_choice(shell: Shell, sandbox: SandboxProcess, command: str) -> None:
    """A conflict as without it, however often; chosen anew once shown, as chosen; moved again, a conflict again."""
    shell("export", "-o", "sections.xlsx", "--quiet")
    _edit_workbook(shell.folder / "sections.xlsx", command=command)
    _move(sandbox)

    unseen, unmended = _planned(shell, "unseen"), _planned(shell, "unmended")
    _choose_anew(shell.folder / "sections.xlsx")
    shown = _planned(shell, "shown")
    later = {"Title": "D", "SectionContents": "later", "DisplayOrder": 7}
    moved = [case for case in CASES if case.field in later and case.verdict("refuse") == "conflict"]
    for case in moved:
        sandbox.edit(case.key, **{case.field: later[case.field]})
    again = _planned(shell, "again")

    refused = {case.key: case.verdict("refuse") for case in CASES}
    chosen = {case.key: case.verdict(command) for case in CASES}
    assert unseen == unmended == refused
    assert shown == chosen
    assert again == chosen | {case.key: "conflict" for case in moved}
    assert sandbox.puts() == []


@pytest.mark.parametrize("word", ["sheet", "live"])
def test_a_reviewers_word_holds_for_what_this_very_sheet_was_answered_with(
    shell: Shell, sandbox: SandboxProcess, word: str
) -> None:
    """`--choose` is said by somebody who looks at the plan: unseen it decides nothing, once shown it does."""
    shell("export", "-o", "sections.xlsx", "--quiet")
    _edit_workbook(shell.folder / "sections.xlsx")
    _move(sandbox)
    rows = [at for at, row in cells_of(shell.folder / "sections.xlsx").items() if row["Id"] is not None]
    choices = [part for at in rows for part in ("--choose", f"{at}={word}")]

    unseen = _planned(shell, "unseen", *choices)
    shown = _planned(shell, "shown", *choices)

    assert unseen == {case.key: case.verdict("refuse") for case in CASES}
    assert shown == {case.key: case.verdict(word) for case in CASES}
    assert sandbox.puts() == []
