import { describe, expect, test } from '@jest/globals';
import { PushOrder } from '../../../src/bench/load/failover-player.js';
import type { AskEnd, FailoverPlayer } from '../../../src/bench/load/failover-player.js';
import { RequestStream } from '../../../src/bench/load/request-stream.js';
import { textTable } from '../../../src/bench/report/text-table.js';

describe('the order of pushes', () => {
  test('tells what came twice and what came where another was due', () => {
    const order = new PushOrder();
    for (const text of ['1', '2', '2', '1', '3', '5', '6']) order.note(text);
    expect([order.last, order.repeated, order.outOfOrder]).toEqual([6, 2, 1]);
  });
});

/** Answers as it is told, at once. */
function player(ends: AskEnd[], asked: string[] = []): FailoverPlayer {
  return {
    openid: 'ann',
    startedAt: 1,
    sessionId: 's',
    pushes: new PushOrder(),
    faults: [],
    connect: () => Promise.resolve(),
    ask: (data) => {
      asked.push(data);
      return Promise.resolve(ends.shift() ?? 'answered');
    },
    leave: () => undefined,
  };
}

describe('the requests of a failover', () => {
  test('count by their end; what was not answered is asked again, and the wait lasts until then', async () => {
    const requests = new RequestStream([player(['answered', 'unknown', 'refused'])], 50);
    await requests.greet();
    requests.noteKill(performance.now() - 1);
    requests.begin();
    while (requests.waits.count === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await requests.end();
    expect([requests.unknown, requests.refused]).toEqual([1, 1]);
    expect(requests.answered).toBeGreaterThanOrEqual(2);
    // Two pauses before an app asks again.
    expect(requests.waits.percentile(100)).toBeGreaterThan(390);
    expect(requests.waits.count).toBe(1);
  });

  test('do not begin where somebody is not answered at first', async () => {
    const requests = new RequestStream([player(['unknown'])], 50);
    await expect(requests.greet()).rejects.toThrow('ann is not answered: unknown');
  });
});

describe('rows as a table', () => {
  test('has a column for each figure, and a dash where a row lacks it', () => {
    const rows = [
      { contestant: 'off', case: 'half', p99: 1.23456, perSecond: 12345.6 },
      { contestant: 'sync', case: 'half', p99: 20, lag: 3 },
    ];
    expect(textTable(rows)).toEqual([
      'contestant  case   p99  perSecond  lag',
      'off         half  1.23     12,346    -',
      'sync        half    20          -    3',
    ]);
  });
});
