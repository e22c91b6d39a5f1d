import { expect, it } from '@jest/globals';
import { toneOf } from '../../../src/console/tones.js';
import type {
  HelloBody,
  SampleBody,
  SessionDetailBody,
  SessionPageBody,
} from '../../../src/console/bodies.js';
import type { StatsSampler } from '../../../src/ops/stream/stats-sampler.js';
import type { Hello } from '../../../src/ops/stream/stats-stream.js';
import type { sessionDetailBody, statsBody } from '../../../src/ops/stats-body.js';

it('what the console reads is what the gateway writes: the compiler says so', () => {
  const sample = (written: ReturnType<StatsSampler['sample']>): SampleBody => written;
  const hello = (written: Hello): Omit<HelloBody, 'interval_ms'> => written;
  const detail = (written: ReturnType<typeof sessionDetailBody>): SessionDetailBody => written;
  const page = (written: ReturnType<typeof statsBody>): SessionPageBody => written;
  expect([sample, hello, detail, page]).toHaveLength(4);
});

it('knows every state by its tone, and wants a look at one that it does not know', () => {
  expect(['serving', 'ejected', 'detached', 'of tomorrow'].map((state) => toneOf(state))).toEqual([
    'good',
    'bad',
    'calm',
    'warn',
  ]);
});
