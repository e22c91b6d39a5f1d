import { describe, expect, test } from '@jest/globals';
import { AnsweredRequests } from '../../../../src/sdk/upstream/answered-requests.js';
import { FakeClock } from '../../../support/fake-clock.js';

const bytes = (length: number) => Promise.resolve(new Uint8Array(length));

describe('requests that may be asked again', () => {
  test('a repeat gets the answer of the first time, also while it is worked on', async () => {
    const answers = new AnsweredRequests(new FakeClock());
    let runs = 0;
    let finish: (answer: Uint8Array) => void = () => undefined;
    const work = () => {
      runs++;
      return new Promise<Uint8Array>((resolve) => (finish = resolve));
    };
    const first = answers.once('s 1', work);
    const second = answers.once('s 1', work);
    finish(Buffer.from('done'));
    expect(await first).toBe(await second);
    expect(await answers.once('s 1', work)).toBe(await first);
    expect(runs).toBe(1);
    expect(await answers.once('s 2', () => bytes(3))).toHaveLength(3);
  });

  test('answers are forgotten after ten minutes, or where there are too many bytes', async () => {
    const clock = new FakeClock();
    const answers = new AnsweredRequests(clock, 100);
    let runs = 0;
    const ask = (name: string, length: number) =>
      answers.once(name, () => {
        runs++;
        return bytes(length);
      });
    await ask('s 1', 60);
    await ask('s 2', 60);
    await ask('s 2', 60);
    expect(runs).toBe(2);
    await ask('s 1', 60);
    expect(runs).toBe(3);
    clock.advance(10 * 60_000 + 1);
    await ask('s 1', 60);
    expect(runs).toBe(4);
  });
});
