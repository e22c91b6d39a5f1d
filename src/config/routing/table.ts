import { describeCondition, describeTarget } from './rule.js';
import type { RoutingRule } from './rule.js';

/**
 * The resolved routing table as people read it, one line per rule in the order in which they are
 * tried, with the number that each has in the configuration.
 * @param rules in that order, as a Config holds them.
 */
export function routingTable(rules: readonly RoutingRule[]): string[] {
  const last: [string, string] = [
    'any other request',
    'the zone of its openid, 001 to 006 by hash',
  ];
  const rows = rules.map(({ number, condition, target }): [string, string] => [
    describeCondition(condition),
    `${describeTarget(target)} (rule ${number})`,
  ]);
  const all = [...rows, last];
  const width = Math.max(...all.map(([condition]) => condition.length));
  return [
    'routing, the first line that matches decides:',
    ...all.map(([condition, target]) => `  ${condition.padEnd(width)} -> ${target}`),
  ];
}
