/** Which requests a rule is about. */
export type RuleCondition =
  | { readonly by: 'action_prefix'; readonly prefix: string }
  | { readonly by: 'openid_prefix'; readonly prefix: string }
  /** From `from` on, up to but without `to`, in the order of their UTF-8 bytes; null: to the last. */
  | { readonly by: 'openid_range'; readonly from: string; readonly to: string | null };

/** One rule of `routing.rules`. */
export interface RoutingRule {
  /** Its place in the configuration, from 1: what messages call it. */
  readonly number: number;
  readonly condition: RuleCondition;
  /** A zone, `001` to `006`, or a service of `routing.services`. */
  readonly target: string;
}

/** Whether a target is a zone; else it is a service. */
export function isZoneTarget(target: string): boolean {
  return /^00[1-6]$/.test(target);
}

/** `zone 001`, `service login`. */
export function describeTarget(target: string): string {
  return `${isZoneTarget(target) ? 'zone' : 'service'} ${target}`;
}

/** The condition as people read it: `openid vip-*`, `action login.*`, `openid from a, below m`. */
export function describeCondition(condition: RuleCondition): string {
  if (condition.by === 'action_prefix') return `action ${condition.prefix}*`;
  if (condition.by === 'openid_prefix') return `openid ${condition.prefix}*`;
  const { from, to } = condition;
  if (to === null) return `openid from ${from}`;
  return from === '' ? `openid below ${to}` : `openid from ${from}, below ${to}`;
}
