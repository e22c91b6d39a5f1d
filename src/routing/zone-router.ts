import { parseAddress } from '../base/address.js';
import type { Clock } from '../base/clock.js';
import { Networks } from '../base/networks.js';
import { StartupError } from '../base/errors.js';
import { memoised } from '../base/lifecycle.js';
import { UNHINDERED } from '../base/turn-pace.js';
import type { TurnPace } from '../base/turn-pace.js';
import type { Logger } from '../telemetry/log.js';
import type { UpstreamMetrics } from '../telemetry/upstream-metrics.js';
import type {
  DeregistrationRequest,
  DeregistrationResult,
  DeregistrationSink,
} from '../upstream/deregistration.js';
import type {
  RegistrationRequest,
  RegistrationResult,
  RegistrationSink,
} from '../upstream/registration-sink.js';
import type { CallerFactory } from '../upstream/upstream-client.js';
import { StateRecord } from '../wire/messages.js';
import { DispatchHold } from './dispatch-hold.js';
import { DEFAULT_PROBE_TIMES } from './prober.js';
import type { ProbeTimes } from './prober.js';
import { RegistrationDesk } from './registration-desk.js';
import { isUpstreamEntry, respelled } from './registration-check.js';
import type { UpstreamEntry } from './registration-check.js';
import { RegistrationSafety } from './registration-safety.js';
import type { SettlingJournal } from './registration-safety.js';
import { RegistryFile } from './registry-file.js';
import { RequestGate } from './request-gate.js';
import type { RouterView, RoutingView } from './router-view.js';
import type { Route, Router } from './router.js';
import { RoutingRules } from './routing-rules.js';
import { RuledRoute } from './ruled-route.js';
import type { RouteSource } from './ruled-route.js';
import type { RouteContext } from './session-route.js';
import { UpstreamTable } from './upstream-table.js';
import type { RegistrationJournal } from './upstream-table.js';
import type { ZonePool } from './zone-pool.js';

export interface ZoneRouterOptions {
  /** overload_protection.upstream_timeout: 504 after so many ms. Default 30 s. */
  readonly upstreamTimeoutMs?: number;
  /** overload_protection.max_upstream_concurrent: 503 beyond it. Default: no limit. */
  readonly maxConcurrent?: number;
  /** overload_protection.max_upstream_bytes: 503 beyond it. Default: no limit. */
  readonly maxConcurrentBytes?: number;
  /** overload_protection.upstream_warning_threshold: a warning in the log. Default: none. */
  readonly warnConcurrent?: number;
  /** routing.serialize: one request of a session at a time. Default false. */
  readonly serialize?: boolean;
  /** routing.registry_file: where registrations survive a restart. Default: nowhere. */
  readonly registryFile?: string;
  /** server.upstream_addr: the instance for zones without another. Default: none. */
  readonly fallbackAddress?: string;
  /** grpc.register_allow: networks that upstreams may register from and with. Default: all. */
  readonly registerAllow?: readonly string[];
  /** routing.rules and routing.services. Default: every request goes to the zone of its openid. */
  readonly rules?: RoutingRules;
  readonly probeTimes?: Partial<ProbeTimes>;
  /** Where registrations are written down. Default: nowhere. */
  readonly journal?: (RegistrationJournal & SettlingJournal) | null;
  /** When requests may be dispatched: not by a primary without its lease. Default: always. */
  readonly pace?: TurnPace;
}

const DEFAULT_UPSTREAM_TIMEOUT_MS = 30_000;

/**
 * Routes requests to the upstreams of their zone or service and takes the upstreams' registrations (DESIGN.md,
 * "Upstreams"). `start`, `drain` and `stop` are idempotent.
 */
export class ZoneRouter implements Router, RegistrationSink, DeregistrationSink {
  /** Takes in what the registry file holds and begins to probe. Does not wait for any upstream. */
  readonly start = memoised(() => this.begin());
  /** Admits no request and no registration any more; resolves when every request has its outcome. */
  readonly drain = memoised(() => this.finishRequests());
  /** As drain, but ends the requests under way with 504. */
  readonly stop = memoised(() => this.end());

  private readonly table: UpstreamTable;
  private readonly desk: RegistrationDesk;
  private readonly gate: RequestGate;
  private readonly hold: DispatchHold;
  private readonly file: RegistryFile | null;
  private readonly routes: { readonly context: RouteContext; rules: RoutingRules } & RouteSource;
  private restored = false;

  /** @throws {StartupError} BAD_UPSTREAM_ADDR where the fallback address cannot be dialled, BAD_NETWORK. */
  constructor(
    clock: Clock,
    logger: Logger,
    metrics: UpstreamMetrics,
    makeCaller: CallerFactory,
    options: ZoneRouterOptions = {},
  ) {
    const upstreamTimeout = options.upstreamTimeoutMs ?? DEFAULT_UPSTREAM_TIMEOUT_MS;
    const concurrency = {
      max: options.maxConcurrent ?? Infinity,
      maxBytes: options.maxConcurrentBytes ?? Infinity,
      warnAt: options.warnConcurrent ?? Infinity,
    };
    const probeTimes = { ...DEFAULT_PROBE_TIMES, ...options.probeTimes };
    const fallback = fallbackEntry(options.fallbackAddress ?? '');
    this.gate = new RequestGate(concurrency, logger);
    this.hold = new DispatchHold(options.pace ?? UNHINDERED);
    this.table = new UpstreamTable(clock, logger, metrics, makeCaller, {
      fallback,
      probeTimes,
      journal: options.journal ?? null,
    });
    this.file = this.openFile(options.registryFile ?? '', logger, clock);
    const networks = options.registerAllow ?? [];
    const allowed = networks.length === 0 ? null : new Networks('grpc.register_allow', networks);
    const deskOptions = {
      graceMs: upstreamTimeout,
      conflictProbeMs: probeTimes.timeout,
      allowed,
    };
    const safety = new RegistrationSafety(this.file, options.journal ?? null, clock);
    this.desk = new RegistrationDesk(this.table, logger, metrics, deskOptions, safety);
    const context: RouteContext = {
      clock,
      logger,
      metrics,
      gate: this.gate,
      hold: this.hold,
      upstreamTimeout,
      serialize: options.serialize ?? false,
      onAlive: (instance) => this.table.noteAlive(instance),
      onDead: (instance, reason) => this.table.noteDead(instance, reason),
    };
    this.routes = {
      context,
      rules: new RoutingRules(),
      pool: (target) => this.table.pool(target),
    };
    this.setRules(options.rules ?? new RoutingRules());
    metrics.observe({
      concurrent: () => this.gate.concurrent,
      concurrentBytes: () => this.gate.bytes,
      instanceCount: () => this.table.size,
      ejectedCount: () => this.table.ejectedCount,
      streamCount: () => this.table.streamCount,
    });
  }

  routeFor(openid: string): Route {
    return new RuledRoute(this.routes, openid);
  }

  /** From now on these rules hold, for the next request of every session; what is under way stays. */
  setRules(rules: RoutingRules): void {
    this.desk.offer(rules.services);
    for (const service of rules.services) this.table.pool(service);
    this.routes.rules = rules;
    for (const pool of this.table.pools()) {
      if (pool.instances.length === 0 || this.desk.knowsZone(pool.zone)) continue;
      this.routes.context.logger.warn(
        { service: pool.zone, upstreams: pool.instances.length },
        'routing.services no longer names this service; its upstreams get no requests',
      );
    }
  }

  knowsZone(name: string): boolean {
    return this.desk.knowsZone(name);
  }

  register(request: RegistrationRequest, done: (result: RegistrationResult) => void): void {
    this.desk.register(request, done);
  }

  /** Takes an instance out of the table and the registry file. */
  deregister(request: DeregistrationRequest, done: (result: DeregistrationResult) => void): void {
    this.desk.deregister(request, done);
  }

  /** What operators see; made anew with every call. */
  view(): RouterView {
    return {
      zones: this.shownPools().map((pool) => ({
        zone: pool.zone,
        instances: pool.instances.map((instance) => instance.view()),
      })),
      fallback: this.table.fallback?.view() ?? null,
      concurrent: this.gate.concurrent,
    };
  }

  /** What is registered, for a snapshot. */
  *registrations(): IterableIterator<StateRecord> {
    for (const { entry } of this.table.instances()) {
      const registration = { ...entry, capabilities: [...entry.capabilities] };
      yield new StateRecord({ registration });
    }
  }

  /**
   * Takes over what a journal tells, before `start`: then it is what counts, and the registry file,
   * which may lag behind it, is not read.
   * @returns how many upstreams are back.
   */
  restore(records: Iterable<StateRecord>): number {
    this.restored = true;
    for (const { registration } of records) {
      const { address, zone, serviceName, capabilities, hostFromCaller } = registration ?? {};
      const entry = { address, zone, serviceName, capabilities, hostFromCaller };
      if (isUpstreamEntry(entry)) this.enter([entry]);
    }
    return this.table.size;
  }

  /** Another gateway serves: nobody is registered here any more, and calls under way fail. */
  standDown(): void {
    this.gate.standDown();
    this.table.stopProbing();
    this.hold.release();
    this.table.clear();
    // It stays, and must not go on with the lines of sessions that are no more.
    this.table.fallback?.calls.cancelAll();
  }

  /** Serves again what `restore` brings. */
  resume(): void {
    this.gate.resume();
    this.restored = true;
    this.table.startProbing();
  }

  private enter(entries: readonly UpstreamEntry[]): void {
    for (const entry of entries.map(respelled)) {
      // An upstream may have registered meanwhile; it knows better.
      if (this.table.find(entry.address) === null && !this.table.pool(entry.zone).full) {
        this.table.add(entry);
      }
    }
  }

  /** Whether a restart would forget registrations, for the disk did not take them. */
  get registryBehind(): boolean {
    return this.file?.behind === true;
  }

  /** The rules that hold now. */
  rulesView(): RoutingView {
    const { rules, services } = this.routes.rules;
    return { rules, services: [...services] };
  }

  /** Zones, services, and what is left of services that the configuration names no more. */
  private shownPools(): ZonePool[] {
    return this.table
      .pools()
      .filter((pool) => this.desk.knowsZone(pool.zone) || pool.instances.length > 0);
  }

  private openFile(path: string, logger: Logger, clock: Clock): RegistryFile | null {
    if (path === '') return null;
    const entries = (): UpstreamEntry[] => this.table.instances().map(({ entry }) => entry);
    return new RegistryFile(path, logger, clock, entries);
  }

  private async begin(): Promise<void> {
    const entries = this.file === null || this.restored ? [] : await this.file.load();
    this.enter(entries);
    if (entries.length > 0) {
      this.routes.context.logger.info(
        { count: entries.length },
        'upstreams restored from registry file',
      );
    }
    this.table.startProbing();
  }

  private async finishRequests(): Promise<void> {
    this.gate.close();
    this.desk.close();
    await this.gate.idle();
  }

  private async end(): Promise<void> {
    this.gate.cancel();
    this.hold.release();
    this.table.stopProbing();
    this.table.cancelCalls();
    await this.drain();
    this.table.close();
    await this.file?.stop();
  }
}

function fallbackEntry(text: string): UpstreamEntry | null {
  if (text === '') return null;
  const parsed = parseAddress(text);
  if (parsed === null || parsed.port === 0) {
    const advice = 'write host:port, or :port for this machine';
    throw new StartupError('BAD_UPSTREAM_ADDR', `server.upstream_addr "${text}": ${advice}`);
  }
  const address = parsed.host === '' ? `127.0.0.1:${parsed.port}` : text;
  // The zone is never looked at: a fallback is in no pool.
  return { address, zone: '001', serviceName: '', capabilities: [], hostFromCaller: false };
}
