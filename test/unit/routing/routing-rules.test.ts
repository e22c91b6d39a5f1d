import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { inOrderTried } from '../../../src/config/routing/order.js';
import { coverageWarnings } from '../../../src/config/routing/coverage.js';
import type { RoutingRule, RuleCondition } from '../../../src/config/routing/rule.js';
import { RoutingRules } from '../../../src/routing/routing-rules.js';

/** Few letters, so that texts begin alike; two of them, because UTF-16 sorts them the other way round. */
const text = (minLength: number) =>
  fc.string({ unit: fc.constantFrom('a', 'b', '\uff5e', '\u{1f600}'), minLength, maxLength: 4 });

const condition: fc.Arbitrary<RuleCondition> = fc.oneof(
  text(1).map((prefix) => ({ by: 'action_prefix' as const, prefix })),
  text(1).map((prefix) => ({ by: 'openid_prefix' as const, prefix })),
  fc
    .tuple(text(0), fc.option(text(1)))
    .map(([from, to]) => ({ by: 'openid_range' as const, from, to })),
);

const rules: fc.Arbitrary<RoutingRule[]> = fc
  .array(condition, { maxLength: 8 })
  .map((conditions) =>
    conditions.map((condition, at) => ({ number: at + 1, condition, target: `s${at + 1}` })),
  );

const bytes = (word: string): number[] => [...new TextEncoder().encode(word)];

function before(left: string, right: string): boolean {
  const [mine, theirs] = [bytes(left), bytes(right)];
  const at = mine.findIndex((byte, index) => byte !== theirs[index]);
  if (at < 0) return mine.length < theirs.length;
  return at < theirs.length && (mine[at] as number) < (theirs[at] as number);
}

function matches({ condition }: RoutingRule, openid: string, action: string): boolean {
  if (condition.by === 'action_prefix') return action.startsWith(condition.prefix);
  if (condition.by === 'openid_prefix') return openid.startsWith(condition.prefix);
  const { from, to } = condition;
  return !before(openid, from) && (to === null || before(openid, to));
}

/** The promise, word for word: the first as written that matches; of openid prefixes the longest. */
function naive(written: RoutingRule[], openid: string, action: string): RoutingRule | null {
  const all = written.filter((rule) => matches(rule, openid, action));
  const [first] = all;
  if (first?.condition.by !== 'openid_prefix') return first ?? null;
  let longest = first;
  for (const rule of all) {
    const best = longest.condition as { prefix: string };
    if (
      rule.condition.by === 'openid_prefix' &&
      rule.condition.prefix.length > best.prefix.length
    ) {
      longest = rule;
    }
  }
  return longest;
}

function compiled(tried: readonly RoutingRule[], openid: string, action: string): string | null {
  const table = new RoutingRules(tried);
  const place = table.placeOf(openid);
  return table.targetOf(action, place.actionRules) ?? place.home;
}

test('the compiled rules decide as the first match of the written ones, longest openid prefix first', () => {
  fc.assert(
    fc.property(rules, text(0), text(0), (written, openid, action) => {
      const expected = naive(written, openid, action)?.target ?? null;
      expect(compiled(inOrderTried(written), openid, action)).toBe(expected);
    }),
    { numRuns: 2_000 },
  );
});

test('a rule that is said never to match never does', () => {
  fc.assert(
    fc.property(rules, text(0), text(0), (written, openid, action) => {
      const tried = inOrderTried(written);
      const dead = coverageWarnings(tried)
        .map((warning) => /rule (\d+) .*? never matches/.exec(warning)?.[1])
        .filter((number) => number !== undefined)
        .map((number) => `s${number}`);
      expect(dead).not.toContain(compiled(tried, openid, action));
    }),
    { numRuns: 1_000 },
  );
});

test('without rules nothing is looked at', () => {
  expect(new RoutingRules().placeOf('alice')).toEqual({ home: null, actionRules: 0 });
});
