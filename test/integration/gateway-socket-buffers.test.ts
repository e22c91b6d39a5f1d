import { afterAll, expect, jest, test } from '@jest/globals';
import { Socket } from 'node:dgram';
import { GatewayHarness } from '../support/gateway-harness.js';

const harness = new GatewayHarness();
afterAll(() => harness.close());

test('asks the kernel for quic.recv_buffer one way and quic.send_buffer the other', async () => {
  const recv = jest.spyOn(Socket.prototype, 'setRecvBufferSize');
  const send = jest.spyOn(Socket.prototype, 'setSendBufferSize');
  const gateway = await harness.gateway({
    'quic.recv_buffer': '128KiB',
    'quic.send_buffer': '64KiB',
  });
  expect(recv.mock.calls).toEqual([[128 * 1024]]);
  expect(send.mock.calls).toEqual([[64 * 1024]]);
  recv.mockRestore();
  send.mockRestore();
  await gateway.stop();
});
