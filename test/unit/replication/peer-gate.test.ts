import { describe, expect, it } from '@jest/globals';
import { PROTOCOL_VERSION, PeerGate } from '../../../src/replication/peer-gate.js';
import type { PeerGateOptions } from '../../../src/replication/peer-gate.js';
import { createLogger } from '../../../src/telemetry/log.js';
import { LabelledTally } from '../../../src/telemetry/tally.js';
import { FakeClock } from '../../support/fake-clock.js';

function build(options: Partial<PeerGateOptions> = {}) {
  const lines: string[] = [];
  const log = createLogger(
    { level: 'info', format: 'json' },
    { write: (line) => void lines.push(line) },
  );
  const refused = new LabelledTally();
  const names: Record<string, string[]> = { 'peer.example': ['10.0.0.2', 'fd00::2'] };
  const clock = new FakeClock();
  const gate = new PeerGate(
    { serverId: 'a', clusterId: 'pair', peerHost: 'peer.example', proven: false, ...options },
    (host) => Promise.resolve(names[host] ?? []),
    clock,
    refused,
    log,
  );
  return { gate, lines, refused, names, clock };
}

describe('without secret or mutual TLS', () => {
  it('only the configured peer’s addresses are admitted', async () => {
    const { gate, lines, refused } = build();
    await gate.lookUp();
    for (const peer of [
      '10.0.0.2:4000',
      '::ffff:10.0.0.2:4000',
      'fd00::2:4000',
      '[fd00::2]:4000',
    ]) {
      expect(gate.checkAddress(peer)).toBeNull();
    }
    expect(gate.checkAddress('10.0.0.3:4000')).toMatch(/10.0.0.3 is not the configured peer/);
    expect([refused.of('address').value, lines.length]).toEqual([1, 1]);
  });

  it('a peer that moved is looked up again', async () => {
    const { gate, names } = build();
    await gate.lookUp();
    names['peer.example'] = ['10.0.0.9'];
    expect(gate.checkAddress('10.0.0.9:1')).not.toBeNull();
    await Promise.resolve();
    await Promise.resolve();
    expect(gate.checkAddress('10.0.0.9:1')).toBeNull();
  });

  it('nobody is admitted where no peer is configured', async () => {
    const { gate } = build({ peerHost: null });
    await gate.lookUp();
    expect(gate.checkAddress('10.0.0.2:1')).not.toBeNull();
  });
});

describe('who proved itself', () => {
  const { gate } = build({ proven: true });
  const good = { protocolVersion: PROTOCOL_VERSION, clusterId: 'pair', serverId: 'b' };

  it('may come from anywhere', () => {
    expect(gate.checkAddress('203.0.113.5:1')).toBeNull();
    expect(gate.checkIdentity(good, 'x')).toBeNull();
  });

  it.each([
    ['another version', { ...good, protocolVersion: 9 }, 'speaks version 9'],
    ['another pair', { ...good, clusterId: 'other' }, 'belongs to the pair "other"'],
    ['the same name', { ...good, serverId: 'a' }, 'give each its own backup.server_id'],
    ['no name', { ...good, serverId: '' }, 'give each its own backup.server_id'],
    ['nothing', null, 'speaks version 0'],
  ])('is still refused with %s', (_, identity, reason) => {
    expect(gate.checkIdentity(identity, 'x')).toContain(reason);
  });
});

it('a stranger who tries again and again does not fill the log', () => {
  const { gate, lines, refused, clock } = build({ proven: true });
  for (let attempt = 0; attempt < 100; attempt++) gate.refuseProof('x');
  expect([lines.length, refused.of('proof').value]).toEqual([1, 100]);
  clock.advance(10_000);
  gate.refuseProof('x');
  expect(lines).toHaveLength(2);
});
