import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  formatTraceparent,
  parseTraceparent,
} from '../../../../src/telemetry/tracing/traceparent.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('a traceparent', () => {
  it.each([
    [`00-${TRACE}-${SPAN}-01`, true],
    [`00-${TRACE}-${SPAN}-00`, false],
    [`00-${TRACE}-${SPAN}-03`, true],
    [`00-${TRACE}-${SPAN}-02`, false],
    [`cc-${TRACE}-${SPAN}-01-what-later-versions-say`, true],
  ])('%s is understood', (text, sampled) => {
    expect(parseTraceparent(text)).toEqual({ traceId: TRACE, spanId: SPAN, sampled });
  });

  it.each([
    '',
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    ` 00-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01\n`,
    `cc-${TRACE}-${SPAN}-01-${'x'.repeat(1_000)}`,
  ])('%j is none', (text) => {
    expect(parseTraceparent(text)).toBeNull();
  });

  it('is the same written and read', () => {
    const hex = (length: number) =>
      fc
        .string({
          unit: fc.constantFrom(...'0123456789abcdef'),
          minLength: length,
          maxLength: length,
        })
        .filter((text) => !/^0+$/.test(text));
    const parents = fc.record({ traceId: hex(32), spanId: hex(16), sampled: fc.boolean() });
    fc.assert(
      fc.property(parents, (parent) => {
        expect(parseTraceparent(formatTraceparent(parent))).toEqual(parent);
      }),
    );
  });

  it('is found in no text that is none, and never throws', () => {
    const near = fc.string({ unit: fc.constantFrom(...'0123456789abcdefABF-g \n'), maxLength: 70 });
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), near), (text) => {
        const parent = parseTraceparent(text);
        if (parent === null) return;
        expect(text).toContain(`-${parent.traceId}-${parent.spanId}-`);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('OpenTelemetry', () => {
  it('is loaded by nothing but the dynamic import of a configured endpoint', () => {
    const files = readdirSync('src', { recursive: true, encoding: 'utf8' });
    const code = files.filter((name) => name.endsWith('.ts') && !name.includes('generated'));
    const users = code.filter((name) => {
      const text = readFileSync(join('src', name), 'utf8');
      return /from '@opentelemetry|^import .*otlp-spans/m.test(text);
    });
    expect(users).toEqual([join('telemetry', 'tracing', 'otlp-spans.ts')]);
  });
});
