import type { RoutingRule } from './rule.js';

/**
 * The rules in the order in which they are tried: as written, but a longer openid_prefix comes before
 * the first one that covers it. So the first rule that matches decides, and of openid prefixes the
 * longest, wherever it stands.
 */
export function inOrderTried(rules: readonly RoutingRule[]): RoutingRule[] {
  const tried = new Set<RoutingRule>();
  for (const rule of rules) {
    for (const longer of longerPrefixes(rule, rules)) tried.add(longer);
    tried.add(rule);
  }
  return [...tried];
}

/** The rules of longer openid prefixes that a rule covers, longest first. */
function longerPrefixes(rule: RoutingRule, rules: readonly RoutingRule[]): RoutingRule[] {
  const shorter = prefixOf(rule);
  if (shorter === null) return [];
  return rules
    .filter((other) => {
      const prefix = prefixOf(other);
      return prefix !== null && prefix.length > shorter.length && prefix.startsWith(shorter);
    })
    .sort((one, other) => (prefixOf(other)?.length ?? 0) - (prefixOf(one)?.length ?? 0));
}

function prefixOf({ condition }: RoutingRule): string | null {
  return condition.by === 'openid_prefix' ? condition.prefix : null;
}
