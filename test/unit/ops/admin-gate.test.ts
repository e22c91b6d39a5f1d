import { describe, expect, it } from '@jest/globals';
import type { IncomingHttpHeaders } from 'node:http';
import { AdminGate } from '../../../src/ops/admin-gate.js';

const TOKEN = 'correct-horse-battery';

describe('with a token', () => {
  const gate = new AdminGate(TOKEN);
  const ask = (authorization?: string, peer = '10.0.0.9') =>
    gate.refusal({ peer, headers: { host: 'gw:8080', ...(authorization && { authorization }) } });

  it('lets whoever brings it pass, from anywhere, through a proxy, from a page', () => {
    expect(ask(`Bearer ${TOKEN}`)).toBeNull();
    expect(ask(`bearer  ${TOKEN} `)).toBeNull();
    const headers = { authorization: `Bearer ${TOKEN}`, origin: 'https://a.b', forwarded: 'for=1' };
    expect(gate.refusal({ peer: '10.0.0.9', headers })).toBeNull();
  });

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Bearer x ${TOKEN}`,
    `Basic ${TOKEN}`,
    TOKEN,
    `Bearer ${TOKEN.toUpperCase()}`,
  ])('refuses authorization %j, on loopback too', (authorization) => {
    expect(ask(authorization)).toContain('ops.admin_token');
    expect(ask(authorization, '127.0.0.1')).toContain('ops.admin_token');
    expect(ask(authorization)).not.toContain(TOKEN);
  });
});

describe('without a token', () => {
  const gate = new AdminGate(null);
  const ask = (peer: string | undefined, headers: IncomingHttpHeaders) =>
    gate.refusal({ peer, headers });

  it.each([
    ['127.0.0.1', 'localhost:8080'],
    ['127.0.0.1', '127.0.0.1:8080'],
    ['127.8.9.10', '127.0.0.1'],
    ['::1', '[::1]:8080'],
    ['::1', 'LOCALHOST'],
    ['::ffff:127.0.0.1', '[::ffff:127.0.0.1]:8080'],
  ])('lets peer %s with host %s pass', (peer, host) => {
    expect(ask(peer, { host })).toBeNull();
    expect(ask(peer, { host, 'sec-fetch-site': 'none' })).toBeNull();
  });

  it.each([
    ['10.0.0.9', 'localhost:8080'],
    ['::ffff:10.0.0.9', 'localhost'],
    ['128.0.0.1', 'localhost'],
    ['::2', '[::1]'],
    [undefined, 'localhost'],
    ['127.0.0.1', 'rebound.example:8080'],
    ['127.0.0.1', 'localhost.example'],
    ['127.0.0.1', '127.0.0.1.example'],
    ['127.0.0.1', 'x@localhost'],
    ['127.0.0.1', ''],
  ])('refuses peer %s with host %s', (peer, host) => {
    expect(ask(peer, { host })).toContain('only callers on this machine');
  });

  it.each([
    ['origin', 'http://localhost:8080'],
    ['origin', 'null'],
    ['referer', 'http://evil.example/'],
    ['forwarded', 'for=1.2.3.4'],
    ['x-forwarded-for', '127.0.0.1'],
    ['x-forwarded-host', 'localhost'],
    ['x-forwarded-anything', ''],
    ['x-real-ip', '127.0.0.1'],
    ['via', '1.1 proxy'],
    ['sec-fetch-site', 'cross-site'],
    ['sec-fetch-site', 'same-origin'],
  ])('refuses loopback with %s: %s', (name, value) => {
    expect(ask('127.0.0.1', { host: 'localhost', [name]: value })).not.toBeNull();
  });
});
