import { z } from 'zod';
import { StructuredLeaf } from '../leaf.js';
import { nearest } from '../nearest.js';
import { compareText } from './openid-interval.js';
import type { RoutingRule, RuleCondition } from './rule.js';
import { isZoneTarget } from './rule.js';

/** Every new session and every request of a rule by action may look at all of them. */
const MAX_RULES = 256;
/** As long as an openid may be (WIRE.md); actions are no longer in practice. */
const MAX_TEXT_BYTES = 128;

const KEYS = [
  'action_prefix',
  'openid_prefix',
  'openid_from',
  'openid_to',
  'zone',
  'service',
] as const;

const word = z
  .string('must be a text, in quotes')
  .min(1, 'is empty')
  .refine((value) => Buffer.byteLength(value) <= MAX_TEXT_BYTES, {
    message: `is longer than ${MAX_TEXT_BYTES} bytes`,
  })
  .optional();

const example = '{ action_prefix: "login.", service: login }';

/** One rule as it is written. */
const written = z
  .strictObject(
    {
      action_prefix: word,
      openid_prefix: word,
      openid_from: word,
      openid_to: word,
      zone: word,
      service: word,
    },
    {
      error: (issue) =>
        issue.code === 'invalid_type' ? `is no rule such as ${example}` : undefined,
    },
  )
  .superRefine((rule, context) => {
    const fault = (message: string) => context.addIssue({ code: 'custom', message });
    for (const message of faultsOf(rule)) fault(message);
  });

type WrittenRule = z.infer<typeof written>;

/** What is wrong with a rule whose values are well formed. */
function faultsOf(rule: WrittenRule): string[] {
  const faults: string[] = [];
  const byRange = rule.openid_from !== undefined || rule.openid_to !== undefined;
  const conditions = [
    ...(rule.action_prefix === undefined ? [] : ['action_prefix']),
    ...(rule.openid_prefix === undefined ? [] : ['openid_prefix']),
    ...(byRange ? ['openid_from and openid_to'] : []),
  ];
  if (conditions.length === 0) {
    faults.push(
      'has no condition: give action_prefix, openid_prefix, or openid_from and openid_to',
    );
  } else if (conditions.length > 1) {
    faults.push(`has more than one condition (${conditions.join('; ')}): write a rule for each`);
  }
  if (rule.zone === undefined && rule.service === undefined) {
    faults.push('says not where to: give zone or service');
  } else if (rule.zone !== undefined && rule.service !== undefined) {
    faults.push('names both a zone and a service: give one');
  }
  if (rule.zone !== undefined && !isZoneTarget(rule.zone)) {
    faults.push(`has zone ${JSON.stringify(rule.zone)}, which is none of 001 to 006`);
  }
  const { openid_from: from, openid_to: to } = rule;
  if (from !== undefined && to !== undefined && compareText(from, to) >= 0) {
    faults.push(
      `has an empty range: openid_from ${JSON.stringify(from)} must come before openid_to ${JSON.stringify(to)}`,
    );
  }
  return faults;
}

function conditionOf(rule: WrittenRule): RuleCondition {
  if (rule.action_prefix !== undefined) return { by: 'action_prefix', prefix: rule.action_prefix };
  if (rule.openid_prefix !== undefined) return { by: 'openid_prefix', prefix: rule.openid_prefix };
  return { by: 'openid_range', from: rule.openid_from ?? '', to: rule.openid_to ?? null };
}

/** The key `routing.rules`: a list of maps in YAML, the same as JSON elsewhere. */
export function ruleList(description: string): StructuredLeaf<readonly RoutingRule[]> {
  const schema = z.string().transform((text, context): readonly RoutingRule[] => {
    const fault = (message: string) => context.addIssue({ code: 'custom', message });
    const entries = entriesOf(text);
    if (entries === null) fault(`must be a list of rules such as ${example}`);
    else if (entries.length > MAX_RULES) fault(`has ${entries.length} rules, above ${MAX_RULES}`);
    else {
      const rules = entries.map((entry, at) => parseRule(entry, at + 1, fault));
      if (rules.every((rule) => rule !== null)) return rules;
    }
    return z.NEVER;
  });
  return new StructuredLeaf(
    schema as unknown as z.ZodType<readonly RoutingRule[]>,
    'list of rules',
    '',
    description,
  );
}

function entriesOf(text: string): readonly unknown[] | null {
  if (text === '') return [];
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

function parseRule(
  entry: unknown,
  number: number,
  fault: (message: string) => void,
): RoutingRule | null {
  const parsed = written.safeParse(entry);
  if (parsed.success) {
    const { zone, service } = parsed.data;
    return { number, condition: conditionOf(parsed.data), target: zone ?? service ?? '' };
  }
  for (const issue of parsed.error.issues) {
    const key = issue.path.length === 0 ? '' : `: ${String(issue.path[0])}`;
    if (issue.code !== 'unrecognized_keys') fault(`rule ${number}${key} ${issue.message}`);
    else for (const name of issue.keys) fault(`rule ${number}: ${unknownKey(name)}`);
  }
  return null;
}

function unknownKey(name: string): string {
  const near = nearest(name, KEYS);
  return `unknown key ${name.slice(0, 80)}${near === null ? `; known are ${KEYS.join(', ')}` : `; did you mean ${near}?`}`;
}
