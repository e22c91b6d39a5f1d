import type { RoutingRule } from '../config/routing/rule.js';
import type { InstanceState } from './instance-health.js';

/** One instance as operators see it in /stats and /health. */
export interface InstanceView {
  readonly address: string;
  readonly serviceName: string;
  readonly capabilities: readonly string[];
  readonly state: InstanceState;
  /** Connect errors, UNAVAILABLE and failed probes since the last sign of life. */
  readonly consecutiveFailures: number;
  readonly inFlight: number;
  /** Requests sent since the instance registered first. */
  readonly requests: number;
  /** Of these, the ones without a usable answer. */
  readonly failures: number;
  /** Empty where there was none. */
  readonly lastError: string;
  /** Moving average over about the last 20 answers, ms; 0 before the first. */
  readonly latencyMs: number;
}

/** One zone or service as operators see it. */
export interface ZoneView {
  readonly zone: string;
  readonly instances: readonly InstanceView[];
}

/** All of routing as operators see it. */
export interface RouterView {
  /** All zones, then the services. */
  readonly zones: readonly ZoneView[];
  /** The configured instance for zones without another. */
  readonly fallback: InstanceView | null;
  /** Requests that await an upstream. */
  readonly concurrent: number;
}

/** The rules that hold now. */
export interface RoutingView {
  /** In the order in which they are tried. */
  readonly rules: readonly RoutingRule[];
  readonly services: readonly string[];
}
