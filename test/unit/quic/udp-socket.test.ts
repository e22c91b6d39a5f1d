import { afterEach, describe, expect, it } from '@jest/globals';
import { UdpSocket } from '../../../src/quic/udp-socket.js';
import { silentLogger } from '../../../src/telemetry/log.js';
import { until } from '../../support/until.js';

const LARGER_THAN_UDP = Buffer.alloc(70_000);

let socket: UdpSocket;
let received: string[];
let failures: string[];

async function open(): Promise<void> {
  received = [];
  failures = [];
  socket = await UdpSocket.bind({
    host: '127.0.0.1',
    port: 0,
    buffers: { recv: 65_536, send: 65_536 },
    onDatagram: (datagram) => received.push(`${datagram}`),
    onDropped: () => undefined,
    onFailed: (error) => failures.push(String((error as NodeJS.ErrnoException).code)),
    log: silentLogger(),
  });
}

const send = (datagram: Uint8Array): void => void socket.send(datagram, socket.port, '127.0.0.1');

afterEach(() => socket.close());

describe('UdpSocket', () => {
  it('tells that the kernel refuses datagrams: of 16 one at least, then each', async () => {
    await open();
    for (let count = 0; count < 16; count++) send(LARGER_THAN_UDP);
    await until(() => failures.length === 1, 'the first refusal');
    for (let count = 0; count < 5; count++) send(LARGER_THAN_UDP);
    await until(() => failures.length === 6, 'the others');
    expect(new Set(failures)).toEqual(new Set(['EMSGSIZE']));
  });

  it('sends on meanwhile, and asks seldom again once datagrams are taken', async () => {
    await open();
    for (let count = 0; count < 16; count++) send(LARGER_THAN_UDP);
    await until(() => failures.length === 1, 'the first refusal');
    for (let count = 0; count < 40; count++) send(Buffer.from(`${count}`));
    await until(() => received.length === 40, 'all datagrams');
    for (let count = 0; count < 16; count++) send(LARGER_THAN_UDP);
    await until(() => failures.length === 2, 'one of 16 refusals');
  });
});
