import { randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import type { RemoteInfo } from 'node:dgram';
import { CONNECTION_ID_BYTES, DEFAULT_LIMITS } from '../../quic/limits.js';
import { SOLE_PATH, quiche } from '../../quic/quiche.js';
import type { QuicheConnection } from '../../quic/quiche.js';
import { serverConfig } from '../../quic/tls-config.js';
import { Audience } from './audience.js';
import { identityFromEnvironment, serveRequests } from './child-protocol.js';

// The least that echoes over QUIC: quiche and node:dgram, with none of what an engine is for (no address
// validation, migration, limits, backpressure, batching of a turn). What our engine costs above this is
// its own share.
const { cert, key } = identityFromEnvironment();
const identity = { cert: Buffer.from(cert), key: Buffer.from(key) };
const config = serverConfig(identity, ['gatesvr'], DEFAULT_LIMITS);
const socket = dgram.createSocket('udp4');
const audience = new Audience();
const known = new Map<string, Bare>();
const packet = Buffer.alloc(1_350);
const chunk = Buffer.alloc(64 * 1024);

class Bare {
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly connection: QuicheConnection,
    private readonly peer: RemoteInfo,
    private readonly ids: readonly string[],
  ) {
    audience.add(this.deliver);
  }

  /** Writes to the first stream that its client opened. */
  private readonly deliver = (frame: Buffer): void => {
    this.connection.streamSend(0, frame, false);
    this.flush();
  };

  receive(datagram: Buffer): void {
    this.connection.recv(datagram, SOLE_PATH.recvInfo);
    if (this.connection.isEstablished()) this.echo();
    this.flush();
  }

  /** Nothing falls due for it any more; for the time when its socket is closed. */
  disarm(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  /** Frames are far smaller than any window: what was read can be written. */
  private echo(): void {
    const { connection } = this;
    for (const id of connection.readable()) {
      const read = connection.streamRecv(id, chunk);
      if (read === null) continue;
      const asked = audience.hear(chunk.subarray(0, read[0]));
      if (asked.length > 0 || read[1]) connection.streamSend(id, asked, read[1]);
    }
  }

  private flush(): void {
    const { connection, peer } = this;
    for (let sent = connection.send(packet); sent !== null; sent = connection.send(packet)) {
      // The socket keeps the bytes until they left.
      socket.send(Buffer.from(packet.subarray(0, sent[0])), peer.port, peer.address);
    }
    this.disarm();
    const timeout = connection.timeout();
    if (connection.isClosed()) this.forget();
    else if (timeout !== null) this.timer = setTimeout(() => this.expire(), timeout);
  }

  private forget(): void {
    for (const id of this.ids) known.delete(id);
    audience.delete(this.deliver);
  }

  private expire(): void {
    this.connection.onTimeout();
    this.flush();
  }
}

socket.on('message', (datagram, from) => {
  const header = quiche.Header.fromSlice(datagram, CONNECTION_ID_BYTES);
  const id = Buffer.from(header.dcid).toString('latin1');
  let bare = known.get(id);
  if (bare === undefined) {
    if (header.ty !== quiche.Type.Initial) return;
    const own = randomBytes(CONNECTION_ID_BYTES);
    const { local, peer } = SOLE_PATH;
    const connection = quiche.Connection.accept(own, null, local, peer, config);
    const ids = [id, own.toString('latin1')];
    bare = new Bare(connection, from, ids);
    for (const each of ids) known.set(each, bare);
  }
  bare.receive(datagram);
});
await new Promise<void>((bound) => socket.bind(0, '127.0.0.1', bound));
const stop = (): Promise<void> => {
  for (const bare of known.values()) bare.disarm();
  return new Promise((closed) => socket.close(() => closed()));
};
serveRequests(socket.address().port, stop, audience);
