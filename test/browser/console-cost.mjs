// What the console costs a gateway: `node test/browser/console-cost.mjs [SESSIONS] [SECONDS]` (10000, 20),
// after `make build`. A gateway in a process of its own, idle sessions from `gatesvr bench`, and its CPU
// time while nobody, one and eight consoles look. A console is what the page asks: the stream, a page of
// /stats every 5 s, and with the last line an open session every 2 s.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const [sessions = 10_000, seconds = 20] = process.argv.slice(2).map(Number);
const { fetch, setInterval, clearInterval } = globalThis;
const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
/** Opening is spread over this, s: a handshake costs half a millisecond. */
const RAMP = Math.ceil(sessions / 700);
/** Clock ticks of /proc/PID/stat per second. */
const TICKS = Number(execFileSync('getconf', ['CLK_TCK']));

const folder = mkdtempSync(join(tmpdir(), 'console-cost-'));
const children = [];
const start = (...words) => {
  const child = spawn(process.execPath, [CLI, ...words], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  return child;
};

try {
  const { http, quic } = await startGateway();
  const length = String(RAMP + 30 + 5 * (seconds + 3));
  start(
    'bench',
    '--mode',
    'idle',
    '--addr',
    quic,
    '--sessions',
    String(sessions),
    '--ramp',
    String(RAMP),
    '--duration',
    length,
    '--insecure',
  );
  let held = 0;
  while (held < sessions) {
    await sleep(500);
    held = JSON.parse(await (await fetch(`${http}/stats?limit=1`)).text()).active_sessions;
  }
  await sleep(3_000);
  console.log(`${held} idle sessions; CPU of the gateway over ${seconds} s each`);
  const idle = await measure('nobody looks', 0, false, http);
  for (const consoles of [1, 8]) await measure(`${consoles} consoles`, consoles, false, http, idle);
  await measure('1 console, a session open', 1, true, http, idle);
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}

/** Resolves with its addresses once it serves. */
async function startGateway() {
  const listen = ['quic_addr', 'http_addr', 'grpc_addr'].map((key) => `  ${key}: 127.0.0.1:0`);
  const off = ['metrics_addr', 'ws_addr'].map((key) => `  ${key}: 'off'`);
  const limits = ['  max_connections: 100000', '  session_qps: 0', '  max_event_loop_delay: 0s'];
  const file = join(folder, 'gateway.yaml');
  const lines = [
    'server:',
    ...listen,
    ...off,
    'log:',
    '  format: json',
    'overload_protection:',
    ...limits,
  ];
  writeFileSync(file, lines.join('\n'));
  const gateway = start('serve', '--config', file);
  let said = '';
  gateway.stdout.on('data', (chunk) => (said += chunk));
  for (let tries = 0; tries < 200; tries++) {
    await sleep(100);
    const [, line] = /(\{[^\n]*gateway is serving[^\n]*\})/.exec(said) ?? [];
    if (line === undefined) continue;
    const port = (name) => new RegExp(`"${name}":(\\d+)`).exec(line)?.[1];
    return { http: `http://127.0.0.1:${port('http')}`, quic: `127.0.0.1:${port('quic')}` };
  }
  throw new Error(`the gateway did not start: ${said}`);
}

/** CPU of the gateway so far, ms. */
function cpuOf({ pid }) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS;
}

/** Has so many consoles look, and prints what that took. @returns ms of CPU a second. */
async function measure(name, consoles, detail, http, idle = 0) {
  const ends = [];
  let bytes = 0;
  for (let one = 0; one < consoles; one++) {
    ends.push(look(`${http}/stats/stream`, (size) => (bytes += size)));
    ends.push(again(5_000, () => fetch(`${http}/stats?limit=50`).then((answer) => answer.text())));
  }
  if (detail) {
    const [session] = (await (await fetch(`${http}/stats?limit=1`)).json()).sessions;
    const path = `${http}/sessions/${session.session_id}`;
    ends.push(again(2_000, () => fetch(path).then((answer) => answer.text())));
  }
  await sleep(2_000);
  const [before, sent] = [cpuOf(children[0]), bytes];
  await sleep(seconds * 1_000);
  const cost = (cpuOf(children[0]) - before) / seconds;
  const more = consoles === 0 ? '' : `, ${(cost - idle).toFixed(1)} more than without`;
  const rate = ((bytes - sent) / 1024 / seconds).toFixed(1);
  console.log(`${name.padEnd(26)} ${cost.toFixed(1)} ms/s${more}, ${rate} KiB/s of stream`);
  for (const end of ends) end();
  return cost;
}

function look(url, read) {
  const asked = request(url, (answer) => answer.on('data', (chunk) => read(chunk.length)));
  asked.on('error', () => undefined);
  asked.end();
  return () => asked.destroy();
}

function again(period, run) {
  void run();
  const timer = setInterval(() => void run(), period);
  return () => clearInterval(timer);
}
