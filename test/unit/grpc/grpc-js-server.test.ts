import { afterEach, expect, jest, test } from '@jest/globals';
import { GrpcJsServer } from '../../../src/grpc/grpc-js-server.js';
import { grpcJs } from '../../../src/grpc/grpc-js-library.js';
import { FakeClock } from '../../support/fake-clock.js';

afterEach(() => {
  jest.restoreAllMocks();
});

test('stops after the grace time also where grpc-js never tells that it has shut down', async () => {
  const { Server } = grpcJs();
  jest.spyOn(Server.prototype, 'tryShutdown').mockImplementation(() => undefined);
  const force = jest.spyOn(Server.prototype, 'forceShutdown');
  const clock = new FakeClock();
  const server = new GrpcJsServer({ address: '127.0.0.1:0' }, [], clock, []);
  await server.start();
  let stopped = false;
  const stopping = server.stop(500).then(() => (stopped = true));
  clock.advance(499);
  await new Promise(setImmediate);
  expect(stopped).toBe(false);
  clock.advance(1);
  await stopping;
  expect(force).toHaveBeenCalledTimes(1);
});
