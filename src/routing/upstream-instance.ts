import type { UpstreamClient } from '../upstream/upstream-client.js';
import { DEDUPE } from '../wire/capabilities.js';
import { CallBook } from './call-book.js';
import { InstanceHealth } from './instance-health.js';
import type { UpstreamEntry } from './registration-check.js';
import type { InstanceView } from './router-view.js';
import { seedOfAddress } from './zone.js';

/** Weight of the newest answer in the average latency: about the last 20 answers count. */
const LATENCY_WEIGHT = 0.05;

/** One upstream process: how to call it, how it stands, and what was counted of it. */
export class UpstreamInstance {
  readonly health = new InstanceHealth();
  /** For rendezvous hashing. */
  readonly seed: number;
  /** Calls under way. */
  readonly calls = new CallBook();
  requests = 0;
  failedRequests = 0;
  /** It left the table; routes that still hold it move on. */
  removed = false;
  /** Whether a failed dial was already explained. */
  dialExplained = false;
  private latency = 0;

  constructor(
    public entry: UpstreamEntry,
    readonly client: UpstreamClient,
    /** The configured instance, which serves zones without another and is never ejected. */
    readonly isFallback: boolean,
  ) {
    this.seed = seedOfAddress(entry.address);
  }

  get address(): string {
    return this.entry.address;
  }

  /** It registered that it takes a repeated request for what it is. */
  get dedupes(): boolean {
    return this.entry.capabilities.includes(DEDUPE);
  }

  /** Whether requests may be sent to it. */
  get usable(): boolean {
    return !this.health.ejected && !this.removed;
  }

  noteLatency(ms: number): void {
    this.latency += this.latency === 0 ? ms : (ms - this.latency) * LATENCY_WEIGHT;
  }

  view(): InstanceView {
    const { address, serviceName, capabilities } = this.entry;
    return {
      address,
      serviceName,
      capabilities,
      state: this.health.state,
      consecutiveFailures: this.health.failures,
      inFlight: this.calls.size,
      requests: this.requests,
      failures: this.failedRequests,
      lastError: this.health.lastError,
      latencyMs: this.latency,
    };
  }
}
