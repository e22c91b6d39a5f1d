import type { Clock } from '../base/clock.js';
import type { Logger } from '../telemetry/log.js';
import type { UpstreamMetrics } from '../telemetry/upstream-metrics.js';
import { UpstreamClient } from '../upstream/upstream-client.js';
import type { CallerFactory } from '../upstream/upstream-client.js';
import { PROCESS_STREAM } from '../wire/capabilities.js';
import { Prober } from './prober.js';
import type { ProbeTimes } from './prober.js';
import type { UpstreamEntry } from './registration-check.js';
import { UpstreamInstance } from './upstream-instance.js';
import { ZONES } from './zone.js';
import { ZonePool } from './zone-pool.js';

export interface TableOptions {
  /** The configured instance for zones without another; null where there is none. */
  readonly fallback: UpstreamEntry | null;
  readonly probeTimes: ProbeTimes;
  /** Where registrations are written down; null: nowhere. */
  readonly journal: RegistrationJournal | null;
}

/** The part of the journal that hears of registrations. */
export interface RegistrationJournal {
  registered(entry: UpstreamEntry): void;
  deregistered(address: string): void;
}

/**
 * The table of registered upstreams: who is in it, who is alive. It knows nothing of the rules by
 * which one may come in (RegistrationDesk).
 */
export class UpstreamTable {
  /** By the name of the zone or the service; zones come first. */
  private readonly poolsByName = new Map<string, ZonePool>();
  readonly fallback: UpstreamInstance | null;
  private readonly byAddress = new Map<string, UpstreamInstance>();
  private readonly probers = new Map<UpstreamInstance, Prober>();
  /** Out of the table, but with calls under way. */
  private readonly leaving = new Set<UpstreamInstance>();
  private probing = false;

  constructor(
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly metrics: UpstreamMetrics,
    private readonly makeCaller: CallerFactory,
    private readonly options: TableOptions,
  ) {
    this.fallback = options.fallback === null ? null : this.create(options.fallback, true);
    for (const zone of ZONES) this.poolsByName.set(zone, new ZonePool(zone, this.fallback));
  }

  get size(): number {
    return this.byAddress.size;
  }

  get ejectedCount(): number {
    return this.instances().filter((instance) => instance.health.ejected).length;
  }

  get streamCount(): number {
    return this.all().reduce((sum, { client }) => sum + client.openStreams, 0);
  }

  instances(): UpstreamInstance[] {
    return [...this.byAddress.values()];
  }

  find(address: string): UpstreamInstance | null {
    return this.byAddress.get(address) ?? null;
  }

  pools(): ZonePool[] {
    return [...this.poolsByName.values()];
  }

  /** The pool of a zone or of a service; that of a service is made when it is named first. */
  pool(name: string): ZonePool {
    let pool = this.poolsByName.get(name);
    if (pool === undefined) {
      // What serves any zone cannot be expected to serve what was taken out of the zones.
      pool = new ZonePool(name, null);
      this.poolsByName.set(name, pool);
    }
    return pool;
  }

  add(entry: UpstreamEntry): void {
    const instance = this.create(entry, false);
    this.byAddress.set(entry.address, instance);
    this.pool(entry.zone).add(instance);
    this.options.journal?.registered(entry);
    if (this.probing) this.probers.get(instance)?.start();
  }

  /** The process behind a known entry registered again: what was known of it is void. */
  renew(instance: UpstreamInstance, entry: UpstreamEntry): void {
    instance.entry = entry;
    instance.health.reset();
    instance.client.forget();
    this.options.journal?.registered(entry);
    instance.client.useStream(servesStreams(entry));
    this.pool(entry.zone).version++;
    if (this.probing) this.probers.get(instance)?.start();
  }

  /** @param graceMs how long calls under way may still take. */
  remove(instance: UpstreamInstance, graceMs: number): void {
    this.byAddress.delete(instance.address);
    this.options.journal?.deregistered(instance.address);
    this.retire(instance);
    if (instance.calls.size === 0) {
      instance.client.close();
      return;
    }
    this.leaving.add(instance);
    this.clock.after(graceMs, () => {
      this.leaving.delete(instance);
      instance.client.close();
    });
  }

  /** Forgets every instance, unwritten: another gateway has the table now. Calls under way fail. */
  clear(): void {
    for (const instance of this.byAddress.values()) {
      this.retire(instance);
      instance.client.close();
    }
    this.byAddress.clear();
  }

  /** It gets no new request, and is probed no more. */
  private retire(instance: UpstreamInstance): void {
    this.pool(instance.entry.zone).remove(instance);
    instance.removed = true;
    this.probers.get(instance)?.stop();
    this.probers.delete(instance);
  }

  startProbing(): void {
    if (this.probing) return;
    this.probing = true;
    for (const prober of this.probers.values()) prober.start();
  }

  stopProbing(): void {
    this.probing = false;
    for (const prober of this.probers.values()) prober.stop();
  }

  cancelCalls(): void {
    for (const instance of this.all()) instance.calls.cancelAll();
  }

  close(): void {
    for (const instance of this.all()) instance.client.close();
  }

  /** An instance gave a sign of life. */
  noteAlive(instance: UpstreamInstance): void {
    const wasEjected = instance.health.ejected;
    if (!instance.health.noteAlive(this.clock.now())) return;
    if (wasEjected) this.logger.info(this.describe(instance), 'upstream recovered');
    this.changed(instance);
  }

  /** A request could not be sent to an instance, or was answered with UNAVAILABLE. */
  noteDead(instance: UpstreamInstance, reason: string): void {
    this.explainDial(instance);
    this.noteFailure(instance, reason, instance.client.outage);
    this.probers.get(instance)?.hasten();
  }

  private noteFailure(instance: UpstreamInstance, reason: string, outage = 0): void {
    instance.health.noteFailure(this.clock.now(), reason, outage);
    if (instance.health.dead) this.ejectDead(instance);
  }

  private changed(instance: UpstreamInstance): void {
    if (instance.isFallback || instance.removed) return;
    this.pool(instance.entry.zone).version++;
    this.ejectDead(instance);
  }

  private ejectDead(instance: UpstreamInstance): void {
    if (instance.isFallback || instance.removed) return;
    for (const ejected of this.pool(instance.entry.zone).ejectDead()) {
      this.metrics.ejections.add();
      this.logger.warn(
        { ...this.describe(ejected), reason: ejected.health.lastError },
        'upstream ejected: it does not answer',
      );
    }
  }

  private create(entry: UpstreamEntry, isFallback: boolean): UpstreamInstance {
    const caller = this.makeCaller(entry.address);
    const client = new UpstreamClient(caller, entry.serviceName, this.clock, {
      onRefused: (reason) => this.explainRefusal(instance, reason),
      onStray: () => this.metrics.strayAnswers.add(),
    });
    client.useStream(servesStreams(entry));
    const instance = new UpstreamInstance(entry, client, isFallback);
    const prober = new Prober(instance, this.clock, this.options.probeTimes, (failure) =>
      this.onProbe(instance, failure),
    );
    this.probers.set(instance, prober);
    return instance;
  }

  private onProbe(instance: UpstreamInstance, failure: string | null): void {
    if (failure === null) {
      this.noteAlive(instance);
      return;
    }
    this.explainDial(instance);
    this.noteFailure(instance, failure);
  }

  /** Once per instance: behind NAT the host that an upstream calls from is not its own. */
  private explainDial(instance: UpstreamInstance): void {
    if (!instance.entry.hostFromCaller || instance.dialExplained) return;
    if (instance.health.lastAlive !== -Infinity) return;
    instance.dialExplained = true;
    this.logger.warn(
      this.describe(instance),
      'upstream cannot be dialled at the host it registered from; if it is behind NAT or a proxy, let it register a full address',
    );
  }

  private explainRefusal(instance: UpstreamInstance, reason: string): void {
    this.logger.warn(
      { ...this.describe(instance), reason },
      'upstream registered with process_stream but does not serve ProcessStream; it is called with ProcessRequest',
    );
  }

  private describe(instance: UpstreamInstance): { address: string; zone: string } {
    return {
      address: instance.address,
      zone: instance.isFallback ? 'any' : instance.entry.zone,
    };
  }

  private all(): UpstreamInstance[] {
    const all = [...this.instances(), ...this.leaving];
    if (this.fallback !== null) all.push(this.fallback);
    return all;
  }
}

function servesStreams({ capabilities }: UpstreamEntry): boolean {
  return capabilities.includes(PROCESS_STREAM);
}
