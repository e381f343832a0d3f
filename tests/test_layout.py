"""The layout of the source: rooms that say what they are for, modules that hold one idea, imports without circles.

Which room may import which is said by the contracts in pyproject.toml (`lint-imports`).
"""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = "boards", "hw", "kanloom", "scripts", "sim", "sw"
MOST_LINES = 400
TABLES: tuple[str, ...] = ()
"""Modules that are longer because they are a table, with nothing to split."""


def files(*packages: str) -> list[Path]:
    return sorted(path for package in packages for path in (ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def trees() -> dict[str, ast.Module]:
    """Return the syntax trees of all modules by name."""
    return {name_of(path): ast.parse(path.read_text()) for path in files(*PACKAGES)}


def test_every_module_that_is_not_a_table_is_short_enough_to_be_read_at_once():
    lines = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in files(*PACKAGES, "tests")}
    assert not {name: count for name, count in lines.items() if count > MOST_LINES and name not in TABLES}


@pytest.mark.parametrize("package", [name_of(path) for path in files(*PACKAGES) if path.name == "__init__.py"])
def test_a_package_says_what_belongs_in_it_and_where_to_begin(package):
    paragraph = " ".join((ast.get_docstring(trees()[package]) or "").split())
    assert "Belongs here: " in paragraph and "Begin with " in paragraph


def imported(tree: ast.Module) -> Iterator[str]:
    """The modules of this repository that a module names in its imports, those for type checkers excepted."""
    checked_only = {
        node
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and isinstance(branch.test, ast.Name) and branch.test.id == "TYPE_CHECKING"
        for node in ast.walk(branch)
    }
    for node in ast.walk(tree):
        if node in checked_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in trees())
        elif isinstance(node, ast.ImportFrom) and node.module in trees():
            within = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in trees() else node.module for name in within)


def test_no_module_imports_itself_by_way_of_others():
    graph = {name: set(imported(tree)) for name, tree in trees().items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' imports '.join(reversed(error.args[1]))}")
    assert "sw.spec.numerics" in graph["sw.spec.network"]
