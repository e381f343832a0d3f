"""What LLVM makes of the vector operations on processors that have an instruction for them."""

import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
CASCADE_LAKE = {
    "NUMBA_CPU_NAME": "cascadelake",
    "NUMBA_CPU_FEATURES": "+avx,+avx2,+bmi,+bmi2,+fma,+avx512f,+avx512bw,+avx512dq,+avx512vl,+avx512vnni",
}
PREDICTION = """
import numba
from sw.engine.compiled import CompiledFixed
from sw.engine.kernels.fixed import passes
from tests.cases import ordinary
from tests.sw.engine.test_compiled import TWO
nodes, records = ordinary(TWO, 1)
trainer = CompiledFixed(TWO, nodes)
predict = numba.njit(nogil=True, error_model="numpy")(passes.predict.py_func)
signature = tuple(map(predict.typeof_pyval, trainer._prediction(trainer.encode(records).arguments)))
predict.compile(signature)
print(predict.inspect_asm(signature))
"""


def test_products_are_added_by_the_instruction_that_makes_them() -> None:
    """The code is only compiled, so that any x86 processor can test it."""
    environment = os.environ | CASCADE_LAKE
    done = subprocess.run(
        [sys.executable, "-c", PREDICTION], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "vpdpwssd" in done.stdout, done.stderr[-2000:]
    for product, following in pairwise(done.stdout.splitlines()):
        if "vpmaddwd" in product:
            result = re.findall(r"%\w+", product)[-1]
            assert not ("vpaddd" in following and result in following), f"{product}{following}"
