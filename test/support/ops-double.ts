import { Agent, request } from 'node:http';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { peerAddress } from '../../src/base/client-address.js';
import { OpsServer } from '../../src/ops/ops-server.js';
import type { OpsServerParts } from '../../src/ops/ops-server.js';
import type {
  OpsControls,
  OpsSource,
  ReadyState,
  SessionQuery,
  SessionView,
} from '../../src/ops/ops-source.js';
import type { TraceListener } from '../../src/session/trace/trace-event.js';
import type { LogLevelName } from '../../src/telemetry/log-level.js';
import { silentLogger } from '../../src/telemetry/log.js';
import { Metrics } from '../../src/telemetry/metrics.js';
import { FakeClock } from './fake-clock.js';

function sessionView(index: number): SessionView {
  return {
    sessionId: `s${index}`,
    ordinal: index + 1,
    openid: `user-${index}`,
    state: index % 2 === 0 ? 'active' : 'detached',
    zone: '001',
    createdAt: 1_700_000_000_999,
    lastActivity: 1_700_000_005_000,
    pendingCount: index,
    orderedQueue: 0,
    inFlight: 1,
    remoteAddress: index % 2 === 0 ? '127.0.0.1:5000' : '',
  };
}

const instance = {
  address: '127.0.0.1:9001',
  serviceName: 'demo',
  capabilities: [],
  state: 'ok' as const,
  consecutiveFailures: 0,
  inFlight: 2,
  requests: 10,
  failures: 1,
  lastError: '',
  latencyMs: 1.23456,
};

const routing = { zones: [{ zone: '001', instances: [instance] }], fallback: null, concurrent: 2 };

/** A gateway of 250 sessions in zone 001, and what operators did to it. */
export class OpsDouble implements OpsSource, OpsControls {
  state: ReadyState = 'serving';
  broken = false;
  level: LogLevelName = 'info';
  /** How often `stats` was asked. */
  asked = 0;
  readonly traffic = {
    frames: 9,
    requests: 5,
    bytesIn: 100,
    bytesOut: 200,
    upstreamRequests: 4,
    pushesAccepted: 3,
  };
  /** What was done, in order. */
  readonly done: string[] = [];
  readonly listeners = new Set<TraceListener>();
  private readonly sessions = Array.from({ length: 250 }, (_, index) => sessionView(index));

  readiness() {
    return { ready: this.state === 'serving', state: this.state };
  }

  health() {
    if (this.broken) throw new Error('secret detail');
    const warnings = ['zone 002 is empty'];
    return { activeConnections: 125, detachedSessions: 125, routing, warnings };
  }

  routing() {
    return { rules: [], services: [] };
  }

  stats({ offset, limit }: SessionQuery) {
    this.asked++;
    const end = offset + limit;
    return {
      totalSessions: 250,
      zones: [{ zone: '001', sessions: 250, active: 125, pendingFrames: 31_125, inFlight: 250 }],
      routing,
      traffic: { ...this.traffic },
      load: {
        connections: 130,
        qps: 1234.56,
        maxQps: Infinity,
        eventLoopDelay: 1.4,
        shedding: false,
        addresses: 3,
      },
      sessions: this.sessions.slice(offset, end),
      more: end < 250,
    };
  }

  session(sessionId: string) {
    const view = this.sessions.find((session) => session.sessionId === sessionId);
    if (view === undefined) return null;
    return {
      ...view,
      transport: 'quic',
      connectedAt: 1_700_000_001_000,
      loggedIn: true,
      nextClientSeq: 4,
      nextPushSeq: 9,
      highestSent: 8,
      acknowledged: 7,
      pendingBytes: 120,
      outbox: [{ seq: 8, kind: 'push' as const, clientSeq: 0, bytes: 120, sent: true }],
    };
  }

  sessionOf(openid: string) {
    return this.session(openid.replace(/^user-/, 's'));
  }

  follow(openid: string, listener: TraceListener): () => void {
    this.done.push(`follow ${openid}`);
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  pair() {
    return null;
  }

  switchRoles(mode: string): void {
    this.done.push(`switch to ${mode}`);
  }

  goSolo(): void {
    this.done.push('solo');
  }

  kick(sessionId: string, reason: string): boolean {
    if (this.session(sessionId) === null) return false;
    this.done.push(`kick ${sessionId}: ${reason}`);
    return true;
  }

  drain(): boolean {
    if (this.state === 'starting') return false;
    this.done.push('drain');
    this.state = 'draining';
    return true;
  }

  logLevel(): LogLevelName {
    return this.level;
  }

  setLogLevel(level: LogLevelName): void {
    this.level = level;
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly bytes: Buffer;
}

export interface Question {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
}

/** Operators' listeners in front of a double, and a client of them that keeps connections alive. */
export class OpsBench {
  readonly double = new OpsDouble();
  readonly clock = new FakeClock();
  readonly metrics = new Metrics();
  readonly ops = this.build();
  private readonly agent = new Agent({ keepAlive: true });

  build(changes: Partial<OpsServerParts> = {}): OpsServer {
    const loopback = { host: '127.0.0.1', port: 0 };
    return new OpsServer({
      httpAddr: loopback,
      metricsAddr: loopback,
      adminToken: null,
      readToken: null,
      tls: null,
      callerOf: peerAddress,
      source: this.double,
      controls: this.double,
      metrics: this.metrics,
      clock: this.clock,
      log: silentLogger(),
      version: '1.2.3',
      consoleFolder: null,
      ...changes,
    });
  }

  /** @param port default: of the HTTP API. */
  ask(path: string, question: Question = {}, port = this.ops.httpPort): Promise<Answer> {
    const { method = 'GET', headers = {}, body } = question;
    // What is refused early ends its connection, which nothing else must then reuse.
    const reuse = method === 'GET' && path.length < 1_000 && this.agent;
    return ask({ port, path, method, headers, agent: reuse }, body);
  }

  async stop(): Promise<void> {
    this.agent.destroy();
    await this.ops.stop();
  }
}

interface Target {
  readonly port: number;
  readonly path: string;
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly agent?: Agent | false;
}

/** One request to 127.0.0.1. */
export function ask(target: Target, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', agent: false, ...target }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const status = response.statusCode ?? 0;
        resolve({ status, headers: response.headers, text: bytes.toString(), bytes });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
