import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/** Below the ports that kernels give to outgoing connections: one of those could take the port first. */
const LOWEST = 10_240;
const HIGHEST = 32_767;
/** So many in use one after the other, and something is wrong with more than ports. */
const ATTEMPTS = 100;

/** A TCP port of the loopback address that nobody used a moment ago. @throws {Error} where none is found. */
export function freeTcpPort(): Promise<number> {
  return firstFree(bindTcp);
}

/** The same for UDP. */
export function freeUdpPort(): Promise<number> {
  return firstFree(bindUdp);
}

/** The same for both: WebSocket clients use the number of the QUIC port. */
export function freePort(): Promise<number> {
  return firstFree(async (port) => {
    await bindTcp(port);
    await bindUdp(port);
  });
}

/** Where the search goes on: never at a port that was given out before, and hardly where others search. */
let next = Math.floor(Math.random() * (HIGHEST - LOWEST));

/** @param bind binds the port and gives it back. */
async function firstFree(bind: (port: number) => Promise<void>): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const port = LOWEST + (next++ % (HIGHEST - LOWEST));
    try {
      await bind(port);
      return port;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

function bindTcp(port: number): Promise<void> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(port, '127.0.0.1', () => server.close(() => resolve()));
  });
}

function bindUdp(port: number): Promise<void> {
  const socket = createSocket('udp4');
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.bind(port, '127.0.0.1', () => socket.close(resolve));
  });
}
