import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/** Everything that a demo plays stays on this machine. */
export const HOST = '127.0.0.1';

/**
 * Where ports are looked for: below the ranges that systems hand out by themselves, so that nobody
 * is given one of them between our look and the gateway's start.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 31_999;

/** Looks at so many ports before it gives up. */
const ATTEMPTS = 200;

/** The ports of a gateway. They stay the same over its restart, so they cannot be left to it. */
export interface Ports {
  /** UDP and TCP: WebSocket clients use the same number. */
  readonly quic: number;
  readonly http: number;
  readonly grpc: number;
  readonly metrics: number;
}

/** Four ports of the loopback address that nobody uses at this moment. @throws {Error} where there are none. */
export async function freePorts(): Promise<Ports> {
  const found: number[] = [];
  for (let attempt = 0; found.length < 4 && attempt < ATTEMPTS; attempt++) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT + 1));
    if (!found.includes(port) && (await tcpIsFree(port)) && (await udpIsFree(port))) {
      found.push(port);
    }
  }
  const [quic, http, grpc, metrics] = found;
  if (quic === undefined || http === undefined || grpc === undefined || metrics === undefined) {
    throw new Error(`no four free ports between ${FIRST_PORT} and ${LAST_PORT} of ${HOST}`);
  }
  return { quic, http, grpc, metrics };
}

function tcpIsFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, HOST, () => server.close(() => resolve(true)));
  });
}

function udpIsFree(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  return new Promise((resolve) => {
    socket.once('error', () => {
      socket.close();
      resolve(false);
    });
    socket.bind(port, HOST, () => socket.close(() => resolve(true)));
  });
}
