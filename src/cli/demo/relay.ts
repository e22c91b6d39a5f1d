import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { HOST } from './host.js';

/**
 * The network between one client and the gateway: a UDP relay that can be cut. What was on its way
 * is lost and nobody is told, as when a phone leaves its network.
 */
export class Relay {
  private readonly front = createSocket('udp4');
  /** By the client's port: the socket that stands for it at the gateway; null for one cut off. */
  private readonly paths = new Map<number, Socket | null>();
  private open = true;

  /** @param port the gateway's. */
  private constructor(private readonly port: number) {}

  static async to(port: number): Promise<Relay> {
    const relay = new Relay(port);
    await bound(relay.front);
    relay.front.on('message', (datagram, from) => relay.forward(datagram, from));
    return relay;
  }

  /** What the client is given as the gateway's address. */
  get address(): string {
    return `${HOST}:${this.front.address().port}`;
  }

  /**
   * Ends every path there is, for ever: a client comes through again only from a new port.
   * @param untilMended not even from a new port, until mend().
   */
  cut(untilMended: boolean): void {
    this.open = !untilMended;
    for (const [port, path] of this.paths) {
      path?.close();
      this.paths.set(port, null);
    }
  }

  mend(): void {
    this.open = true;
  }

  close(): void {
    this.cut(true);
    this.front.close();
  }

  private forward(datagram: Buffer, from: RemoteInfo): void {
    let path = this.paths.get(from.port);
    if (path === undefined && this.open) path = this.newPath(from.port);
    path?.send(datagram, this.port, HOST);
  }

  private newPath(clientPort: number): Socket {
    const path = createSocket('udp4');
    path.on('message', (datagram) => {
      if (this.paths.get(clientPort) === path) this.front.send(datagram, clientPort, HOST);
    });
    // A gateway that is down answers with ICMP errors; for a network that is no news.
    path.on('error', () => undefined);
    this.paths.set(clientPort, path);
    return path;
  }
}

function bound(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, HOST, () => {
      socket.removeListener('error', reject);
      socket.on('error', () => undefined);
      resolve();
    });
  });
}
