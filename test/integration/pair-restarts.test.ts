import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { CodedError } from '../../src/base/errors.js';
import type { Gateway } from '../../src/gateway/gateway.js';
import { STATUS_HOLES, STATUS_OFFSET } from '../../src/journal/disk-log-format.js';
import { RoleFile } from '../../src/replication/role-file.js';
import { UnicastPushRequest } from '../../src/wire/messages.js';
import { GatewayPair } from '../support/gateway-pair.js';
import { until } from '../support/until.js';

let pair: GatewayPair;
afterEach(() => pair.close());

/** One of a pair whose peer never comes. */
async function alone(keeps: 'journal' | 'state'): Promise<Gateway> {
  const settings = { 'session.offline_ttl': '10m', 'backup.heartbeat.timeout': '1s' };
  pair = new GatewayPair(settings, keeps);
  await pair.open();
  await pair.boot('a');
  await pair.serves('a');
  return pair.a;
}

/** @returns once the push is kept. */
async function push(gateway: Gateway): Promise<void> {
  const target = { targetType: 'openid', targetId: 'away', msgType: 't', content: 'kept' };
  const pushed = new Promise((resolve) =>
    gateway.sessions.pushes.push(new UnicastPushRequest(target), resolve),
  );
  expect(await pushed).toMatchObject({ success: true });
}

/** Push numbers that were never used begin above this. */
function floorOf(gateway: Gateway): number {
  const [first] = gateway.sessions.archive.snapshot();
  return first?.header?.numberFloor ?? 0;
}

/** As a kill while it was one of two would leave it: it waits for its peer. */
function makeWait(): void {
  const file = new RoleFile(pair.file('a', 'role'), 'a');
  const state = file.load();
  if (state === null) throw new Error('no role');
  file.save({ ...state, role: 'primary', solo: false });
}

/** Pushes that wait for clients to come. */
function waitingIn(gateway: Gateway): number {
  return [...gateway.sessions.archive.snapshot()].filter(({ offlinePush }) => offlinePush).length;
}

const waits = { 'backup.on_peer_loss': 'step_down' };

/** An operator lets it serve, as soon as its peer counts as silent. */
async function letServe(): Promise<void> {
  await until(() => {
    try {
      pair.a.pair?.goSolo();
      return true;
    } catch (error) {
      if (error instanceof CodedError && error.code === 'PEER_ALIVE') return false;
      throw error;
    }
  }, 'the peer to be silent');
}

test('a journal that may lack its end makes numbers jump, however often its gateway waits in vain', async () => {
  await push(await alone('journal'));
  await pair.a.stop();
  makeWait();
  const folder = pair.file('a', 'journal');
  const log = join(folder, readdirSync(folder).sort().at(-1) as string);
  const content = readFileSync(log);
  content[STATUS_OFFSET] = STATUS_HOLES;
  writeFileSync(log, content);
  await pair.boot('a', waits);
  expect(pair.a.pair?.state).toBe('starting');
  await pair.a.stop();
  await pair.boot('a', waits);
  await letServe();
  expect(floorOf(pair.a)).toBeGreaterThanOrEqual(2 ** 32);
});

test('a journal without its role file opens a new epoch, and numbers jump', async () => {
  await push(await alone('journal'));
  await pair.a.stop();
  rmSync(pair.file('a', 'role'));
  await pair.boot('a');
  await pair.a.stop();
  await pair.boot('a');
  await pair.serves('a');
  expect([waitingIn(pair.a), pair.a.pair?.stats?.epoch]).toEqual([1, 3]);
  expect(floorOf(pair.a)).toBeGreaterThanOrEqual(2 ** 32);
});

test('a gateway does not start with a copy of the role file of its peer, or two would serve', async () => {
  pair = new GatewayPair();
  await pair.start();
  await pair.b.stop();
  copyFileSync(pair.file('a', 'role'), pair.file('b', 'role'));
  await expect(pair.boot('b')).rejects.toThrow('is that of the other gateway');
  expect(pair.a.pair?.accepts).toBe(true);
});

test('a state file stays until its gateway serves: a kill while it waits loses nothing', async () => {
  await push(await alone('state'));
  await pair.a.stop();
  makeWait();
  const path = pair.file('a', 'state');
  await pair.boot('a', waits);
  expect([pair.a.pair?.state, existsSync(path)]).toEqual(['starting', true]);
  await letServe();
  expect([waitingIn(pair.a), existsSync(path)]).toEqual([1, false]);
});

test('a state file that is found beside a journal is newer, and takes its place', async () => {
  await push(await alone('state'));
  await pair.a.stop();
  const withJournal = { 'journal.path': pair.file('a', 'journal') };
  // Its journal is of a time when it had no pushes.
  await pair.boot('a', { ...withJournal, 'server.state_file': 'off' });
  await pair.serves('a');
  await pair.a.stop();
  await pair.boot('a', withJournal);
  await pair.serves('a');
  expect([waitingIn(pair.a), floorOf(pair.a)]).toEqual([1, 0]);
  expect(existsSync(pair.file('a', 'state'))).toBe(false);
  // From here on the journal counts.
  await push(pair.a);
  await pair.a.stop();
  expect(existsSync(pair.file('a', 'state'))).toBe(false);
  await pair.boot('a', withJournal);
  await pair.serves('a');
  expect(waitingIn(pair.a)).toBe(2);
});
