#!/usr/bin/env bash
# Tries the gateway with an independent QUIC stack, aioquic, and with the gRPC of Google's C core, grpcio, both from
# PyPI in a virtual environment that this script makes. Starts a gateway and a demo upstream of its own on free ports.
#
#   test/interop/run.sh [-v]      -v: tracebacks of failed checks
#   test/interop/run.sh packages  only makes the virtual environment, if that can be done at once
#
# GATESVR_CLI           the command to run (default: node dist/cli/main.js; `make build` first)
# GATESVR_INTEROP_VENV  where the virtual environment is kept (default: .venv/interop)
set -u
cd "$(dirname "$0")/../.."
suite=interop
. test/python-suite.sh
. test/debian-packages.sh
here=$PWD/test/interop
venv=${GATESVR_INTEROP_VENV:-$PWD/.venv/interop}
cli=${GATESVR_CLI:-node $PWD/dist/cli/main.js}

quic_stack=(aioquic 'aioquic>=1.2,<2')
grpc_stack=(grpc 'grpcio>=1.60,<2')
if [ "${1:-}" = packages ]; then
  have_python "$venv" "${quic_stack[@]}" && have_python "$venv" "${grpc_stack[@]}"
  exit 0
fi
need_python "$venv" "${quic_stack[@]}"
need_python "$venv" "${grpc_stack[@]}"
need_build

work=$(mktemp -d)
pids=()
cleanup() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
  wait 2>/dev/null
  rm -rf "$work"
}
trap cleanup EXIT

cat >"$work/gateway.yaml" <<'YAML'
server:
  quic_addr: 127.0.0.1:0
  http_addr: 127.0.0.1:0
  grpc_addr: 127.0.0.1:0
  metrics_addr: 'off'
  ws_addr: 'off'
  cert_file: certs/server.crt
  key_file: certs/server.key
quic:
  max_half_open: 3
log:
  format: json
# Whoever shares the machine must not decide what a check sees.
overload_protection:
  max_event_loop_delay: 0s
watchdog:
  enabled: false
YAML

(cd "$work" && $cli certs) >"$work/certs.log" 2>&1 || { cat "$work/certs.log" >&2; fail 'no certificate'; }
(cd "$work" && exec $cli serve --config gateway.yaml) >"$work/gateway.log" 2>&1 &
pids+=($!)
wait_for "$work/gateway.log" 'gateway is serving' "$!" 'the gateway'
port_of() { sed -n "s/.*\"$1\":\([0-9]*\)[,}].*is serving.*/\1/p" "$work/gateway.log" | head -1; }
quic=$(port_of quic)
grpc=$(port_of grpc)
(cd "$work" && exec $cli upstream --zone 001 --addr 127.0.0.1:0 --gateway "127.0.0.1:$grpc") \
  >"$work/upstream.log" 2>&1 &
pids+=($!)
wait_for "$work/upstream.log" 'registered at' "$!" 'the upstream'

status=0
for checks in checks grpc_checks; do
  "$venv/bin/python" "$here/$checks.py" 127.0.0.1 "$quic" "$work/certs/ca.crt" "$grpc" "$@" || status=1
done

# A third stack: HTTP/3 by ngtcp2 and nghttp3, where Debian's ngtcp2-client is installed or can be.
if ! command -v gtlsclient >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  install_debian ngtcp2-client
fi
if command -v gtlsclient >/dev/null; then
  timeout 120 gtlsclient --exit-on-all-streams-close --no-quic-dump 127.0.0.1 "$quic" \
    "https://localhost:$quic/health" >"$work/ngtcp2.log" 2>&1
  if grep -aq ':status: 200' "$work/ngtcp2.log" && grep -aq '"status":"' "$work/ngtcp2.log"; then
    echo 'ok    HTTP/3: ngtcp2-client gets /health'
  else
    echo 'FAIL  HTTP/3: ngtcp2-client gets /health'
    tail -30 "$work/ngtcp2.log" >&2
    status=1
  fi
else
  echo 'skip  HTTP/3: ngtcp2-client is not installed'
  echo 'interop: HTTP/3 with ngtcp2 skipped, ngtcp2-client is not installed' >>"${GATESVR_SKIPPED:-/dev/null}"
fi

[ $status -eq 0 ] || { echo '--- the log of the gateway ends:' >&2; tail -20 "$work/gateway.log" >&2; }
exit $status
