import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { certificateHashes } from '../../../../src/sdk/browser/certificate-hash.js';
import { GatewayClient } from '../../../../src/sdk/browser/gateway-client.js';
import type { Platform } from '../../../../src/sdk/browser/platform.js';
import { RememberedTransport } from '../../../../src/sdk/browser/remembered-transport.js';
import { SessionStorageStore } from '../../../../src/sdk/browser/session-storage-store.js';
import type { ResumeState } from '../../../../src/sdk/client/core/resume-store.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { FakeGateway, turns } from '../../../support/fake-gateway.js';
import { FakeLocks, FakeStorage, fakePage } from '../../../support/fake-browser.js';

const state: ResumeState = {
  version: 1,
  openid: 'alice',
  sessionId: 's1',
  lastSeq: 7,
  nextMsgId: 9,
  epoch: 0,
  epochProof: '',
};

const GATEWAYS = ['gw:1', 'gw:2'];

/** A page of an origin, in a tab with this storage. */
function page(locks: FakeLocks, sessionStorage: FakeStorage) {
  const held = locks.page();
  const platform: Platform = { navigator: { locks: held }, sessionStorage };
  return {
    platform,
    store: new SessionStorageStore(platform, 'alice', GATEWAYS),
    leave: held.leave,
  };
}

describe('a session in sessionStorage', () => {
  test('goes on after a reload, once the former page is gone', async () => {
    const [locks, tab] = [new FakeLocks(), new FakeStorage()];
    const former = page(locks, tab);
    expect(await former.store.load()).toBeNull();
    former.store.save(state);
    const reloaded = page(locks, tab);
    // Its patience must not end while this process stands still.
    const timeout = jest.spyOn(AbortSignal, 'timeout');
    timeout.mockReturnValue(new AbortController().signal);
    const loading = reloaded.store.load();
    timeout.mockRestore();
    // The former page takes its time.
    await new Promise((done) => setTimeout(done, 20));
    former.leave();
    expect(await loading).toEqual(state);
    reloaded.store.save(null);
    expect(await new SessionStorageStore(reloaded.platform, 'alice', GATEWAYS).load()).toBeNull();
  });

  test('is of one tab: a duplicate does not resume it, then or later, and the original does', async () => {
    const [locks, tab] = [new FakeLocks(), new FakeStorage()];
    const original = page(locks, tab);
    await original.store.load();
    original.store.save(state);
    const copied = tab.copy();
    const duplicate = page(locks, copied);
    expect(await duplicate.store.load()).toBeNull();
    duplicate.store.save({ ...state, sessionId: 's2' });
    original.leave();
    duplicate.leave();
    expect(await page(locks, copied).store.load()).toMatchObject({ sessionId: 's2' });
    expect(await page(locks, tab).store.load()).toMatchObject({ sessionId: 's1' });
  });

  test('goes on after a reload beside a frame of the same origin, which shares the storage', async () => {
    const [locks, tab] = [new FakeLocks(), new FakeStorage()];
    const open = (openid: string) => {
      const { platform, leave } = page(locks, tab);
      return { store: new SessionStorageStore(platform, openid, GATEWAYS), leave };
    };
    for (const found of [null, state]) {
      const pages = [open('alice'), open('bob')];
      for (const { store } of pages) {
        expect(await store.load()).toEqual(found);
        store.save(state);
      }
      for (const { leave } of pages) leave();
    }
  });

  test('is kept again where what was stored is damaged', async () => {
    const [locks, tab] = [new FakeLocks(), new FakeStorage()];
    const former = page(locks, tab);
    await former.store.load();
    former.store.save(state);
    for (const key of tab.items.keys()) tab.setItem(key, '{');
    await expect(former.store.load()).rejects.toThrow(SyntaxError);
    former.store.save(state);
    former.leave();
    expect(await page(locks, tab).store.load()).toEqual(state);
  });

  test('serves several clients of a page, one after the other too', async () => {
    const [locks, tab] = [new FakeLocks(), new FakeStorage()];
    const { store, platform } = page(locks, tab);
    await store.load();
    store.save(state);
    expect(await new SessionStorageStore(platform, 'bob', GATEWAYS).load()).toBeNull();
    expect(await new SessionStorageStore(platform, 'alice', GATEWAYS).load()).toEqual(state);
  });

  test('is of the gateways that it is at, in any order', async () => {
    const { store, platform } = page(new FakeLocks(), new FakeStorage());
    await store.load();
    store.save(state);
    const elsewhere = new SessionStorageStore(platform, 'alice', ['gw:3']);
    expect(await elsewhere.load()).toBeNull();
    elsewhere.save({ ...state, sessionId: 's3' });
    expect(await store.load()).toEqual(state);
    const turned = new SessionStorageStore(platform, 'alice', [...GATEWAYS].reverse());
    expect(await turned.load()).toEqual(state);
  });

  test('is not kept where tabs cannot be told apart, or storage is forbidden', async () => {
    const tab = new FakeStorage();
    const store = new SessionStorageStore({ sessionStorage: tab }, 'alice', GATEWAYS);
    expect(await store.load()).toBeNull();
    store.save(state);
    expect(tab.items.size).toBe(0);
    const forbidden: Platform = {
      navigator: { locks: new FakeLocks().page() },
      get sessionStorage(): never {
        throw new Error('SecurityError');
      },
    };
    const without = new SessionStorageStore(forbidden, 'alice', GATEWAYS);
    expect(await without.load()).toBeNull();
    without.save(state);
  });
});

describe('the remembered transport', () => {
  test('outlives the page, for its time', () => {
    const platform = { localStorage: new FakeStorage() };
    let now = 1_000;
    const memory = () => new RememberedTransport(platform, () => now);
    expect(memory().otherFirst('gw:1')).toBe(false);
    memory().remember('gw:1', 500);
    expect(memory().otherFirst('gw:1')).toBe(true);
    expect(memory().otherFirst('gw:2')).toBe(false);
    now = 1_500;
    expect(memory().otherFirst('gw:1')).toBe(false);
    memory().remember('gw:1', 500);
    memory().forget('gw:1');
    expect(memory().otherFirst('gw:1')).toBe(false);
  });

  test('lasts no longer where the clock was put back meanwhile', () => {
    let now = 10_000;
    const memory = new RememberedTransport({ localStorage: new FakeStorage() }, () => now);
    memory.remember('gw:1', 500);
    now = 5_000;
    expect(memory.otherFirst('gw:1')).toBe(false);
    memory.remember('gw:1', 500);
    expect(memory.otherFirst('gw:1')).toBe(true);
  });

  test('is none where storage is full or forbidden', () => {
    const throwing = (): never => {
      throw new Error('QuotaExceededError');
    };
    const localStorage = { getItem: throwing, setItem: throwing, removeItem: throwing };
    const memory = new RememberedTransport({ localStorage }, () => 0);
    memory.remember('gw:1', 500);
    memory.forget('gw:1');
    expect(memory.otherFirst('gw:1')).toBe(false);
  });
});

describe('hashes of certificates', () => {
  test('are read as people have them', () => {
    const bytes = Uint8Array.from({ length: 32 }, (_, n) => n);
    const hex = Buffer.from(bytes).toString('hex');
    const colons = (hex.match(/../g) ?? []).join(':').toUpperCase();
    const value = { algorithm: 'sha-256', value: bytes };
    expect(certificateHashes([hex, colons, bytes])).toEqual([value, value, value]);
  });

  test.each(['', 'abc', 'zz'.repeat(32), '00'.repeat(31)])('refused: %p', (hash) => {
    expect(() => certificateHashes([hash])).toThrow(/32 bytes/);
  });
});

describe('a client on a page', () => {
  const clients: GatewayClient[] = [];

  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });

  async function connected() {
    const clock = new FakeClock();
    const gateway = new FakeGateway();
    const { platform, window, document } = fakePage();
    const client = new GatewayClient({
      address: 'gw:1',
      openid: 'alice',
      transport: gateway.transport,
      platform,
      clock,
      random: () => 0.999,
      minDelayMs: 8_000,
      maxDelayMs: 8_000,
    });
    clients.push(client);
    const connecting = client.connect();
    await turns();
    await connecting;
    return { clock, gateway, client, window, document };
  }

  test.each(['online', 'pageshow'])('reconnects at once on %s', async (event) => {
    const { clock, gateway, client, window } = await connected();
    gateway.last.link.close(0, 'gone');
    await turns();
    expect(client.state).toBe('reconnecting');
    window.fire(event);
    clock.advance(0);
    await turns();
    expect(client.state).toBe('connected');
  });

  test('reconnects at once when the page becomes visible, not when it is hidden', async () => {
    const { clock, gateway, client, document } = await connected();
    gateway.last.link.close(0, 'gone');
    await turns();
    document.visibilityState = 'hidden';
    document.fire('visibilitychange');
    clock.advance(0);
    await turns();
    expect(client.state).toBe('reconnecting');
    document.visibilityState = 'visible';
    document.fire('visibilitychange');
    clock.advance(0);
    await turns();
    expect(client.state).toBe('connected');
  });

  test('makes sure that its connection lives when the page becomes visible', async () => {
    const { clock, gateway, client, document } = await connected();
    const first = gateway.last;
    document.fire('visibilitychange');
    await turns();
    expect(first.heartbeats).toBe(1);
    clock.advance(10_000);
    await turns();
    expect(client.state).toBe('connected');
    gateway.onHeartbeat = () => undefined;
    document.fire('visibilitychange');
    await turns();
    clock.advance(1_000);
    await turns();
    clock.advance(2_100);
    await turns();
    expect(client.state).toBe('reconnecting');
  });

  test('listens to the page no longer than it lives', async () => {
    const { client, window, document } = await connected();
    expect(window.count + document.count).toBeGreaterThan(0);
    client.close();
    expect(window.count + document.count).toBe(0);
  });
});
