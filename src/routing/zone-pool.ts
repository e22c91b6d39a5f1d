import type { UpstreamInstance } from './upstream-instance.js';
import { rendezvousWeight } from './zone.js';

/** Instances of one zone or service. More are a mistake or an attack: every one of them is probed for ever. */
export const MAX_INSTANCES_PER_ZONE = 64;

/** The instances of one zone or service, and which of them an openid goes to. */
export class ZonePool {
  readonly instances: UpstreamInstance[] = [];
  /** Counts every change of who may be chosen; a route that saw this number need not look again. */
  version = 0;

  constructor(
    /** Name of the zone or the service. */
    readonly zone: string,
    /** Serves the zone while it has no instance of its own; null for services. */
    readonly fallback: UpstreamInstance | null,
  ) {}

  get full(): boolean {
    return this.instances.length >= MAX_INSTANCES_PER_ZONE;
  }

  /** Whether all its instances, and there are some, take a repeated request for what it is. */
  get dedupes(): boolean {
    for (const instance of this.instances) if (!instance.dedupes) return false;
    return this.instances.length > 0;
  }

  add(instance: UpstreamInstance): void {
    this.instances.push(instance);
    this.version++;
  }

  remove(instance: UpstreamInstance): void {
    const index = this.instances.indexOf(instance);
    if (index < 0) return;
    this.instances.splice(index, 1);
    this.restoreLast();
    this.version++;
  }

  /**
   * The usable instance with the highest weight for an openid.
   * @param excluded instances not to choose.
   */
  choose(seed: number, excluded: readonly UpstreamInstance[] = []): UpstreamInstance | null {
    if (this.instances.length === 0) {
      const { fallback } = this;
      return fallback !== null && !excluded.includes(fallback) ? fallback : null;
    }
    let best: UpstreamInstance | null = null;
    let bestWeight = -1;
    for (const instance of this.instances) {
      if (!instance.usable || excluded.includes(instance)) continue;
      const weight = rendezvousWeight(seed, instance.seed);
      if (weight > bestWeight) {
        best = instance;
        bestWeight = weight;
      }
    }
    return best;
  }

  /** Ejects what is dead, but never the last usable instance. @returns those ejected now. */
  ejectDead(): UpstreamInstance[] {
    const ejected: UpstreamInstance[] = [];
    let usable = this.instances.filter((instance) => instance.usable).length;
    for (const instance of this.instances) {
      if (usable <= 1) break;
      if (!instance.health.dead || !instance.usable) continue;
      instance.health.ejected = true;
      usable--;
      ejected.push(instance);
    }
    if (ejected.length > 0) this.version++;
    return ejected;
  }

  /** The instance that has been dead for the longest time, or null where none is dead. */
  longestDead(): UpstreamInstance | null {
    let longest: UpstreamInstance | null = null;
    for (const instance of this.instances) {
      if (!instance.health.dead) continue;
      if (longest === null || instance.health.deadSince < longest.health.deadSince) {
        longest = instance;
      }
    }
    return longest;
  }

  /** When the only usable instance leaves, all the ejected ones are worth trying again. */
  private restoreLast(): void {
    if (this.instances.some((instance) => instance.usable)) return;
    for (const instance of this.instances) instance.health.ejected = false;
  }
}
