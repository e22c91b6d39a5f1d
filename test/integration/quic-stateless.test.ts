import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import type { Socket } from 'node:dgram';
import { native } from '@matrixai/quic';
import { firstPacketLength, isHandshakePacket } from '../../src/quic/coalesced-packets.js';
import { parseLongHeader } from '../../src/quic/packet-header.js';
import { QuicHarness, StreamRecorder, eventually } from '../support/quic-harness.js';
import { UdpProxy } from '../../src/bench/load/udp-proxy.js';

/** A bare UDP socket that keeps what it is answered. */
class RawPeer {
  readonly answers: Buffer[] = [];
  private constructor(private readonly socket: Socket) {
    socket.on('message', (datagram) => this.answers.push(datagram));
  }

  static async open(): Promise<RawPeer> {
    const socket = dgram.createSocket('udp4');
    await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
    return new RawPeer(socket);
  }

  send(datagram: Uint8Array, port: number): void {
    this.socket.send(datagram, port, '127.0.0.1');
  }

  close(): Promise<void> {
    return new Promise((done) => this.socket.close(() => done()));
  }
}

/** A long-header datagram of 1,200 bytes with noise for a payload. */
function longDatagram(version: number, first: number, token: Uint8Array, length = 1_200): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(first, 0);
  head.writeUInt32BE(version, 1);
  const ids = Buffer.concat([Uint8Array.of(8), randomBytes(8), Uint8Array.of(6), randomBytes(6)]);
  const start = Buffer.concat([head, ids, Uint8Array.of(token.length), token]);
  return Buffer.concat([start, randomBytes(Math.max(0, length - start.length))]);
}

const INITIAL = 0xc3;
const HANDSHAKE = 0xe3;
const NO_TOKEN = Buffer.alloc(0);

let harness: QuicHarness | null = null;
let peer: RawPeer;

beforeEach(async () => {
  peer = await RawPeer.open();
});

afterEach(async () => {
  await peer.close();
  await harness?.close();
  harness = null;
});

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

describe('first packets', () => {
  it('of an unknown version are answered with the versions that are spoken', async () => {
    harness = await QuicHarness.start();
    const datagram = longDatagram(0xff00001d, INITIAL, NO_TOKEN);
    peer.send(datagram, harness.server.port);
    await eventually(() => peer.answers.length > 0, 'version negotiation');
    const answer = peer.answers[0] as Buffer;
    const asked = parseLongHeader(datagram);
    const header = parseLongHeader(answer);
    expect(header).toMatchObject({ version: 0, dcid: asked?.scid, scid: asked?.dcid });
    expect(answer.readUInt32BE(answer.length - 4)).toBe(1);
    expect(harness.server.connectionCount()).toBe(0);
  });

  it('of an unknown version are answered also where their ids are longer than ours may be', async () => {
    harness = await QuicHarness.start();
    const id = randomBytes(255);
    const head = Buffer.from([0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 255]);
    const ids = Buffer.concat([id, Uint8Array.of(255), id]);
    peer.send(Buffer.concat([head, ids, Buffer.alloc(800)]), harness.server.port);
    await eventually(() => peer.answers.length > 0, 'version negotiation');
    expect(parseLongHeader(peer.answers[0] as Buffer)).toMatchObject({ version: 0, dcid: id });
  });

  it('too short to be answered, or no Initials, are ignored', async () => {
    harness = await QuicHarness.start();
    const { port } = harness.server;
    peer.send(longDatagram(0xff00001d, INITIAL, NO_TOKEN, 1_199), port);
    peer.send(longDatagram(1, INITIAL, NO_TOKEN, 1_199), port);
    peer.send(longDatagram(1, 0xd3, NO_TOKEN), port);
    peer.send(longDatagram(1, 0xf3, NO_TOKEN), port);
    peer.send(longDatagram(0, INITIAL, NO_TOKEN), port);
    peer.send(Buffer.alloc(20, 0x40), port);
    peer.send(Buffer.alloc(0), port);
    await pause(100);
    expect(peer.answers).toHaveLength(0);
    expect(harness.server.connectionCount()).toBe(0);
    expect((await harness.connect()).connection.established).toBe(true);
  });

  it('with a payload that cannot be read leave nothing behind', async () => {
    harness = await QuicHarness.start({ limits: { handshakeTimeout: 300 } });
    const { server } = harness;
    for (let count = 0; count < 50; count++)
      peer.send(longDatagram(1, INITIAL, NO_TOKEN), server.port);
    await pause(50);
    await eventually(() => server.connectionCount() === 0, 'no connection left over');
    expect(server.handshakeCount()).toBe(0);
    expect(server.idCount()).toBe(0);
  });

  it('with a Retry token that proves nothing are closed with INVALID_TOKEN', async () => {
    harness = await QuicHarness.start();
    const token = Buffer.concat([Buffer.from('gsR1'), randomBytes(56)]);
    peer.send(longDatagram(1, INITIAL, token), harness.server.port);
    await eventually(() => peer.answers.length > 0, 'the close');
    const header = parseLongHeader(peer.answers[0] as Buffer);
    expect(header?.kind).toBe('initial');
    expect(harness.metrics.rejected.of('invalid_token').value).toBe(1);
    expect(harness.metrics.answered.of('retry').value).toBe(0);
    expect(harness.server.connectionCount()).toBe(0);
  });
});

describe('stateless retry', () => {
  it('makes clients prove their address and lets them in', async () => {
    harness = await QuicHarness.start({ handshakes: { retryAbove: 0 } });
    const { connection } = await harness.connect();
    expect(harness.metrics.answered.of('retry').value).toBeGreaterThan(0);
    const recorder = new StreamRecorder(connection.openStream());
    recorder.stream.write(Buffer.from('after retry'));
    await eventually(() => recorder.length === 11, 'the echo');
  });

  it('holds no state for clients that do not answer, and lets real ones through meanwhile', async () => {
    harness = await QuicHarness.start({ handshakes: { retryAbove: 5 } });
    const { server, metrics } = harness;
    const { Connection } = native.quiche;
    const config = new native.quiche.Config();
    config.setApplicationProtos(['gatesvr']);
    const address = { host: '127.0.0.1', port: 1 };
    // Whole ClientHellos from a socket that never answers.
    for (let count = 0; count < 40; count++) {
      const client = Connection.connect('localhost', randomBytes(16), address, address, config);
      const datagram = Buffer.alloc(1_350);
      const length = client.send(datagram)?.[0] ?? 0;
      peer.send(datagram.subarray(0, length), server.port);
    }
    await eventually(() => metrics.answered.of('retry').value >= 30, 'retries');
    expect(server.handshakeCount()).toBeLessThanOrEqual(6);
    expect((await harness.connect()).connection.established).toBe(true);
  });
});

describe('stateless reset', () => {
  it('ends the connections of a server that was restarted with the same keys', async () => {
    const keys = { reset: randomBytes(32), retry: randomBytes(32), ticket: randomBytes(48) };
    harness = await QuicHarness.start({ keys });
    const { port } = harness.server;
    const proxy = await UdpProxy.start({ targetPort: port });
    const { connection, recorder } = await harness.connect({}, proxy.port);
    const stream = new StreamRecorder(connection.openStream());
    stream.stream.write(Buffer.from('before'));
    await eventually(() => stream.length === 6, 'the echo');
    // The server dies without a word.
    proxy.toClient.blackhole = true;
    await harness.server.stop();
    proxy.toClient.blackhole = false;
    const second = await QuicHarness.start({ keys, port });
    stream.stream.write(Buffer.from('anybody there?'));
    await eventually(() => recorder.closed.length > 0, 'the reset');
    expect(recorder.closed[0]).toMatchObject({ application: false, by: 'loss' });
    expect(second.metrics.answered.of('reset').value).toBeGreaterThan(0);
    await proxy.close();
    await second.close();
  });

  it('ends a connection whose client does not know yet whether its handshake was heard', async () => {
    const keys = { reset: randomBytes(32), retry: randomBytes(32), ticket: randomBytes(48) };
    harness = await QuicHarness.start({ keys });
    const { port } = harness.server;
    // The first server hears no Finished: the client repeats Handshake packets, and sends nothing else.
    let wire: 'whole' | 'cut' | 'mended' = 'whole';
    const proxy = await UdpProxy.start({
      targetPort: port,
      tap: (direction, datagram) => {
        const behind = datagram.subarray(firstPacketLength(datagram));
        const finished = direction === 'toServer' && behind.length > 0 && isHandshakePacket(behind);
        if (finished && wire === 'whole') wire = 'cut';
        return wire === 'cut' ? null : datagram;
      },
    });
    const { recorder } = await harness.connect({}, proxy.port);
    await eventually(() => wire === 'cut', 'the end of its handshake');
    await harness.server.stop();
    const second = await QuicHarness.start({ keys, port });
    wire = 'mended';
    await eventually(() => recorder.closed.length > 0, 'the reset');
    expect(recorder.closed[0]).toMatchObject({ application: false, by: 'loss' });
    expect(second.metrics.answered.of('reset').value).toBeGreaterThan(0);
    await proxy.close();
    await second.close();
  });

  it('is never longer than what it answers, and limited in rate', async () => {
    harness = await QuicHarness.start();
    const { port } = harness.server;
    const short = (length: number): Buffer => {
      const datagram = randomBytes(length);
      datagram.writeUInt8(0x41, 0);
      return datagram;
    };
    peer.send(short(21), port);
    peer.send(short(22), port);
    peer.send(short(1_200), port);
    peer.send(longDatagram(1, HANDSHAKE, NO_TOKEN, 40), port);
    await eventually(() => peer.answers.length === 3, 'three resets');
    expect(peer.answers.map((answer) => answer.length)).toEqual([21, 43, 39]);
    for (let count = 0; count < 1_500; count++) {
      peer.send(short(50), port);
      if (count % 100 === 0) await pause(1);
    }
    await pause(100);
    // At most two seconds can have begun meanwhile on any machine that is awake.
    expect(harness.metrics.answered.of('reset').value).toBeLessThanOrEqual(3_000);
    expect(harness.metrics.answered.of('reset').value).toBeGreaterThan(2);
  });
});
