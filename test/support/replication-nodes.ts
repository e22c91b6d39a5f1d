import { createConnection, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { SystemClock } from '../../src/base/clock.js';
import { CodedError } from '../../src/base/errors.js';
import { grpcJsCallers } from '../../src/grpc/grpc-js-caller.js';
import type { GrpcServer } from '../../src/grpc/grpc-server.js';
import { grpcServer } from '../../src/grpc/server-kinds.js';
import type {
  JournalBatch,
  JournalFollower,
  JournalRenewal,
  JournalSink,
  JournalSource,
} from '../../src/journal/journal.js';
import { EntryReader } from '../../src/journal/entry-reader.js';
import {
  MAX_BEAT_BYTES,
  MAX_FROM_PRIMARY_BYTES,
  MAX_FROM_STANDBY_BYTES,
} from '../../src/replication/message-limits.js';
import { PeerGate } from '../../src/replication/peer-gate.js';
import { Replicator } from '../../src/replication/replicator.js';
import type { ReplicatorOptions } from '../../src/replication/replicator-parts.js';
import type { RoleStore } from '../../src/replication/role-file.js';
import type { RoleChange } from '../../src/replication/role-options.js';
import { silentLogger } from '../../src/telemetry/log.js';
import type { Logger } from '../../src/telemetry/log.js';
import { Metrics } from '../../src/telemetry/metrics.js';
import { StateRecord } from '../../src/wire/messages.js';
import { MemoryRoleStore } from './replication-pair.js';

/** A batch of texts, delimited as the journal's entries are. */
export function textBatch(first: number, texts: readonly string[]): JournalBatch {
  const entries = texts.map((text) => {
    const bytes = Buffer.from(text);
    const length: number[] = [];
    for (let rest = bytes.length; ; rest >>>= 7) {
      if (rest < 128) return Buffer.concat([Buffer.from([...length, rest]), bytes]);
      length.push((rest & 0x7f) | 0x80);
    }
  });
  return { first, count: texts.length, bytes: Buffer.concat(entries) };
}

/** Sessions whose whole state is a list of texts; writes a journal of them, and follows one. */
export class TextJournal implements JournalSource, JournalFollower {
  texts: string[] = [];
  resets = 0;
  private readonly sinks = new Set<JournalSink>();

  get position(): number {
    return this.texts.length;
  }

  /** As a primary: one turn. */
  append(...texts: string[]): void {
    const batch = textBatch(this.position + 1, texts);
    this.texts.push(...texts);
    for (const sink of this.sinks) sink.take(batch);
  }

  /** What is appended between two steps is not in it: its entries tell. */
  *snapshot(): Iterable<StateRecord> {
    for (const id of [...this.texts]) yield new StateRecord({ session: { id } });
  }

  attach(sink: JournalSink): () => void {
    this.sinks.add(sink);
    return () => void this.sinks.delete(sink);
  }

  get sinkCount(): number {
    return this.sinks.size;
  }

  renew(position: number): JournalRenewal {
    const records: string[] = [];
    const entries: string[] = [];
    return {
      set: (record) => void records.push(record.session?.id ?? ''),
      apply: (batch) => void entries.push(...textsOf(batch)),
      commit: () => {
        if (records.length !== position) throw new Error('a snapshot of another position');
        this.resets++;
        this.texts = [...records, ...entries];
      },
    };
  }

  apply(batch: JournalBatch): void {
    if (batch.first !== this.position + 1) throw new CodedError('JOURNAL_GAP', 'gap');
    this.texts.push(...textsOf(batch));
  }
}

function textsOf({ count, bytes }: JournalBatch): string[] {
  const reader = new EntryReader(bytes);
  return Array.from({ length: count }, () => Buffer.from(reader.next() ?? []).toString());
}

/** TCP in between: cuts, stalls, corrupts. Its port is known before the node behind it has one. */
export class TcpRelay {
  target = 0;
  cut = false;
  /** Changes what flows from the target to the caller. */
  tamper: ((bytes: Buffer) => Buffer) | null = null;
  private readonly sockets = new Set<Socket>();
  private readonly server: Server = createServer((socket) => this.join(socket));

  async start(): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return (this.server.address() as AddressInfo).port;
  }

  /** Ends all connections; new ones get through unless `cut`. */
  kill(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** Stops reading what comes from the caller and the target, or goes on. */
  stall(stalled: boolean): void {
    for (const socket of this.sockets) {
      if (stalled) socket.pause();
      else socket.resume();
    }
  }

  async stop(): Promise<void> {
    this.kill();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private join(caller: Socket): void {
    if (this.cut) return void caller.destroy();
    const target = createConnection(this.target, '127.0.0.1');
    this.track(caller, target);
    this.track(target, caller);
    caller.on('data', (bytes) => void target.write(bytes));
    target.on('data', (bytes) => void caller.write(this.tamper?.(bytes) ?? bytes));
  }

  private track(socket: Socket, other: Socket): void {
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.sockets.delete(socket);
      other.destroy();
    });
  }
}

export interface NodeSettings {
  readonly secret?: string | null;
  readonly clusterId?: string;
  readonly mode?: 'primary' | 'backup';
  readonly sync?: Partial<ReplicatorOptions['sync']>;
  readonly onPeerLoss?: 'continue' | 'step_down';
  readonly timeout?: number;
  readonly peerHost?: string;
  readonly log?: Logger;
}

/** One gateway's replication over real gRPC, with TextJournal in place of sessions. */
export class ReplicationNode {
  readonly journal = new TextJournal();
  readonly changes: RoleChange[] = [];
  readonly metrics = new Metrics();
  replicator!: Replicator;
  drained = 0;
  undrained = 0;
  /** What a drain waits for. */
  draining = (): Promise<void> => Promise.resolve();
  private servers: GrpcServer[] = [];

  constructor(
    readonly serverId: string,
    private readonly settings: NodeSettings,
    private readonly store: RoleStore = new MemoryRoleStore(),
  ) {}

  /** @param ports of the relays before the peer. */
  async start(ports: { readonly heartbeat: number; readonly sync: number }): Promise<void> {
    const { settings, metrics } = this;
    const clock = new SystemClock();
    const log = settings.log ?? silentLogger();
    const secret = settings.secret === undefined ? 'secret' : settings.secret;
    const timeout = settings.timeout ?? 10_000;
    const callers = grpcJsCallers({
      initialReconnectMs: 50,
      maxReconnectMs: 100,
      maxMessageBytes: MAX_FROM_PRIMARY_BYTES,
    });
    const gate = new PeerGate(
      {
        serverId: this.serverId,
        clusterId: settings.clusterId ?? 'pair',
        peerHost: settings.peerHost ?? '127.0.0.1',
        proven: secret !== null,
      },
      () => Promise.resolve([]),
      clock,
      metrics.replication.refused,
      log,
    );
    this.replicator = new Replicator(
      {
        serverId: this.serverId,
        mode: settings.mode ?? 'primary',
        onPeerLoss: settings.onPeerLoss ?? 'continue',
        promoteStale: false,
        heartbeat: { interval: Math.min(timeout / 10, 200), timeout },
        sync: {
          mode: 'async',
          onTimeout: 'degrade',
          timeout: 200,
          batchSize: 50,
          bufferSize: 1000,
          ...settings.sync,
        },
        secret,
      },
      {
        store: this.store,
        source: this.journal,
        follower: this.journal,
        recovered: false,
        heartbeatCaller: callers(`127.0.0.1:${ports.heartbeat}`),
        syncOpener: callers(`127.0.0.1:${ports.sync}`),
        gate,
        metrics: metrics.replication,
        clock,
        log,
        report: () => ({
          sessions: this.journal.position,
          healthy: true,
          advertiseAddr: `${this.serverId}.example:8453`,
          prefersPrimary: false,
          syncMode: 'async',
        }),
        onRole: (change) => {
          this.changes.push(change);
          if (change.promoted) this.journal.append(`epoch ${change.epoch}`);
        },
        drain: () => {
          this.drained++;
          return this.draining();
        },
        undrain: () => void this.undrained++,
      },
    );
    const listen = { address: '127.0.0.1:0', graceMs: 50 };
    this.servers = [
      grpcServer({ ...listen, maxMessageBytes: MAX_BEAT_BYTES }, this.replicator.unary, clock),
      grpcServer(
        {
          ...listen,
          maxMessageBytes: MAX_FROM_STANDBY_BYTES,
          maxSentBytes: MAX_FROM_PRIMARY_BYTES,
        },
        [],
        clock,
        this.replicator.streams,
      ),
    ];
    for (const server of this.servers) await server.start();
  }

  get ports(): { heartbeat: number; sync: number } {
    return { heartbeat: this.servers[0]?.port ?? 0, sync: this.servers[1]?.port ?? 0 };
  }

  async stop(): Promise<void> {
    await this.replicator.stop();
    for (const server of this.servers) await server.stop();
  }
}

/** Two nodes with relays between them. */
export class NodePair {
  readonly toA = { heartbeat: new TcpRelay(), sync: new TcpRelay() };
  readonly toB = { heartbeat: new TcpRelay(), sync: new TcpRelay() };
  a!: ReplicationNode;
  b!: ReplicationNode;
  private readonly stores = { a: new MemoryRoleStore(), b: new MemoryRoleStore() };
  private ports!: {
    a: { heartbeat: number; sync: number };
    b: { heartbeat: number; sync: number };
  };

  constructor(private readonly settings: { a?: NodeSettings; b?: NodeSettings } = {}) {}

  async start(): Promise<void> {
    this.ports = {
      a: { heartbeat: await this.toA.heartbeat.start(), sync: await this.toA.sync.start() },
      b: { heartbeat: await this.toB.heartbeat.start(), sync: await this.toB.sync.start() },
    };
    await this.boot('a');
    await this.boot('b');
  }

  /** A new process with the disk of the former one. */
  async boot(name: 'a' | 'b'): Promise<void> {
    const mode = name === 'a' ? 'primary' : 'backup';
    const settings = { mode, ...this.settings[name] } as const;
    const node = new ReplicationNode(name, settings, this.stores[name]);
    this[name] = node;
    await node.start(this.ports[name === 'a' ? 'b' : 'a']);
    const relays = name === 'a' ? this.toA : this.toB;
    relays.heartbeat.target = node.ports.heartbeat;
    relays.sync.target = node.ports.sync;
    await node.replicator.start();
  }

  get relays(): TcpRelay[] {
    return [this.toA.heartbeat, this.toA.sync, this.toB.heartbeat, this.toB.sync];
  }

  set cut(cut: boolean) {
    for (const relay of this.relays) {
      relay.cut = cut;
      if (cut) relay.kill();
    }
  }

  async stop(): Promise<void> {
    for (const relay of this.relays) await relay.stop();
    for (const node of [this.a, this.b]) await node.stop();
  }
}
