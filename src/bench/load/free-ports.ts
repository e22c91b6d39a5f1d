import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/** Below the ports that kernels give to outgoing connections: one of those could take the port first. */
const LOWEST = 10_240;
const HIGHEST = 32_767;
/** So many in use one after the other, and something is wrong with more than ports. */
const ATTEMPTS = 100;

/** A TCP port of the loopback address that nobody used a moment ago. @throws {Error} where none is found. */
export function freeTcpPort(): Promise<number> {
  return firstFree((port, resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(port, '127.0.0.1', () => server.close(resolve));
  });
}

/** The same for UDP. */
export function freeUdpPort(): Promise<number> {
  return firstFree((port, resolve, reject) => {
    const socket = createSocket('udp4');
    socket.on('error', reject);
    socket.bind(port, '127.0.0.1', () => socket.close(resolve));
  });
}

/** Where the search goes on: never at a port that was given out before, and hardly where others search. */
let next = Math.floor(Math.random() * (HIGHEST - LOWEST));

type Bind = (port: number, resolve: () => void, reject: (error: Error) => void) => void;

async function firstFree(bind: Bind): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const port = LOWEST + (next++ % (HIGHEST - LOWEST));
    try {
      await new Promise<void>((resolve, reject) => bind(port, resolve, reject));
      return port;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}
