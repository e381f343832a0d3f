import gc
import os
import re
from pathlib import Path

import pytest
from hypothesis import settings

# Each worker has a core. More threads of OpenMP and BLAS would wait for it by spinning, which takes the other's.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

# Amaranth makes many objects and few circles of them, and Python looks for these in a fifth of the time.
gc.set_threshold(100_000, 50, 100)

# A machine at other work is no failure.
settings.register_profile("busy", deadline=None)
settings.load_profile("busy")

WAVES = Path(__file__).resolve().parent.parent / "build" / "waves"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--waves", action="store_true", help="write waveforms of simulations to build/waves/TEST.vcd")


@pytest.fixture
def waves(request: pytest.FixtureRequest) -> Path | None:
    """Where a simulation in this test writes its waveforms; None unless pytest was given --waves."""
    if not request.config.getoption("--waves"):
        return None
    name = f"{Path(request.node.path).stem}-{request.node.name}"
    return WAVES / (re.sub(r"[^\w.-]+", "-", name) + ".vcd")
