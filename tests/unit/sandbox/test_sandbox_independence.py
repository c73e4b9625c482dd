"""The sandbox is an oracle of its own: it shares no code with the program that it judges."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[3] / "sync" / "sandbox"


def test_the_sandbox_imports_nothing_else_of_the_program() -> None:
    """Every import from `sync` is one from `sync.sandbox`."""
    imported = {
        name
        for path in PACKAGE.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in _names(node)
    }

    assert imported & {"sync.sandbox.windows", "sync.sandbox.answers"}
    assert [
        name for name in sorted(imported) if name.split(".")[0] == "sync" and not name.startswith("sync.sandbox")
    ] == []


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []
