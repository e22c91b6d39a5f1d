import { afterEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import type { Socket } from 'node:dgram';
import { native } from '@matrixai/quic';
import type { QuicConnection } from '../../src/quic/quic-connection.js';
import {
  QuicHarness,
  StreamRecorder,
  echoHandler,
  eventually,
  settled,
} from '../support/quic-harness.js';
import { UdpProxy } from '../../src/bench/load/udp-proxy.js';

let harness: QuicHarness | null = null;
let proxy: UdpProxy | null = null;
const serverSide: QuicConnection[] = [];

afterEach(async () => {
  await proxy?.close();
  await harness?.close();
  proxy = harness = null;
  serverSide.length = 0;
});

const protocols = {
  gatesvr: (connection: QuicConnection): void => {
    serverSide.push(connection);
    echoHandler(connection);
  },
};

/** Sends a byte and waits until it is back. */
async function beat(recorder: StreamRecorder): Promise<void> {
  const { length } = recorder;
  recorder.stream.write(Buffer.from('.'));
  await eventually(() => recorder.length > length, 'an echo');
}

describe('a peer that turns up at another port', () => {
  it('is followed behind a NAT that rebinds, again and again', async () => {
    harness = await QuicHarness.start({ protocols });
    proxy = await UdpProxy.start({ targetPort: harness.server.port });
    const { connection } = await harness.connect({}, proxy.port);
    const recorder = new StreamRecorder(connection.openStream());
    await beat(recorder);
    const seen = new Set<string>([serverSide[0]?.remoteAddress ?? '']);
    for (let round = 1; round <= 5; round++) {
      proxy.rebind();
      for (let count = 0; count < 3; count++) await beat(recorder);
      seen.add(serverSide[0]?.remoteAddress ?? '');
    }
    expect(seen.size).toBe(6);
    expect(harness.metrics.addressChanges.value).toBe(5);
    expect(serverSide[0]?.peer.limited).toBe(false);
    // quiche must never learn of a second path (CVE-2025-7054, QUIC-NOTES.md).
    expect(serverSide[0]?.quiche.pathStats()).toHaveLength(1);
    expect(serverSide[0]?.quiche.stats().pathsCount).toBe(1);
  });

  it.each([
    // Nothing of the server's flight comes, and the client begins anew from its new port.
    ['before its first flight has come', 'toClient', 1],
    // The second flight is what ends the handshake.
    ['when it has all but ended', 'toServer', 2],
  ])('is followed in mid-handshake, %s', async (_, rebinding, nth) => {
    harness = await QuicHarness.start({ protocols });
    const datagrams = { toServer: 0, toClient: 0 };
    proxy = await UdpProxy.start({
      targetPort: harness.server.port,
      tap: (direction, datagram) => {
        const count = ++datagrams[direction];
        const rebinds = direction === rebinding && count === nth;
        if (rebinds) proxy?.rebind();
        return rebinds && direction === 'toClient' ? null : datagram;
      },
    });
    const { connection } = await harness.connect({}, proxy.port);
    const recorder = new StreamRecorder(connection.openStream());
    await beat(recorder);
    expect(harness.metrics.addressChanges.value).toBe(1);
    expect(harness.server.connectionCount()).toBe(1);
    // quiche must never learn of a second path (CVE-2025-7054, QUIC-NOTES.md).
    expect(serverSide[0]?.quiche.stats().pathsCount).toBe(1);
    await eventually(async () => {
      await beat(recorder);
      return serverSide[0]?.peer.limited === false;
    }, 'the new address to be proved');
  });

  it('is followed when the client itself moves, in the middle of a transfer', async () => {
    harness = await QuicHarness.start({ protocols });
    const { client, connection } = await harness.connect();
    const recorder = new StreamRecorder(connection.openStream());
    const bytes = randomBytes(800_000);
    recorder.stream.write(bytes);
    await eventually(() => recorder.length > bytes.length / 3, 'a third of the transfer');
    await client.rebind();
    await eventually(() => recorder.length === bytes.length, 'the whole transfer');
    expect(recorder.bytes.equals(bytes)).toBe(true);
    expect(harness.metrics.addressChanges.value).toBeGreaterThanOrEqual(1);
  });

  it('is ignored where the policy says so', async () => {
    harness = await QuicHarness.start({ protocols, migration: 'drop' });
    const { client, connection } = await harness.connect();
    const recorder = new StreamRecorder(connection.openStream());
    await beat(recorder);
    const before = serverSide[0]?.remoteAddress;
    await client.rebind();
    recorder.stream.write(Buffer.from('lost'));
    const { datagramsDropped } = harness.metrics;
    await eventually(() => datagramsDropped.of('elsewhere').value > 0, 'a dropped datagram');
    expect(serverSide[0]?.remoteAddress).toBe(before);
    expect(recorder.length).toBe(1);
  });

  it('is not followed for packets that were repeated or made up by somebody else', async () => {
    harness = await QuicHarness.start({ protocols });
    const { port } = harness.server;
    const captured: Buffer[] = [];
    proxy = await UdpProxy.start({
      targetPort: port,
      tap: (direction, datagram) => {
        if (direction === 'toServer') captured.push(Buffer.from(datagram));
        return datagram;
      },
    });
    const { connection } = await harness.connect({}, proxy.port);
    const recorder = new StreamRecorder(connection.openStream());
    for (let count = 0; count < 5; count++) await beat(recorder);
    const before = serverSide[0]?.remoteAddress;
    const stranger = dgram.createSocket('udp4');
    let answers = 0;
    stranger.on('message', () => answers++);
    const short = captured.filter((datagram) => ((datagram[0] ?? 0) & 0x80) === 0);
    expect(short.length).toBeGreaterThan(3);
    for (const datagram of short) {
      stranger.send(datagram, port, '127.0.0.1');
      const forged = Buffer.from(datagram);
      forged.writeUInt8((forged[20] ?? 0) ^ 1, 20);
      stranger.send(forged, port, '127.0.0.1');
    }
    const { datagramsDropped, addressChanges } = harness.metrics;
    await eventually(
      () => datagramsDropped.of('elsewhere').value >= short.length * 2,
      'all of them dropped',
    );
    expect(addressChanges.value).toBe(0);
    expect(serverSide[0]?.remoteAddress).toBe(before);
    expect(answers).toBe(0);
    await beat(recorder);
    stranger.close();
  });

  it('gets at most three times what it sent until it has answered', async () => {
    harness = await QuicHarness.start({
      protocols: {
        gatesvr: (connection) => {
          serverSide.push(connection);
          connection.bind({
            onStream: (stream) =>
              stream.bind({
                // A request of a few bytes asks for a megabyte.
                onReadable: () => {
                  if (stream.read() !== null) stream.write(Buffer.alloc(1_000_000));
                },
                onDrained: () => undefined,
                onAborted: () => undefined,
              }),
            onClosed: () => undefined,
          });
        },
      },
    });
    proxy = await UdpProxy.start({ targetPort: harness.server.port });
    const { connection } = await harness.connect({}, proxy.port);
    await eventually(() => serverSide.length === 1, 'the connection');
    const { counters } = proxy;
    await settled(() => counters.toClient.bytes + counters.toServer.bytes);
    // From here on the server hears the client from a new address and nothing gets back.
    proxy.rebind();
    proxy.toClient.blackhole = true;
    const [sentBefore, gotBefore] = [counters.toServer.bytes, counters.toClient.bytes];
    const recorder = new StreamRecorder(connection.openStream());
    recorder.stream.write(Buffer.from('more!'));
    await eventually(() => harness?.metrics.addressChanges.value === 1, 'the change of address');
    await eventually(() => counters.toClient.bytes > gotBefore, 'what the server sends blindly');
    await new Promise((done) => setTimeout(done, 300));
    const sent = counters.toServer.bytes - sentBefore;
    expect(serverSide[0]?.peer.limited).toBe(true);
    expect(counters.toClient.bytes - gotBefore).toBeLessThanOrEqual(3 * sent);
    // Once it answers, the limit is gone and everything arrives.
    proxy.toClient.blackhole = false;
    await eventually(() => recorder.length === 1_000_000, 'the megabyte');
    expect(serverSide[0]?.peer.limited).toBe(false);
  });
});

/** A client on quiche's own path handling: it probes and migrates with a fresh connection id. */
class MigratingClient {
  received = Buffer.alloc(0);
  private readonly connection: ReturnType<typeof native.quiche.Connection.connect>;
  private timer: NodeJS.Timeout | null = null;

  private constructor(
    private readonly sockets: Map<number, Socket>,
    private readonly serverPort: number,
  ) {
    const config = native.quiche.Config.withBoringSslCtx(false, false, null, null, null, null);
    config.setApplicationProtos(['gatesvr']);
    config.setMaxIdleTimeout(30_000);
    config.setInitialMaxData(1_000_000);
    config.setInitialMaxStreamDataBidiLocal(1_000_000);
    config.setActiveConnectionIdLimit(4);
    const [from] = this.ports;
    this.connection = native.quiche.Connection.connect(
      'localhost',
      randomBytes(8),
      { host: '127.0.0.1', port: from as number },
      { host: '127.0.0.1', port: serverPort },
      config,
    );
    for (const [port, socket] of sockets) {
      socket.on('message', (datagram, { address, port: peer }) => {
        const from = { host: address, port: peer };
        this.connection.recv(datagram, { from, to: { host: '127.0.0.1', port } });
        this.flush();
      });
    }
    this.timer = setInterval(() => {
      this.connection.onTimeout();
      this.flush();
    }, 10);
  }

  static async open(serverPort: number): Promise<MigratingClient> {
    const sockets = new Map<number, Socket>();
    for (let count = 0; count < 2; count++) {
      const socket = dgram.createSocket('udp4');
      await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
      sockets.set(socket.address().port, socket);
    }
    return new MigratingClient(sockets, serverPort);
  }

  get ports(): number[] {
    return [...this.sockets.keys()];
  }

  get established(): boolean {
    return this.connection.isEstablished();
  }

  get spareIds(): number {
    return this.connection.availableDcids();
  }

  get destinationId(): string {
    return Buffer.from(this.connection.destinationId()).toString('hex');
  }

  get canMigrate(): boolean {
    const [, to] = this.ports;
    const path = [
      { host: '127.0.0.1', port: to as number },
      { host: '127.0.0.1', port: this.serverPort },
    ] as const;
    return this.connection.isPathValidated(...path);
  }

  /** Gives the server an id for the new path, too: both sides change theirs. */
  offerId(): void {
    this.connection.newSourceCid(randomBytes(8), 7n, false);
    this.flush();
  }

  probe(): void {
    const [, to] = this.ports;
    this.connection.probePath(
      { host: '127.0.0.1', port: to as number },
      { host: '127.0.0.1', port: this.serverPort },
    );
    this.flush();
  }

  migrate(): void {
    const [, to] = this.ports;
    this.connection.migrateSource({ host: '127.0.0.1', port: to as number });
    this.flush();
  }

  send(text: string): void {
    this.connection.streamSend(0, Buffer.from(text), false);
    this.flush();
  }

  flush(): void {
    const buffer = Buffer.alloc(1_500);
    for (
      let made = this.connection.send(buffer);
      made !== null;
      made = this.connection.send(buffer)
    ) {
      const [length, { from, to }] = made;
      this.sockets.get(from.port)?.send(Buffer.from(buffer.subarray(0, length)), to.port, to.host);
    }
    if (this.connection.isEstablished() && this.connection.isReadable()) {
      const got = this.connection.streamRecv(0, buffer);
      if (got !== null) {
        this.received = Buffer.concat([this.received, buffer.subarray(0, got[0])]);
      }
    }
  }

  async close(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    for (const socket of this.sockets.values()) {
      await new Promise<void>((done) => socket.close(() => done()));
    }
  }
}

describe('active migration', () => {
  it('of a client that probes a new path and takes a new connection id works over one path of ours', async () => {
    harness = await QuicHarness.start({ protocols });
    const client = await MigratingClient.open(harness.server.port);
    client.flush();
    try {
      await eventually(() => client.established, 'the handshake');
      client.send('one ');
      await eventually(() => client.received.length === 4, 'the first echo');
      await eventually(() => client.spareIds > 0, 'a spare connection id');
      const firstId = client.destinationId;
      client.offerId();
      client.probe();
      await eventually(() => client.canMigrate, 'the probe answered');
      client.migrate();
      client.send('two');
      await eventually(() => client.received.toString() === 'one two', 'the second echo');
      const server = serverSide[0] as QuicConnection;
      expect(client.destinationId).not.toBe(firstId);
      expect(server.remoteAddress).toBe(`127.0.0.1:${client.ports[1]}`);
      expect(server.quiche.pathStats()).toHaveLength(1);
    } finally {
      await client.close();
    }
  });
});
