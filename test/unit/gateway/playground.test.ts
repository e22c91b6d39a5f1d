import { expect, test } from '@jest/globals';
import { loadConfig } from '../../../src/config/load.js';
import { Playground } from '../../../src/gateway/playground.js';

const ON = { 'websocket.playground': 'true' };

function answer(
  path: string,
  authority: string,
  [quicPort, wsPort]: readonly [number, number],
  flags: Record<string, string> = {},
) {
  const { config } = loadConfig({ flags: { ...ON, ...flags } });
  return new Playground(config, { quicPort, wsPort }).pages?.(path, authority) ?? null;
}

const ADVERTISED = { 'server.advertise_addr': 'gw.example:7000' };

test.each([
  ['without a mapping', 'gw:8453', [8453, 8453], {}, 'gw:8453', 8453],
  ['one port, mapped', 'gw:9443', [8453, 8453], {}, 'gw:9443', 9443],
  ['one port, mapped to that of HTTPS', 'gw', [8453, 8453], {}, 'gw:443', 443],
  ['IPv6', '[::1]:9443', [8453, 8453], {}, '[::1]:9443', 9443],
  ['UDP mapped otherwise, as told', 'gw:9443', [8453, 8453], ADVERTISED, 'gw:7000', 9443],
  ['two ports', 'gw:8454', [8453, 8454], {}, 'gw:8453', 8454],
  ['two ports, that of TCP mapped', 'gw:9443', [8453, 8454], {}, 'gw:8453', 9443],
  ['two ports, UDP mapped as told', 'gw:9443', [8453, 8454], ADVERTISED, 'gw:7000', 9443],
  ['opened at the port of QUIC', 'gw:8453', [8453, 8454], {}, 'gw:8453', 8454],
  ['no WebSocket, mapped', 'gw:9443', [8453, 0], {}, 'gw:9443', 0],
] as const)('the playground is told where it finds the gateway: %s', (...args) => {
  const [, authority, ports, flags, address, webSocketPort] = args;
  const { body, headers } = answer('/playground/setup.json', authority, ports, flags) ?? {};
  expect(JSON.parse(String(body))).toMatchObject({ address, webSocketPort });
  const host = address.replace(/:\d+$/, '');
  expect(headers?.['content-security-policy']).toContain(
    `connect-src 'self' https://${address} wss://${host}:${webSocketPort};`,
  );
});

test.each(['', 'a;b', 'gw:', 'gw:x', 'gw:1;script-src *', 'gw:123456', '[::1'])(
  'a policy takes no authority such as %j',
  (authority) => {
    expect(answer('/', authority, [8453, 8453])).toBeNull();
  },
);
