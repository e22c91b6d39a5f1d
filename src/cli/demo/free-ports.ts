import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

const HOST = '127.0.0.1';

/** The ports of a gateway. They stay the same over its restart, so they cannot be left to it. */
export interface Ports {
  /** UDP and TCP: WebSocket clients use the same number. */
  readonly quic: number;
  readonly http: number;
  readonly grpc: number;
  readonly metrics: number;
}

/** Four ports of the loopback address that nobody uses at this moment. */
export async function freePorts(): Promise<Ports> {
  const held = await Promise.all([holdTcp(0), holdTcp(0), holdTcp(0), holdTcp(0)]);
  const [quic, http, grpc, metrics] = held.map(({ port }) => port) as [
    number,
    number,
    number,
    number,
  ];
  await udpIsFree(quic);
  await Promise.all(held.map(({ release }) => release()));
  return { quic, http, grpc, metrics };
}

function holdTcp(wanted: number): Promise<{ port: number; release: () => Promise<void> }> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(wanted, HOST, () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const release = (): Promise<void> => new Promise((done) => server.close(() => done()));
      resolve({ port, release });
    });
  });
}

function udpIsFree(port: number): Promise<void> {
  const socket = createSocket('udp4');
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, HOST, () => socket.close(() => resolve()));
  });
}
