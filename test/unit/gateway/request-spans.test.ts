import { afterEach, describe, expect, it } from '@jest/globals';
import { SampledSpans } from '../../../src/gateway/request-spans.js';
import type { TracedRequest } from '../../../src/session/trace/tracing.js';
import type { Logger } from '../../../src/telemetry/log.js';
import { Metrics } from '../../../src/telemetry/metrics.js';
import { FakeClock } from '../../support/fake-clock.js';

const OPTIONS = {
  // Nobody listens there.
  endpoint: 'http://127.0.0.1:9/v1/traces',
  serviceName: 'gatesvr',
  version: '0',
  headers: {},
  timeout: 200,
};

const made: SampledSpans[] = [];

afterEach(async () => {
  for (const spans of made.splice(0)) await spans.stop();
});

function sampler(ratio: number, random = 0.5, trusting = true) {
  const lines: string[] = [];
  const note = (_: object, line: string): void => void lines.push(line);
  const log = { warn: note, info: note } as unknown as Logger;
  const metrics = new Metrics();
  const parts = { clock: new FakeClock(), metrics: metrics.tracing, log, random: () => random };
  const spans = new SampledSpans(OPTIONS, ratio, trusting, parts);
  made.push(spans);
  return { spans, lines, metrics: metrics.tracing };
}

function request(headers: Record<string, string> = {}): TracedRequest {
  const numbers = { msgId: 1, clientSeqId: 1, startedAt: 0 };
  return { sessionId: 's', openid: 'ann', action: 'echo', headers, ...numbers };
}

describe('spans of requests', () => {
  it('are made for the share that is sampled, once the SDK is loaded', async () => {
    const { spans } = sampler(0.51);
    expect(spans.begin(request())).toBeNull();
    await spans.start();
    const traced = request({ a: 'b' });
    const trace = spans.begin(traced);
    expect(traced.headers).toEqual({ a: 'b', traceparent: expect.stringMatching(/^00-.+-01$/) });
    trace?.onOutcome({ kind: 'failed', code: 504, reason: 'test' });
    const { spans: fewer } = sampler(0.5);
    await fewer.start();
    const { headers } = request();
    expect(fewer.begin(request(headers))).toBeNull();
    expect(headers).toEqual({});
  });

  it.each([
    ['trusted', true, 0, '01', true],
    ['trusted', true, 1, '00', false],
    ['not trusted', false, 0.5, '01', false],
    ['not trusted', false, 0.51, '01', true],
    ['not trusted', false, 1, '00', false],
  ])(
    'of a client that is %s (%s), ratio %d, flag %s: %s',
    async (_, trusting, ratio, flag, made) => {
      const { spans } = sampler(ratio, 0.5, trusting);
      await spans.start();
      const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-${flag}`;
      const traced = request({ traceparent });
      expect(spans.begin(traced) !== null).toBe(made);
      // What gets no spans is passed on as it came; what does stays in the client's trace.
      if (made) expect(traced.headers['traceparent']).toMatch(/^00-a{32}-(?!b{16})/);
      else expect(traced.headers).toEqual({ traceparent });
    },
  );

  it('ignore a tracestate without a traceparent', async () => {
    const { spans } = sampler(1);
    await spans.start();
    const traced = request({ tracestate: 'a=1', traceparent: 'nonsense' });
    expect(spans.begin(traced)).not.toBeNull();
    expect(traced.headers['traceparent']).toMatch(/^00-/);
  });

  it('say once that they cannot be exported, and once that they can again', () => {
    const { spans, lines } = sampler(1);
    for (const error of [null, 'refused', 'refused', null, null, 'refused']) spans.onExport(error);
    expect(lines).toEqual([
      'spans cannot be exported',
      'spans are exported again',
      'spans cannot be exported',
    ]);
  });

  it('are bounded in number, and counted where they are dropped', async () => {
    const { spans, metrics } = sampler(1);
    await spans.start();
    const requests = 4_000;
    for (let count = 0; count < requests; count++) {
      spans.begin(request())?.onOutcome({ kind: 'failed', code: 503, reason: 'test' });
    }
    const dropped = metrics.dropped.of('queue').value;
    expect(dropped).toBeGreaterThan(2 * requests - 4_096 - 1_024);
    expect(dropped).toBeLessThan(2 * requests - 4_000);
    await spans.stop();
    expect(metrics.exported.value).toBe(0);
  });
});
