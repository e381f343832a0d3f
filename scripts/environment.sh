# Sourced by the commands beside it: goes to the root of the repository, checks what the machine must provide, and
# makes .venv from requirements.lock where it is missing or stale. The caller's own virtual environment is not touched.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
unset VIRTUAL_ENV PYTHONHOME PYTHONPATH PIP_USER PIP_TARGET PIP_PREFIX

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }

fail() { printf 'error: %s\n' "$@" >&2; exit 1; }

# Prints the first Python that is new enough; a name on PATH may be a shim that runs nothing.
find_python() {
    local name
    for name in python3 python3.14 python3.13 python3.12 python3.11 python; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            "$name" -c 'import sys; print(sys.executable)'
            return
        fi
    done
}

require_tools() {
    local missing=() tool
    python=$(find_python)
    if [ -z "$python" ]; then
        missing+=("Python 3.11 or newer (python3 is: $(python3 --version 2>/dev/null || true)). Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python@3.12; or python.org")
    elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        missing+=("the venv module of $python. Debian, Ubuntu: apt install python3-venv")
    fi
    for tool in git g++ make perl; do
        command -v "$tool" >/dev/null || missing+=("$tool. Debian, Ubuntu: apt install $tool; Fedora: dnf install ${tool/g++/gcc-c++}; macOS: xcode-select --install")
    done
    [ ${#missing[@]} -eq 0 ] || fail "${missing[@]/#/this machine lacks }"
    case $PWD in
        *[[:space:]]*) fail "Verilator cannot run in a directory with a space in its path: move '$PWD'" ;;
    esac
}

# What .venv must have been made from, and where: a moved environment still points to its old place, and an editable
# install has the entry points that it was made with.
environment_stamp() {
    "$python" -c '
import hashlib, pathlib, tomllib
lock = pathlib.Path("requirements.lock").read_bytes()
project = tomllib.loads(pathlib.Path("pyproject.toml").read_text())["project"]
print(hashlib.sha256(lock + repr(project).encode() + bytes(pathlib.Path.cwd())).hexdigest())'
}

environment_is_ready() {
    [ "$(cat .venv/kanloom.stamp 2>/dev/null)" = "$(environment_stamp)" ] && .venv/bin/python -c '' 2>/dev/null
}

# The stamp comes last, so an interrupted set-up is never believed; the lock keeps two set-ups apart, and is flock's, so
# it ends with its holder.
make_environment() {
    exec 9>.venv.lock
    "$python" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'
    if ! environment_is_ready; then
        say "making .venv with $("$python" --version) from requirements.lock (once; a minute or two)"
        rm -rf .venv
        "$python" -m venv .venv
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
        environment_stamp >.venv/kanloom.stamp
    fi
    exec 9>&-
}

require_tools
environment_is_ready || make_environment
