"""The rules of the house, held against every file: imports, sizes, docstrings, what stands nowhere."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "sync"
MODULES = tuple(sorted(PACKAGE.rglob("*.py")))

NOT_PURE = {
    "__init__",
    "__main__",
    "bootstrap",
    "config",
    "credentials",
    "failpoints",
    "lean",
    "jobs",
    "logs",
    "pipeline",
    "profiles",
    "redaction",
}
"""Every other file that lies in `sync/` itself is a stage, or one of the values that stages pass on."""


def calls(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_imports_point_one_way() -> None:
    """The contracts in pyproject.toml hold: layers, pure stages, one home for each outside library."""
    command = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"

    done = subprocess.run(
        [sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_stage_is_under_the_contract_of_the_pure_ones() -> None:
    """A new stage in `sync/` is named in the contract `pure`, or it would be held to nothing."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (pure,) = (contract["source_modules"] for contract in contracts if contract["id"] == "pure")

    stages = {path.stem for path in PACKAGE.glob("*.py")} - NOT_PURE

    assert {f"sync.{stage}" for stage in stages} == set(pure)


def test_every_module_says_its_duty_first() -> None:
    """A docstring opens each module, its first line one sentence."""
    without = []
    for path in MODULES:
        first = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n\n")[0]
        if not first.rstrip().endswith((".", ":", "?")):
            without.append(name_of(path))

    assert without == []


def test_no_file_is_long() -> None:
    """400 lines at most: what is longer has two duties."""
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}

    assert {name: lines for name, lines in lengths.items() if lines > 400} == {}


def test_only_the_command_line_prints() -> None:
    """Standard output carries data, and the command line alone decides which."""
    printing = [
        name_of(path)
        for path in MODULES
        if path.relative_to(PACKAGE).parts[0] != "cli" and "print" in calls(ast.parse(path.read_text(encoding="utf-8")))
    ]

    assert printing == []


def test_settings_are_described_without_loading_their_parser() -> None:
    """The settings' type is cheap to import: pydantic waits until a command loads a profile."""
    command = "import sys, sync.config; print(sorted({'pydantic', 'httpx', 'pandas', 'sqlalchemy'} & set(sys.modules)))"

    done = subprocess.run(
        [sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("module", "spared"),
    [
        pytest.param("sync.cli.main", {"httpx", "openpyxl", "pandas", "pydantic", "rich", "sqlalchemy"}, id="help"),
        pytest.param("sync.jobs.runs", {"openpyxl", "pandas", "pygments", "rich", "starlette"}, id="apply"),
        pytest.param("sync.adapters.workbook.results", {"openpyxl", "numpy"}, id="a-report-on-the-own-workbook"),
        pytest.param(
            "sync.adapters.workbook.own_sheet",
            {"sync.base", "sync.diff", "sync.report", "sync.validate"},
            id="the-process-that-opens-it",
        ),
    ],
)
def test_no_library_is_loaded_that_is_not_used(module: str, spared: set[str]) -> None:
    """Each of them takes a tenth of a second or more from every start."""
    command = f"import sys, {module}; print(sorted({spared!r} & set(sys.modules)))"

    done = subprocess.run(
        [sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout == "[]\n"
