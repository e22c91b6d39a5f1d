# Sourced by suites that try the gateway with a Python package from PyPI. They set `suite`, their name.
# What is skipped is added to the file GATESVR_SKIPPED, of which `make test` prints the lines at its end.

skip() { echo "$suite: skipped, $1" | tee -a "${GATESVR_SKIPPED:-/dev/null}"; exit 0; }
fail() { echo "$suite: $1" >&2; exit 1; }

# need_python VENV MODULE REQUIREMENT: a virtual environment that has the package; without one the suite
# is skipped. `have_python` is the same, once and silently, for who only wants it there in good time.
have_python() { (attempts=1 GATESVR_SKIPPED= need_python "$@" >/dev/null); }
need_python() {
  command -v python3 >/dev/null || skip 'python3 is missing'
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || skip 'python3 is older than 3.10'
  "$1/bin/python" -c "import $2" 2>/dev/null && return
  python3 -m venv "$1" >/dev/null 2>&1 ||
    skip 'python3 cannot make a virtual environment (python3-venv is missing)'
  # A mirror may be slow, or fail for a while.
  local attempt begun=$SECONDS
  for attempt in $(seq "${attempts:-3}"); do
    [ $((SECONDS - begun)) -lt 300 ] || break
    timeout 300 "$1/bin/pip" install -q --disable-pip-version-check --retries 5 --timeout 60 "$3" \
      >/dev/null 2>&1 && return
    [ "$attempt" = "${attempts:-3}" ] || sleep $((attempt * 5))
  done
  skip "$2 cannot be installed (pip install $2 failed)"
}

# need_build: the program is there, GATESVR_CLI or the one of `make build`.
need_build() {
  [ -n "${GATESVR_CLI:-}" ] || [ -f dist/cli/main.js ] ||
    fail 'dist/cli/main.js is missing; run make build first'
}

# wait_for FILE PATTERN PID NAME: until the log has the line; 120 s at most, for the machine may be busy, and
# no longer than the process lives.
wait_for() {
  local end=$((SECONDS + 120)) ended=
  until grep -q "$2" "$1" 2>/dev/null; do
    # It may have written the line and ended between the two looks.
    [ -n "$ended" ] || [ $SECONDS -ge $end ] && { cat "$1" >&2; fail "$4 did not start"; }
    kill -0 "$3" 2>/dev/null || ended=yes
    sleep 0.1
  done
}
