# Sourced by suites that try the gateway with a Python package from PyPI. They set `suite`, their name.

skip() { echo "$suite: skipped, $1"; exit 0; }
fail() { echo "$suite: $1" >&2; exit 1; }

# need_python VENV MODULE REQUIREMENT: a virtual environment that has the package; without one the suite
# is skipped.
need_python() {
  command -v python3 >/dev/null || skip 'python3 is missing'
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || skip 'python3 is older than 3.10'
  "$1/bin/python" -c "import $2" 2>/dev/null && return
  python3 -m venv "$1" >/dev/null 2>&1 ||
    skip 'python3 cannot make a virtual environment (python3-venv is missing)'
  "$1/bin/pip" install -q --disable-pip-version-check "$3" >/dev/null 2>&1 ||
    skip "$2 cannot be installed (pip install $2 failed)"
}

# need_build: the program is there, GATESVR_CLI or the one of `make build`.
need_build() {
  [ -n "${GATESVR_CLI:-}" ] || [ -f dist/cli/main.js ] ||
    fail 'dist/cli/main.js is missing; run make build first'
}
