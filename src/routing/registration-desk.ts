import { parseAddress } from '../base/address.js';
import type { Networks } from '../base/networks.js';
import type { WaitFailure } from '../journal/threshold.js';
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
import {
  UNKNOWN_ZONE,
  checkRegistration,
  hostOfPeer,
  refuse,
  resolveAddress,
} from './registration-check.js';
import type { UpstreamEntry } from './registration-check.js';
import type { RegistrationSafety } from './registration-safety.js';
import type { UpstreamInstance } from './upstream-instance.js';
import type { UpstreamTable } from './upstream-table.js';
import { describePool, isZone } from './zone.js';
import { MAX_INSTANCES_PER_ZONE } from './zone-pool.js';

export interface DeskOptions {
  /** How long calls under way at an instance that leaves may still take, ms. */
  readonly graceMs: number;
  /** How long a registered process may take to prove that it still lives, ms. */
  readonly conflictProbeMs: number;
  /** Where upstreams may be and call from; null is everywhere. */
  readonly allowed: Networks | null;
}

/**
 * Decides on registrations (DESIGN.md, "Upstreams"). The same address and zone again is a success,
 * for a restarted upstream does just that; an address moves to another zone once its old entry is
 * dead; where a zone is full the longest dead instance leaves.
 */
export class RegistrationDesk implements RegistrationSink, DeregistrationSink {
  private closed = false;
  private services: ReadonlySet<string> = new Set();

  /** @param safety keeps the table's entries over a restart or a failover, and tells when they are kept. */
  constructor(
    private readonly table: UpstreamTable,
    private readonly logger: Logger,
    private readonly metrics: UpstreamMetrics,
    private readonly options: DeskOptions,
    private readonly safety: RegistrationSafety,
  ) {}

  register(request: RegistrationRequest, done: (result: RegistrationResult) => void): void {
    const answer = (result: RegistrationResult): void => {
      this.metrics.registrations.add(result.success ? 'accepted' : result.errorCode);
      done(result);
    };
    if (this.closed) {
      answer(refuse('SHUTTING_DOWN', 'the gateway is stopping'));
      return;
    }
    const checked = checkRegistration(request, (name) => this.knowsZone(name));
    if ('refusal' in checked) answer(checked.refusal);
    else if (!this.allows(request.peer, checked.entry.address)) {
      this.logger.warn(
        { address: checked.entry.address, peer: request.peer },
        'registration refused: outside grpc.register_allow',
      );
      answer(refuse('NOT_ALLOWED', 'the caller or its address is in no network that may register'));
    } else this.admit(checked.entry, answer);
  }

  /** Which services upstreams may register for, beside the zones; those that are in the table stay. */
  offer(services: ReadonlySet<string>): void {
    this.services = services;
  }

  /** Whether upstreams may register for a zone or a service of that name. */
  knowsZone(name: string): boolean {
    return isZone(name) || this.services.has(name);
  }

  private allows(peer: string, address: string): boolean {
    const { allowed } = this.options;
    if (allowed === null) return true;
    // A name could mean any address by the time it is dialled.
    const host = parseAddress(address)?.host ?? '';
    return allowed.includes(hostOfPeer(peer) ?? '') && allowed.includes(host);
  }

  /** Takes an instance out; requests under way at it are still answered within the grace time. */
  deregister(request: DeregistrationRequest, done: (result: DeregistrationResult) => void): void {
    const result = this.takeOut(request);
    // Whoever asks again, for the first time was not known to be safe, is told once it is.
    if (!result.success && result.errorCode !== 'NOT_REGISTERED') return done(result);
    this.safety.whenSafe((failure) => done(failure === null ? result : unsafe(failure)));
  }

  private takeOut({ address, zoneId, peer }: DeregistrationRequest): DeregistrationResult {
    const refused = (errorCode: DeregistrationResult['errorCode'], message: string) => ({
      success: false,
      message,
      errorCode,
    });
    const found = resolveAddress(address, peer);
    // Instances of a service that the configuration names no more may leave like any other.
    const pooled = this.table.pools().some((pool) => pool.zone === zoneId);
    if (!pooled) return refused('INVALID_ZONE_ID', UNKNOWN_ZONE);
    if ('reason' in found) return refused('INVALID_ADDRESS', found.reason);
    if (!this.allows(peer, found.address)) {
      return refused('NOT_ALLOWED', 'the caller is in no network that may register');
    }
    const instance = this.table.find(found.address);
    if (instance === null || instance.entry.zone !== zoneId) {
      return refused(
        'NOT_REGISTERED',
        `${found.address} is not registered for ${describePool(zoneId)}`,
      );
    }
    this.remove(instance, 'it deregistered');
    return {
      success: true,
      message: `${found.address} left ${describePool(zoneId)}`,
      errorCode: '',
    };
  }

  /** Refuses every later registration. */
  close(): void {
    this.closed = true;
  }

  private admit(entry: UpstreamEntry, answer: (result: RegistrationResult) => void): void {
    const known = this.table.find(entry.address);
    if (known === null) this.conclude(this.enter(entry), answer);
    else if (known.entry.zone === entry.zone) this.conclude(this.renew(known, entry), answer);
    else if (known.health.dead) this.conclude(this.move(known, entry), answer);
    else this.settleConflict(known, entry, answer);
  }

  /** Answers once the entries are kept, for it registers only once in its life. */
  private conclude(result: RegistrationResult, answer: (result: RegistrationResult) => void): void {
    this.safety.whenSafe((failure) => answer(failure === null ? result : unsafe(failure)));
  }

  /**
   * Nothing says yet that the process of the old entry is gone, but an upstream registers before it
   * listens: if nobody listens there now, the old process is dead and this is its successor.
   */
  private settleConflict(
    known: UpstreamInstance,
    entry: UpstreamEntry,
    answer: (result: RegistrationResult) => void,
  ): void {
    known.client.probe(this.options.conflictProbeMs, (result) => {
      const current = this.table.find(entry.address);
      if (current !== known) answer(refuse('REGISTER_FAILED', 'another registration came between'));
      else if (!result.alive) this.conclude(this.move(known, entry), answer);
      else {
        const zone = known.entry.zone;
        answer(
          refuse('ADDRESS_TAKEN', `${entry.address} is a live instance of ${describePool(zone)}`),
        );
      }
    });
  }

  private enter(entry: UpstreamEntry): RegistrationResult {
    const pool = this.table.pool(entry.zone);
    if (pool.full) {
      const dead = pool.longestDead();
      if (dead === null) {
        const message = `${describePool(entry.zone)} has ${MAX_INSTANCES_PER_ZONE} live instances`;
        return refuse('ZONE_FULL', message);
      }
      this.remove(dead, `${describePool(entry.zone)} is full and it was dead for the longest time`);
    }
    this.table.add(entry);
    this.logger.info(describe(entry), 'upstream registered');
    return accept(`registered ${entry.address} for ${describePool(entry.zone)}`);
  }

  private renew(known: UpstreamInstance, entry: UpstreamEntry): RegistrationResult {
    this.table.renew(known, entry);
    this.logger.info(describe(entry), 'upstream registered again');
    return accept(`${entry.address} was registered for ${describePool(entry.zone)} already`);
  }

  private move(known: UpstreamInstance, entry: UpstreamEntry): RegistrationResult {
    this.remove(known, `its address registered for ${describePool(entry.zone)}`);
    return this.enter(entry);
  }

  private remove(instance: UpstreamInstance, reason: string): void {
    this.table.remove(instance, this.options.graceMs);
    this.logger.info({ ...describe(instance.entry), reason }, 'upstream removed');
  }
}

function accept(message: string): RegistrationResult {
  return { success: true, message, errorCode: '' };
}

/** The change was made and holds here; whether it survives this process is not known. */
function unsafe({ pushError, reason }: WaitFailure): RegistrationResult & DeregistrationResult {
  return {
    success: false,
    message: `it was done, but: ${reason}; ask again`,
    errorCode: pushError,
  };
}

function describe(entry: UpstreamEntry): { address: string; zone: string; service: string } {
  return { address: entry.address, zone: entry.zone, service: entry.serviceName };
}
