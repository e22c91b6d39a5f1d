import { formatAddress, isAnyHost, parseAddress } from '../../base/address.js';
import { SystemClock } from '../../base/clock.js';
import type { Clock } from '../../base/clock.js';
import { memoised } from '../../base/lifecycle.js';
import type { GrpcServer } from '../../grpc/grpc-server.js';
import { grpcServer } from '../../grpc/server-kinds.js';
import {
  HealthCheckResponse,
  StatusResponse,
  UpstreamRequest,
  decodeMessage,
  encodeMessage,
} from '../../wire/messages.js';
import { deregister, getClient, kickClient } from './clients.js';
import type { ClientInfo } from './clients.js';
import type { GatewayAccess } from './gateway-caller.js';
import { AnsweredRequests } from './answered-requests.js';
import { Gateways } from './gateways.js';
import { Handlers } from './handlers.js';
import type { Handler } from './handlers.js';
import { DEDUPE, PROCESS_STREAM } from '../../wire/capabilities.js';
import { Method } from '../../wire/grpc-methods.js';
import { pushBatch } from './push-batch.js';
import type { BatchPush, BatchResult } from './push-batch.js';
import { contentFields, pushFields } from './push-content.js';
import type { PushContent, PushOptions, PushTarget } from './push-content.js';
import { Registration } from './registration.js';
import type { RegistrationReport } from './registration.js';
import { PushRetries } from './push-retry.js';
import { StreamService } from './stream-service.js';

export interface UpstreamServerOptions {
  /** The zone to serve, `001` to `006`, or a service of the gateway's `routing.services`. */
  readonly zone: string;
  /** For the gateway's logs and probes. */
  readonly serviceName: string;
  /** Where to listen: `host:port`, or `:port` for every address; port 0 takes a free one. */
  readonly listen: string;
  /** Where the gateway finds it; default: the address listened on, without a host if that was `:port`. */
  readonly advertise?: string;
  /** `host:port` of the gRPC side of every gateway to serve. */
  readonly gateways: readonly string[];
  /** What gateways ask for with grpc.secret and grpc.tls; nothing by default. */
  readonly access?: GatewayAccess;
  /** How long a push or a registration may take, ms. Default 10,000. */
  readonly callTimeoutMs?: number;
  /** Hears how the registration at each gateway goes. */
  readonly onRegistration?: (report: RegistrationReport) => void;
  /** Hears of handlers that throw anything but a ReplyError, and of pushes that fail unawaited. */
  readonly onError?: (error: unknown, action: string) => void;
  /** Whether gateways may call over ProcessStream, which costs both sides less. Default true. */
  readonly stream?: boolean;
  /**
   * After a promotion or restart gateways ask again what has no answer, instead of telling clients that
   * the outcome is unknown (docs/UPSTREAMS.md). A repeat, by session and number, gets the answer of the
   * first time, for ten minutes, in the memory of this process. Handlers are not cancelled. Default: false.
   */
  readonly dedupe?: boolean;
  readonly clock?: Clock;
}

const { SERVING, NOT_SERVING } = HealthCheckResponse.ServingStatus;
const STOP_MS = 2_000;
/** Of these for gateways to take a deregistration; one that does not answer ejects the instance by itself. */
const DEREGISTER_MS = 1_000;

/**
 * A service behind the gateway: it listens, registers for its zone, answers requests by their
 * action, and pushes. `start`, `drain` and `stop` are idempotent.
 */
export class UpstreamServer {
  /**
   * Listens, then registers at every gateway; resolves when each has accepted or refused for good. Those
   * that accept are served whatever the others say; onRegistration hears of every refusal.
   * @throws {StartupError} where it cannot listen, {RegistrationError} where all gateways refuse for good.
   */
  readonly start = memoised(() => this.listenAndRegister());
  /** Deregisters, reports itself as not serving, takes no new request and waits for those under way. */
  readonly drain = memoised(() => this.finishRequests());
  /**
   * Deregisters and drains for at most two seconds, then closes everything. Pushes that wait to be tried
   * again (`retryForMs`) fail at once.
   */
  readonly stop = memoised(() => this.end());

  private readonly handlers: Handlers;
  private readonly streams: StreamService;
  private readonly server: GrpcServer;
  private readonly gateways: Gateways;
  private readonly retries: PushRetries;
  private readonly clock: Clock;
  private readonly startedAt: number;
  private registrations: Registration[] = [];
  /** The last deregistration, under way or done. */
  private deregistered: Promise<void> | null = null;
  private draining = false;
  /** Under way or done; null before `start`. */
  private listening: Promise<void> | null = null;

  /** @throws {RangeError} that names the gateway address which cannot be one. */
  constructor(private readonly options: UpstreamServerOptions) {
    this.clock = options.clock ?? new SystemClock();
    this.startedAt = this.clock.now();
    const { gateways, callTimeoutMs = 10_000, access } = options;
    this.gateways = new Gateways(gateways, callTimeoutMs, access, this.clock);
    this.retries = new PushRetries(this.clock, (fields) => this.gateways.push(fields));
    const { onError = () => undefined, dedupe = false } = options;
    const answered = dedupe ? new AnsweredRequests(this.clock) : null;
    this.handlers = new Handlers(this.gateways, onError, answered);
    this.streams = new StreamService(this.handlers, this.clock);
    this.server = grpcServer(
      { address: options.listen, addressKey: 'upstream address' },
      [
        {
          path: Method.ProcessRequest,
          handle: (bytes, _, respond) => this.process(bytes, respond),
        },
        { path: Method.GetStatus, handle: (_bytes, _, respond) => respond(this.status()) },
        { path: Method.HealthCheck, handle: (_bytes, _, respond) => respond(this.health()) },
      ],
      this.clock,
      this.servesStreams ? [this.streams.method()] : [],
    );
  }

  private get servesStreams(): boolean {
    return this.options.stream ?? true;
  }

  /** The port that was bound; 0 before start. */
  get port(): number {
    return this.server.port;
  }

  /** What is told to gateways: `host:port`, or `:port`. */
  get advertised(): string {
    if (this.options.advertise !== undefined) return this.options.advertise;
    const { host } = parseAddress(this.options.listen) ?? { host: '' };
    return isAnyHost(host) ? `:${this.port}` : formatAddress(host, this.port);
  }

  /** Answers requests of this action by `handler`; a later one replaces it. */
  handle(action: string, handler: Handler): this {
    this.handlers.set(action, handler);
    return this;
  }

  /** Answers requests of every other action; without it they get 404. */
  fallback(handler: Handler): this {
    this.handlers.setFallback(handler);
    return this;
  }

  /**
   * Pushes to one client; resolved when a gateway has taken it and answers for its delivery.
   * @throws {PushError}
   */
  async push(push: PushTarget & PushContent & PushOptions): Promise<void> {
    const fields = pushFields(push, push);
    const { retryForMs = 0 } = push;
    await (retryForMs <= 0 ? this.gateways.push(fields) : this.retries.push(fields, retryForMs));
  }

  /** Pushes to every session of every gateway; tells how many took it. @throws {PushError} */
  async broadcast(content: PushContent): Promise<number> {
    return this.gateways.broadcast(contentFields(content));
  }

  /** Pushes many messages with few calls. @returns a result for every push, in order. */
  pushBatch(pushes: readonly BatchPush[]): Promise<BatchResult[]> {
    return pushBatch(this.gateways.callers, pushes);
  }

  /**
   * Ends a client's session: it is told why and stays away.
   * @returns whether there was one. @throws {PushError}
   */
  kick(target: PushTarget, reason = ''): Promise<boolean> {
    return kickClient(this.gateways.callers, target, reason);
  }

  /** Where a client is, or null where no gateway has a session of it. @throws {PushError} */
  getClient(target: PushTarget): Promise<ClientInfo | null> {
    return getClient(this.gateways.callers, target);
  }

  /** Tells every gateway to send nothing more here; `drain` does so by itself. Never rejects. */
  deregister(): Promise<void> {
    for (const registration of this.registrations) registration.stop();
    const { zone } = this.options;
    this.deregistered = deregister(this.gateways.callers, this.advertised, zone);
    return this.deregistered;
  }

  private async listenAndRegister(): Promise<void> {
    // Stopped before or meanwhile: nobody would close the port, or take this registration back.
    if (this.draining) return;
    this.listening = this.server.start();
    await this.listening;
    if (this.draining) return;
    const { zone, serviceName, onRegistration = () => undefined } = this.options;
    const capabilities = this.servesStreams ? [PROCESS_STREAM] : [];
    if (this.options.dedupe === true) capabilities.push(DEDUPE);
    const registrant = { address: this.advertised, zone, serviceName, capabilities };
    this.registrations = this.gateways.callers.map(
      (gateway) => new Registration(gateway, registrant, this.clock, onRegistration),
    );
    for (const registration of this.registrations) registration.start();
    const ends = await Promise.allSettled(this.registrations.map(({ done }) => done));
    const refusals = ends.filter((end) => end.status === 'rejected');
    if (ends.length > 0 && refusals.length === ends.length) throw refusals[0]?.reason;
  }

  private async finishRequests(): Promise<void> {
    this.draining = true;
    await this.listened();
    await this.deregister();
    this.streams.drain();
    await this.server.drain();
  }

  private async end(): Promise<void> {
    this.draining = true;
    const until = this.clock.now() + STOP_MS;
    this.retries.stop();
    await this.listened();
    await this.leave();
    this.streams.drain();
    await this.server.stop(until - this.clock.now());
    this.gateways.close();
  }

  /** Closed in the middle of it, a server would never say that it listens. */
  private async listened(): Promise<void> {
    await this.listening?.catch(() => undefined);
  }

  /** Deregisters where that has not happened; a gateway that is silent is not waited for. */
  private async leave(): Promise<void> {
    // What never registered has nothing to take back.
    if (this.registrations.length === 0) return;
    const left = this.deregistered ?? this.deregister();
    await new Promise<void>((resolve) => {
      const spare = this.clock.after(DEREGISTER_MS, resolve);
      void left.finally(() => {
        spare();
        resolve();
      });
    });
  }

  private process(bytes: Uint8Array, respond: (response: Uint8Array) => void): void {
    void this.handlers.answer(decodeMessage(UpstreamRequest, bytes)).then(respond);
  }

  private status(): Uint8Array {
    return encodeMessage(StatusResponse, {
      status: this.draining ? 'draining' : 'healthy',
      uptime: Math.floor((this.clock.now() - this.startedAt) / 1_000),
      activeConnections: this.handlers.underWay,
      metadata: { zone: this.options.zone, service: this.options.serviceName },
    });
  }

  private health(): Uint8Array {
    return encodeMessage(HealthCheckResponse, { status: this.draining ? NOT_SERVING : SERVING });
  }
}
