import { afterEach, describe, expect, test } from '@jest/globals';
import { ClientBench } from '../../../support/client-bench.js';

let bench: ClientBench;

afterEach(() => {
  bench.client.close();
  expect(bench.clock.pending).toBe(0);
});

/** A client whose tokens are numbered, at a gateway that says that the first one ran out. */
async function expired(token: () => string | Promise<string>): Promise<void> {
  bench = new ClientBench({ token });
  await bench.connect();
  bench.gateway.last.push(1, 'before');
  bench.gateway.last.error(0, 0, 401, 'not authenticated', 'token_expired');
  await bench.pass(100);
}

function tokens(): (string | undefined)[] {
  return bench.gateway.last.starts.map(({ authToken }) => authToken);
}

test('a token that ran out is renewed by START on the same connection', async () => {
  let count = 0;
  await expired(() => Promise.resolve(`token-${++count}`));
  expect(bench.gateway.connections).toHaveLength(1);
  const [first, second] = bench.gateway.last.starts;
  expect([first?.authToken, second?.authToken]).toEqual(['token-1', 'token-2']);
  expect(second?.lastAckedSeqId).toBe(1);
  expect(bench.client.state).toBe('connected');
  expect(bench.log).toEqual(['connected:new:whole', 'push:1:before', 'notice:401']);
  bench.gateway.last.push(2, 'after');
  await bench.pass(50);
  expect(bench.log.at(-1)).toBe('push:2:after');
});

test('a token source that fails is asked again, told once', async () => {
  let count = 0;
  await expired(() => {
    if (++count === 2 || count === 3) throw new Error('the login service is down');
    return `token-${count}`;
  });
  await bench.pass(2_000);
  expect(bench.errors).toMatchObject([
    { code: 'CONNECTION_FAILED', message: 'no new token: the login service is down' },
  ]);
  expect(tokens()).toEqual(['token-1', 'token-4']);
  await bench.pass(60_000, 1_000);
  expect([bench.client.state, bench.gateway.connections.length]).toEqual(['connected', 1]);
});

test('a new token that is refused is followed by another', async () => {
  let count = 0;
  bench = new ClientBench({ token: () => `token-${++count}` });
  const { gateway } = bench;
  gateway.onStart = (connection, msgId) => {
    const success = count !== 2;
    const error = { errorCode: 503, errorMessage: 'overloaded' };
    if (success) gateway.accept(connection, msgId, {});
    else connection.startResponse(msgId, { success, error });
  };
  await bench.connect();
  gateway.last.error(0, 0, 401, 'not authenticated', 'token_expired');
  await bench.pass(60_000, 1_000);
  expect(tokens()).toEqual(['token-1', 'token-2', 'token-3']);
  expect([bench.client.state, bench.errors]).toEqual(['connected', []]);
});

describe('a connection that is closed because its token ran out', () => {
  let gone = false;

  /** The grace time is over. */
  function graceOver(): void {
    gone = true;
    bench.gateway.last.error(0, 0, 401, 'not authenticated', 'token_expired');
    bench.gateway.last.link.finish(401, 'token_expired');
  }

  test('is followed by another with a new token, the session goes on', async () => {
    gone = false;
    let count = 0;
    await expired(() => {
      if (++count > 1 && !gone) throw new Error('the login service is down');
      return `token-${count}`;
    });
    graceOver();
    await bench.pass(1_500);
    expect(bench.log.slice(-2)).toEqual(['disconnected:401', 'connected:resumed:whole']);
    const [start] = bench.gateway.last.starts;
    expect(start?.resumeSessionId).toBe('s-1');
    expect(start?.authToken).toBe(`token-${count}`);
  });

  test('so too where nobody could read that', async () => {
    let count = 0;
    bench = new ClientBench({
      token: () => `token-${++count}`,
      ack: 'handled',
      maxWaitingPushes: 1,
    });
    let handled: () => void = () => undefined;
    bench.client.onPush(() => new Promise<void>((resolve) => (handled = resolve)));
    await bench.connect();
    bench.gateway.last.push(1, 'slow');
    await bench.pass(50);
    bench.gateway.last.error(0, 0, 401, 'not authenticated', 'token_expired');
    await bench.pass(50);
    expect(count).toBe(1);
    bench.gateway.last.link.close(401, 'token_expired');
    await bench.pass(1_500);
    expect(bench.client.state).toBe('connected');
    expect(bench.gateway.last.starts[0]?.authToken).toBe('token-2');
    handled();
    await bench.pass(50);
  });

  test('and only a refused START ends the client', async () => {
    await expired(() => 'token');
    bench.gateway.onStart = (connection, msgId) => bench.gateway.refuse(connection, msgId, 401);
    graceOver();
    await bench.pass(1_500);
    expect(bench.log.at(-1)).toBe('closed:refused');
  });
});

test('what a connection was told does not count for its end once frames have followed', async () => {
  let count = 0;
  await expired(() => `token-${++count}`);
  bench.gateway.last.push(2, 'after');
  bench.gateway.last.link.close(0, 'a proxy goes away');
  await bench.pass(1_500);
  expect(bench.log).toContain('disconnected:0');
  expect(bench.client.state).toBe('connected');
});
