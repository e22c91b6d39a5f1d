import type { RoutingRule } from '../config/routing/rule.js';

/** What the rules say of one openid, before any action is known. */
export interface OpenidPlace {
  /** The zone or service of its requests that no rule by action takes; null: the zone by hash. */
  readonly home: string | null;
  /** So many rules by action come before that decision. */
  readonly actionRules: number;
}

interface ActionRule {
  readonly prefix: string;
  readonly target: string;
}

interface OpenidRule {
  readonly matches: (openid: string, bytes: Buffer) => boolean;
  readonly target: string;
  readonly actionRules: number;
}

/**
 * The routing rules, made ready for use: what depends on the openid is decided once per session, so
 * that a request only looks at the rules by action, and at nothing where there are none. Never
 * changed; a reload makes new ones, and routes see by identity that theirs are old.
 */
export class RoutingRules {
  readonly services: ReadonlySet<string>;
  private readonly byAction: ActionRule[] = [];
  private readonly byOpenid: OpenidRule[] = [];

  /**
   * @param rules in the order in which they are tried, as a Config holds them.
   * @param services the names that upstreams may register for beside the zones.
   */
  constructor(
    readonly rules: readonly RoutingRule[] = [],
    services: readonly string[] = [],
  ) {
    this.services = new Set(services);
    for (const rule of rules) this.compile(rule);
  }

  /** Where an openid belongs. */
  placeOf(openid: string): OpenidPlace {
    if (this.byOpenid.length > 0) {
      const bytes = Buffer.from(openid, 'utf8');
      for (const rule of this.byOpenid) {
        const { target, actionRules } = rule;
        if (rule.matches(openid, bytes)) return { home: target, actionRules };
      }
    }
    return { home: null, actionRules: this.byAction.length };
  }

  /**
   * Where a request goes that is not at home; null: home.
   * @param actionRules of its openid's place.
   */
  targetOf(action: string, actionRules: number): string | null {
    for (let at = 0; at < actionRules; at++) {
      const rule = this.byAction[at] as ActionRule;
      if (action.startsWith(rule.prefix)) return rule.target;
    }
    return null;
  }

  private compile({ condition, target }: RoutingRule): void {
    const actionRules = this.byAction.length;
    if (condition.by === 'action_prefix') {
      this.byAction.push({ prefix: condition.prefix, target });
    } else if (condition.by === 'openid_prefix') {
      const { prefix } = condition;
      const matches = (openid: string): boolean => openid.startsWith(prefix);
      this.byOpenid.push({ matches, target, actionRules });
    } else {
      const matches = inRange(condition.from, condition.to);
      this.byOpenid.push({ matches, target, actionRules });
    }
  }
}

function inRange(from: string, to: string | null): (openid: string, bytes: Buffer) => boolean {
  const first = Buffer.from(from, 'utf8');
  const end = to === null ? null : Buffer.from(to, 'utf8');
  return (_, bytes) =>
    Buffer.compare(bytes, first) >= 0 && (end === null || Buffer.compare(bytes, end) < 0);
}
