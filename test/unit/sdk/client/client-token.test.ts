import { afterEach, expect, test } from '@jest/globals';
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

test('a source without a new token is told as an error; the gateway decides what follows', async () => {
  let count = 0;
  await expired(() => {
    if (++count > 1) throw new Error('the login service is down');
    return 'token';
  });
  expect(bench.errors).toMatchObject([
    { code: 'CONNECTION_FAILED', message: 'no new token: the login service is down' },
  ]);
  expect(bench.client.state).toBe('connected');
  bench.gateway.last.error(0, 0, 401, 'not authenticated', 'token_expired');
  bench.gateway.last.link.finish(401, 'token_expired');
  await bench.pass(1_500);
  expect(bench.log.at(-1)).toBe('closed:refused');
});
