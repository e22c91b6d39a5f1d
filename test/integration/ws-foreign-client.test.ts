import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { GatewayHarness, ZONES } from '../support/gateway-harness.js';
import { PATIENCE_MS } from '../support/patience.js';

/**
 * The WebSocket of browsers, as Node has it built in: another implementation than the gateway's. It
 * needs a process of its own, for its flag and for the certificate authority that it is to trust.
 */
const page = `
  const socket = new WebSocket(process.argv[1], 'gatesvr.json');
  const say = (message) => socket.send(JSON.stringify(message));
  socket.onopen = () => say({ msgId: 1, startRequest: { openid: 'alice' } });
  socket.onmessage = ({ data }) => {
    const push = JSON.parse(data);
    if (push.msgId === 1) {
      say({ msgId: 2, seqId: '1', businessRequest: { action: 'echo', data: btoa('x'.repeat(90000)) } });
    } else if (push.msgId === 2) {
      console.log(push.businessResponse.code, atob(push.businessResponse.data).length);
      say({ msgId: 3, stopRequest: { reason: 'APP_CLOSE' } });
    }
  };
  socket.onclose = ({ code, wasClean }) => console.log(code, wasClean);
  socket.onerror = ({ error }) => console.log(String(error));
`;

let harness: GatewayHarness;

beforeEach(() => {
  harness = new GatewayHarness();
});

afterEach(async () => {
  await harness.close();
});

test('the WebSocket of browsers is served, with its certificate checked and over compression', async () => {
  const gateway = await harness.gateway({
    'server.ws_addr': '127.0.0.1:0',
    'websocket.compression': 'true',
  });
  for (const zone of ZONES) {
    await harness.upstream(gateway, zone, (server) => server.fallback(({ data }) => data));
  }
  const url = `wss://localhost:${gateway.wsPort}/gatesvr`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--experimental-websocket', '--no-warnings', '-e', page, url],
    { env: { NODE_EXTRA_CA_CERTS: join(harness.folder, 'ca.crt') }, timeout: PATIENCE_MS },
  );
  expect(stdout).toBe('200 90000\n1000 true\n');
});
