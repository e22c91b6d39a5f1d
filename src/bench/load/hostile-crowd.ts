import { createSocket } from 'node:dgram';
import { connect as connectTcp } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { QuicClient } from '../../quic/quic-client.js';
import { createQuicClient } from '../../sdk/client/quic-client.js';

/**
 * silent: connects and says nothing; slow: a frame, a byte at a time; flooding: nonsense as fast as it
 * is taken; sockets: TCP without TLS, and datagrams that are no QUIC.
 */
const WAYS = ['silent', 'slow', 'flooding', 'sockets'] as const;
export type HostileWay = (typeof WAYS)[number];

/** mixed: a quarter of the crowd in each way. */
export const HOSTILE_KINDS = ['mixed', ...WAYS] as const;
export type HostileKind = (typeof HOSTILE_KINDS)[number];

export interface HostilePlan {
  readonly port: number;
  /** TCP, for `sockets`; null where the gateway has no WebSocket edge. */
  readonly wsPort: number | null;
  readonly count: number;
  readonly kind: HostileKind;
  /** Connections that come back per second, of those that the gateway has ended. */
  readonly returnsPerSecond: number;
}

export interface HostileCounts {
  /** Connections that are open now. */
  readonly open: number;
  /** All that were opened. */
  readonly opened: number;
  /** Ended by the gateway. */
  readonly ended: number;
  /** Not even accepted. */
  readonly refused: number;
}

/** Bytes that are no frame: the length they begin with is beyond every limit. */
const NONSENSE = Buffer.alloc(16 * 1024, 0xff);
/** The beginning of a frame that would be honest. */
const SLOW_FRAME = Buffer.from([0, 0, 1, 0, 8]);
const SLOW_BYTE_MS = 1_000;
const FLOOD_PAUSE_MS = 20;
const GARBAGE_PAUSE_MS = 1_000;
/** More QUIC connections behind one socket overflow its buffer. */
const PER_SOCKET = 2_500;
const ARRIVING_AT_ONCE = 32;

/** Many connections that mean no good, and that come back when they are thrown out. */
export class HostileCrowd {
  private readonly clients: readonly QuicClient[];
  private readonly garbage = createSocket('udp4');
  private readonly endings = new Set<() => void>();
  private readonly waiting: (() => void)[] = [];
  private readonly returns: NodeJS.Timeout;
  private stopped = false;
  private opened = 0;
  private ended = 0;
  private refused = 0;

  constructor(private readonly plan: HostilePlan) {
    const sockets = Math.ceil(plan.count / PER_SOCKET);
    this.clients = Array.from({ length: sockets }, () => createQuicClient({ insecure: true }));
    this.garbage.on('error', () => undefined);
    this.returns = setInterval(() => this.waiting.shift()?.(), 1000 / plan.returnsPerSecond);
  }

  get counts(): HostileCounts {
    const { opened, ended, refused } = this;
    return { open: this.endings.size, opened, ended, refused };
  }

  /** Resolves when every member has tried once; they go on until stop(). */
  async start(): Promise<void> {
    let next = 0;
    const usher = async (): Promise<void> => {
      while (next < this.plan.count && !this.stopped) {
        const slot = next++;
        void this.stayHostile(slot, await this.attack(slot));
      }
    };
    await Promise.all(Array.from({ length: ARRIVING_AT_ONCE }, usher));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.returns);
    for (const wake of this.waiting.splice(0)) wake();
    for (const end of [...this.endings]) end();
    this.garbage.close();
    await Promise.all(this.clients.map((client) => client.stop()));
  }

  private async stayHostile(slot: number, first: Attack): Promise<void> {
    let attack = first;
    for (;;) {
      await attack.over;
      if (this.stopped) return;
      await new Promise<void>((wake) => this.waiting.push(wake));
      if (this.stopped) return;
      attack = await this.attack(slot);
    }
  }

  private attack(slot: number): Promise<Attack> {
    const { kind } = this.plan;
    const way = kind === 'mixed' ? (WAYS[slot % WAYS.length] ?? 'silent') : kind;
    return way === 'sockets' ? this.overSockets() : this.overQuic(slot, way);
  }

  private async overQuic(slot: number, way: HostileWay): Promise<Attack> {
    const client = this.clients[slot % this.clients.length];
    const gone = new Ending();
    const events = { onStream: () => undefined, onClosed: () => gone.tell() };
    const target = { host: '127.0.0.1', port: this.plan.port, serverName: 'localhost' };
    const connection = await client?.connect(target, events).catch(() => null);
    if (connection === null || connection === undefined) {
      this.refused++;
      return { over: Promise.resolve() };
    }
    const attack = this.begin(gone, () => connection.close(0, ''));
    if (way === 'silent') return attack;
    const stream = connection.openStream();
    stream.bind({
      onReadable: () => {
        while (stream.read() !== null);
      },
      onDrained: () => undefined,
      onAborted: () => undefined,
    });
    void this.say(gone, way, (bytes) => stream.write(bytes));
    return attack;
  }

  /** Keeps saying what its way is, until it is thrown out. */
  private async say(gone: Ending, way: HostileWay, write: (bytes: Buffer) => void): Promise<void> {
    for (let place = 0; !gone.told && !this.stopped; place++) {
      if (way === 'flooding') write(NONSENSE);
      else write(place === 0 ? SLOW_FRAME : Buffer.from([0]));
      await pause(way === 'flooding' ? FLOOD_PAUSE_MS : SLOW_BYTE_MS);
    }
  }

  private overSockets(): Promise<Attack> {
    const { port, wsPort } = this.plan;
    const gone = new Ending();
    const noise = setInterval(() => {
      if (!this.stopped) this.garbage.send(NONSENSE.subarray(0, 1_200), port, '127.0.0.1');
    }, GARBAGE_PAUSE_MS);
    void gone.over.then(() => clearInterval(noise));
    if (wsPort === null) return Promise.resolve(this.begin(gone, () => gone.tell()));
    const socket = connectTcp(wsPort, '127.0.0.1');
    socket.on('error', () => undefined).resume();
    socket.on('close', () => gone.tell());
    return Promise.resolve(this.begin(gone, () => socket.destroy()));
  }

  private begin(gone: Ending, end: () => void): Attack {
    this.opened++;
    this.endings.add(end);
    void gone.over.then(() => {
      this.endings.delete(end);
      if (!this.stopped) this.ended++;
    });
    return gone;
  }
}

/** One connection of the crowd. */
interface Attack {
  readonly over: Promise<void>;
}

class Ending implements Attack {
  told = false;
  private resolve: () => void = () => undefined;
  readonly over = new Promise<void>((resolve) => (this.resolve = resolve));

  tell(): void {
    this.told = true;
    this.resolve();
  }
}
