#!/usr/bin/env bash
# Holds a running gateway against docs/openapi.json with schemathesis, from PyPI, in a virtual
# environment that this script makes: requests made from the document, right and wrong ones, must get
# answers that the document describes, and never a 500.
#
#   test/api-fuzz/run.sh [short]    short: seconds instead of a minute, as `make test` runs it
#   test/api-fuzz/run.sh packages   only makes the virtual environment, if that can be done at once
#
# GATESVR_CLI            the command to run (default: node dist/cli/main.js; `make build` first)
# GATESVR_API_FUZZ_VENV  where the virtual environment is kept (default: .venv/api-fuzz)
set -u
cd "$(dirname "$0")/../.."
root=$PWD
suite=api-fuzz
. test/python-suite.sh
how=(--phases examples,coverage,fuzzing,stateful --max-examples 30)
[ "${1:-}" = short ] && how=(--phases fuzzing --max-examples 8)
venv=${GATESVR_API_FUZZ_VENV:-$root/.venv/api-fuzz}
cli=${GATESVR_CLI:-node $root/dist/cli/main.js}

package=(schemathesis 'schemathesis>=4,<5')
[ "${1:-}" = packages ] && { have_python "$venv" "${package[@]}"; exit 0; }
need_python "$venv" "${package[@]}"
need_build

work=$(mktemp -d)
gateway=
cleanup() {
  [ -n "$gateway" ] && kill "$gateway" 2>/dev/null
  wait 2>/dev/null
  rm -rf "$work"
}
trap cleanup EXIT
cd "$work" || exit 1

cat >gateway.yaml <<'YAML'
server:
  quic_addr: 127.0.0.1:0
  http_addr: 127.0.0.1:0
  grpc_addr: 127.0.0.1:0
  metrics_addr: 'off'
  ws_addr: 'off'
log:
  format: json
# Whoever shares the machine must not decide what a check sees.
overload_protection:
  max_event_loop_delay: 0s
watchdog:
  enabled: false
YAML
$cli serve --config gateway.yaml >gateway.log 2>&1 &
gateway=$!
wait_for gateway.log '"http":[0-9]*[,}]' "$gateway" 'the gateway'
port=$(sed -n 's/.*"http":\([0-9]*\)[,}].*/\1/p' gateway.log | head -1)

# Not checked: HEAD and OPTIONS are no methods of the document; this machine needs no token; `cursor` and
# `offset` are right alone but not together, which a document cannot say.
unchecked=unsupported_method,ignored_auth,positive_data_acceptance
# Not asked: what ends or holds up the gateway under test (drain, profiles of many seconds), and answers
# that do not end.
"$venv/bin/schemathesis" run "$root/docs/openapi.json" --url "http://127.0.0.1:$port" \
  --exclude-path /drain --exclude-path-regex '^/(debug/pprof/(profile|heap)|stats/stream|trace)$' \
  --request-timeout 60 --suppress-health-check too_slow \
  "${how[@]}" --generation-database none --seed 1 --no-color --exclude-checks "$unchecked" >fuzz.log 2>&1
status=$?
if [ $status -ne 0 ]; then
  cat fuzz.log >&2
  echo '--- the log of the gateway ends:' >&2
  tail -20 gateway.log >&2
elif ! kill -0 "$gateway" 2>/dev/null; then
  tail -20 gateway.log >&2
  fail 'the gateway ended under test'
else
  grep -E 'Operations:|[0-9]+ (generated|passed)|passed' fuzz.log | tail -3 | sed 's/^ */api-fuzz: /'
fi
exit $status
