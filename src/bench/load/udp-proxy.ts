import dgram from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { seededRandom } from './seeded-random.js';

/** What happens to the datagrams of one direction. Shares are from 0 to 1, times in ms. */
export interface Impairment {
  /** Share that disappears. */
  loss: number;
  /** Share that arrives twice. */
  duplicate: number;
  /** Share that is held back by `reorderDelay`, so that later ones overtake it. */
  reorder: number;
  reorderDelay: number;
  /** Added to every datagram. */
  delay: number;
  /** At most this much more, evenly spread; it reorders too. */
  jitter: number;
  /** Nothing arrives. */
  blackhole: boolean;
}

export type Direction = 'toServer' | 'toClient';

export interface UdpProxyOptions {
  readonly host?: string;
  readonly targetPort: number;
  /** The same seed makes the same decisions in the same order of datagrams. */
  readonly seed?: number;
  readonly toServer?: Partial<Impairment>;
  readonly toClient?: Partial<Impairment>;
  /** Sees every datagram before its fate is decided; may change it, or swallow it with null. */
  readonly tap?: (direction: Direction, datagram: Buffer) => Buffer | null;
}

const UNIMPAIRED: Impairment = {
  loss: 0,
  duplicate: 0,
  reorder: 0,
  reorderDelay: 5,
  delay: 0,
  jitter: 0,
  blackhole: false,
};

class Counters {
  received = 0;
  forwarded = 0;
  lost = 0;
  duplicated = 0;
  delayed = 0;
  bytes = 0;
}

/**
 * Stands in front of a UDP server and mistreats the datagrams both ways. Every client address gets a
 * socket of its own towards the server, which `rebind` replaces, as a NAT does.
 */
export class UdpProxy {
  readonly toServer: Impairment;
  readonly toClient: Impairment;
  readonly counters = { toServer: new Counters(), toClient: new Counters() };
  private readonly flows = new Map<string, Flow>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly random: () => number;
  private closed = false;

  private constructor(
    private readonly front: Socket,
    private readonly options: UdpProxyOptions,
  ) {
    this.toServer = { ...UNIMPAIRED, ...options.toServer };
    this.toClient = { ...UNIMPAIRED, ...options.toClient };
    this.random = seededRandom(options.seed ?? 1);
    front.on('message', (datagram, from) => {
      const flow = this.flowOf(from);
      this.treat('toServer', datagram, (bytes) => flow.send(bytes));
    });
  }

  /** Binds a free port of `host` (127.0.0.1). */
  static async start(options: UdpProxyOptions): Promise<UdpProxy> {
    const host = options.host ?? '127.0.0.1';
    const front = dgram.createSocket(host.includes(':') ? 'udp6' : 'udp4');
    await new Promise<void>((done) => front.bind(0, host, done));
    return new UdpProxy(front, options);
  }

  get port(): number {
    return this.front.address().port;
  }

  /** From now on the server sees all clients (or the one from `clientPort`) at other ports. */
  rebind(clientPort?: number): void {
    for (const flow of this.flows.values()) {
      if (clientPort === undefined || flow.clientPort === clientPort) flow.rebind();
    }
  }

  /** Lets nothing through in either direction, or everything again. */
  blackhole(on: boolean): void {
    this.toServer.blackhole = this.toClient.blackhole = on;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    for (const timer of this.timers) clearTimeout(timer);
    for (const flow of this.flows.values()) flow.close();
    await new Promise<void>((done) => this.front.close(() => done()));
  }

  private flowOf(from: RemoteInfo): Flow {
    const key = `${from.address} ${from.port}`;
    let flow = this.flows.get(key);
    if (flow === undefined) {
      const host = this.options.host ?? '127.0.0.1';
      flow = new Flow(host, this.options.targetPort, from.port, (datagram) => {
        this.treat('toClient', datagram, (bytes) => {
          this.front.send(bytes, from.port, from.address);
        });
      });
      this.flows.set(key, flow);
    }
    return flow;
  }

  private treat(direction: Direction, received: Buffer, forward: (bytes: Buffer) => void): void {
    const how = this[direction];
    const counters = this.counters[direction];
    counters.received++;
    counters.bytes += received.length;
    const datagram = this.options.tap ? this.options.tap(direction, received) : received;
    if (datagram === null) return;
    if (how.blackhole || this.random() < how.loss) {
      counters.lost++;
      return;
    }
    if (this.random() < how.duplicate) {
      counters.duplicated++;
      this.forwardLater(direction, datagram, forward);
    }
    this.forwardLater(direction, datagram, forward);
  }

  private forwardLater(
    direction: Direction,
    datagram: Buffer,
    forward: (bytes: Buffer) => void,
  ): void {
    const how = this[direction];
    const counters = this.counters[direction];
    let delay = how.delay + this.random() * how.jitter;
    if (this.random() < how.reorder) delay += how.reorderDelay;
    const run = (): void => {
      if (this.closed) return;
      counters.forwarded++;
      forward(datagram);
    };
    if (delay < 1) {
      run();
      return;
    }
    counters.delayed++;
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      run();
    }, delay);
    this.timers.add(timer);
  }
}

/** One client as the server sees it. */
class Flow {
  private socket: Socket;

  constructor(
    private readonly host: string,
    private readonly targetPort: number,
    readonly clientPort: number,
    private readonly onDatagram: (datagram: Buffer) => void,
  ) {
    this.socket = this.open();
  }

  send(datagram: Buffer): void {
    this.socket.send(datagram, this.targetPort, this.host);
  }

  /** Datagrams that the server sends to the old port are lost, as behind a NAT. */
  rebind(): void {
    this.socket.close();
    this.socket = this.open();
  }

  close(): void {
    this.socket.close();
  }

  private open(): Socket {
    const socket = dgram.createSocket(this.host.includes(':') ? 'udp6' : 'udp4');
    socket.bind(0, this.host);
    socket.on('message', this.onDatagram);
    socket.on('error', () => undefined);
    return socket;
  }
}
