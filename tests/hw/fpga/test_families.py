"""A family is one file: no other module of the gateware names it, and it is complete by itself."""

import ast
import importlib
import pkgutil
from pathlib import Path

import pytest
from amaranth import Instance, Signal, signed

import hw.fpga
from hw.fpga.technology import Technology

HW = Path(hw.fpga.__file__).resolve().parents[1]
MODULES = [importlib.import_module(f"hw.fpga.{module.name}") for module in pkgutil.iter_modules(hw.fpga.__path__)]
FAMILIES = {
    module.__name__: [value for value in vars(module).values() if isinstance(value, Technology)]
    for module in MODULES
    if any(isinstance(value, Technology) for value in vars(module).values())
}
TECHNOLOGIES = {technology.name: technology for found in FAMILIES.values() for technology in found}


def imports(file: Path) -> set[str]:
    """Modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_there_are_families() -> None:
    assert {"hw.fpga.ice40", "hw.fpga.ecp5", "hw.fpga.gowin", "hw.fpga.artix7"} <= set(FAMILIES)


@pytest.mark.parametrize("file", sorted(HW.rglob("*.py")), ids=lambda file: str(file.relative_to(HW)))
def test_no_module_imports_a_family(file: Path) -> None:
    assert not imports(file) & set(FAMILIES)


def words(text: str) -> set[str]:
    """Strings of a module's code: neither comments nor docstrings."""
    tree = ast.parse(text)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose
    }


@pytest.mark.parametrize("file", sorted(HW.rglob("*.py")), ids=lambda file: str(file.relative_to(HW)))
def test_no_other_module_names_cells_or_sites_of_a_family(file: Path) -> None:
    names = {technology.name for technology in TECHNOLOGIES.values()}
    for technology in TECHNOLOGIES.values():
        names |= {kind for kinds in technology.flow.cells.values() for kind in kinds}
        names |= set(technology.flow.sites.values())
    module = ".".join(("hw", *file.relative_to(HW).with_suffix("").parts))
    assert module in FAMILIES or not words(file.read_text()) & names


@pytest.mark.parametrize("technology", TECHNOLOGIES.values(), ids=TECHNOLOGIES)
def test_technology_is_a_key(technology: Technology) -> None:
    assert {technology: 1}[technology] == 1


@pytest.mark.parametrize("technology", TECHNOLOGIES.values(), ids=TECHNOLOGIES)
def test_cells_made_are_those_that_the_flow_counts(technology: Technology) -> None:
    cells = technology.flow.cells
    if technology.multiplier_cell is not None:
        width = technology.multiplier_width
        assert width is not None
        a, b, product = Signal(signed(width)), Signal(signed(width)), Signal(signed(2 * width))
        made = technology.multiplier_cell(a, b, product)
        assert isinstance(made, Instance) and made.type in cells["multipliers"]
    if technology.single_port_ram is not None:
        ram = technology.single_port_ram
        address, data, found = Signal(range(ram.words)), Signal(ram.bits), Signal(ram.bits)
        assert ram.cell(address, data, Signal(), found).type in cells["single_port_ram"]
    assert (technology.single_port_ram is not None) == ("single_port_ram" in cells)
    assert (technology.multiplier_width is not None) == ("multipliers" in cells)
