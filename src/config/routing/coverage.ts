import { contains, coveredBy, intervalOf, overlap } from './openid-interval.js';
import { describeCondition, describeTarget } from './rule.js';
import type { RoutingRule } from './rule.js';

/**
 * What is probably not meant, one line each: rules that never match because others come first, and
 * ranges that overlap in part.
 * @param rules in the order in which they are tried.
 */
export function coverageWarnings(rules: readonly RoutingRule[]): string[] {
  return rules.flatMap((rule, at) => {
    const earlier = rules.slice(0, at);
    const cover = coverOf(rule, earlier);
    if (cover.length > 0) {
      const names = cover.map(nameOf).join(' and ');
      const reason = cover.length === 1 ? 'covers it and comes first' : 'cover it and come first';
      return [`routing.rules: ${nameOf(rule)} never matches, for ${names} ${reason}`];
    }
    return earlier
      .filter((other) => overlapsInPart(rule, other))
      .map(
        (other) =>
          `routing.rules: ${nameOf(rule)} and ${nameOf(other)} overlap: openids of both go to ${describeTarget(other.target)}`,
      );
  });
}

/** The earlier rules that leave nothing for a rule; empty where something is left. */
function coverOf(rule: RoutingRule, earlier: readonly RoutingRule[]): RoutingRule[] {
  const { condition } = rule;
  if (condition.by === 'action_prefix') {
    const sooner = earlier.find(
      (other) =>
        other.condition.by === 'action_prefix' &&
        condition.prefix.startsWith(other.condition.prefix),
    );
    if (sooner !== undefined) return [sooner];
  }
  const interval = intervalOf(condition);
  const byOpenid = earlier.filter(
    (other) =>
      other.condition.by !== 'action_prefix' && overlap(intervalOf(other.condition), interval),
  );
  const whole = byOpenid.find((other) => contains(intervalOf(other.condition), interval));
  if (whole !== undefined) return [whole];
  const together = byOpenid.map((other) => intervalOf(other.condition));
  return coveredBy(interval, together) ? byOpenid : [];
}

/** An exception before the rule that it is an exception from is meant; a part in both is a slip. */
function overlapsInPart(rule: RoutingRule, other: RoutingRule): boolean {
  if (rule.condition.by === 'action_prefix' || other.condition.by === 'action_prefix') return false;
  const [mine, theirs] = [intervalOf(rule.condition), intervalOf(other.condition)];
  return overlap(mine, theirs) && !contains(mine, theirs);
}

function nameOf({ number, condition }: RoutingRule): string {
  return `rule ${number} (${describeCondition(condition)})`;
}
