import type { Route, RoutedRequest } from './router.js';
import type { OpenidPlace, RoutingRules } from './routing-rules.js';
import { SessionRoute } from './session-route.js';
import type { RouteContext } from './session-route.js';
import { WaitingLine } from './waiting-line.js';
import { placementOf } from './zone.js';
import type { ZonePool } from './zone-pool.js';

/** Where routes find the rules of the moment and the pools that these name. */
export interface RouteSource {
  readonly context: RouteContext;
  /** Replaced by a reload. */
  readonly rules: RoutingRules;
  pool(target: string): ZonePool;
}

/**
 * The ways of one session's requests: one to the pool that its openid belongs to, its home, and one to
 * each further pool that rules by action send some of them to. Requests are in order on each way; with
 * routing.serialize, on all of them together. New rules hold from the next request on; what was
 * dispatched before ends where it was.
 */
export class RuledRoute implements Route {
  private readonly zoneByHash: string;
  private readonly seed: number;
  /** What all ways share where requests go one at a time, else null. */
  private readonly line: WaitingLine | null;
  private seen: RoutingRules;
  private actionRules: number;
  private home: SessionRoute;
  /** Ways beside the home, most often none. */
  private others: readonly SessionRoute[] | null = null;

  constructor(
    private readonly source: RouteSource,
    private readonly openid: string,
  ) {
    const { zone, seed } = placementOf(openid);
    this.zoneByHash = zone;
    this.seed = seed;
    this.line = source.context.serialize ? new WaitingLine() : null;
    this.seen = source.rules;
    const place = this.seen.placeOf(openid);
    this.actionRules = place.actionRules;
    this.home = this.makeWay(place.home ?? zone);
  }

  get zone(): string {
    if (this.source.rules !== this.seen) this.follow(this.source.rules);
    return this.home.zone;
  }

  dispatch(request: RoutedRequest): void {
    this.wayFor(request.action).dispatch(request);
  }

  dedupes(action: string): boolean {
    return this.wayFor(action).dedupes;
  }

  private wayFor(action: string): SessionRoute {
    if (this.source.rules !== this.seen) this.follow(this.source.rules);
    return this.actionRules === 0 ? this.home : this.wayOf(action);
  }

  private wayOf(action: string): SessionRoute {
    const target = this.seen.targetOf(action, this.actionRules);
    return target === null ? this.home : this.wayTo(target);
  }

  /** A pool has one way at a time: two would not be in order. */
  private wayTo(target: string): SessionRoute {
    if (this.home.zone === target) return this.home;
    const others = this.others ?? [];
    for (const way of others) if (way.zone === target) return way;
    const made = this.makeWay(target);
    this.others = [...others, made];
    return made;
  }

  private makeWay(target: string): SessionRoute {
    const { source } = this;
    return new SessionRoute(source.context, source.pool(target), this.seed, this.line);
  }

  /** Takes over new rules. Ways with requests on them are kept, for later ones must not overtake these. */
  private follow(rules: RoutingRules): void {
    const place: OpenidPlace = rules.placeOf(this.openid);
    const before = this.home;
    this.seen = rules;
    this.actionRules = place.actionRules;
    this.home = this.wayTo(place.home ?? this.zoneByHash);
    const busy = [before, ...(this.others ?? [])].filter((way) => way !== this.home && !way.idle);
    this.others = busy.length === 0 ? null : busy;
  }
}
