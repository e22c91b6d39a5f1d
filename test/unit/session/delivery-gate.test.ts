import { describe, expect, test } from '@jest/globals';
import type { JournalWriter } from '../../../src/journal/journal-writer.js';
import type { ThresholdBar, WaitFailure } from '../../../src/journal/threshold.js';
import { SessionHarness } from '../../support/session-harness.js';

const LAG: WaitFailure = { pushError: 'REPLICATION_LAG', reason: 'the standby is late' };

/** A gateway with alice, and a standby that has everything up to here. */
function confirmed() {
  const harness = new SessionHarness({}, undefined, undefined, {}, true);
  const client = harness.started();
  const journal = harness.journal as JournalWriter;
  const standby = journal.deliverable.hold(journal.newest);
  const confirm = (): void => {
    standby.raise(journal.newest);
    harness.settle();
  };
  return { harness, client, journal, standby, confirm };
}

function fail(harness: SessionHarness, standby: ThresholdBar, journal: JournalWriter): void {
  standby.fail(journal.newest, LAG);
  harness.settle();
}

describe('a frame', () => {
  test('goes to its client when the journal has it where it must be, each time anew, in order', () => {
    const { harness, client, journal, confirm } = confirmed();
    harness.pushTexts('alice', 'a', 'b');
    expect(client.texts).toEqual([]);
    // One turn for the session, however many frames wait.
    expect(journal.deliverable.length).toBe(1);
    confirm();
    expect(client.texts).toEqual(['a', 'b']);
    harness.pushTexts('alice', 'c');
    expect(client.texts).toEqual(['a', 'b']);
    confirm();
    expect(client.seqs).toEqual([1, 2, 3]);
  });

  test('is promised: where nobody confirms it, it waits on', () => {
    const { harness, client, journal, standby, confirm } = confirmed();
    harness.pushTexts('alice', 'a');
    fail(harness, standby, journal);
    expect([client.texts, journal.deliverable.length]).toEqual([[], 1]);
    confirm();
    expect(client.texts).toEqual(['a']);
  });

  test('that waits while its client moves to another connection goes there, once', () => {
    const { harness, client, confirm } = confirmed();
    harness.pushTexts('alice', 'a');
    const back = harness.started('alice', { resumeSessionId: client.started.connectionId });
    expect(back.texts).toEqual([]);
    confirm();
    expect([client.texts, back.texts]).toEqual([[], ['a']]);
  });
});

describe('a request', () => {
  test('is dispatched when the journal has it where it must be, with what the client sent', () => {
    const { harness, client, confirm } = confirmed();
    client.business(1).business(2);
    expect(harness.router.seen).toEqual([]);
    confirm();
    expect(harness.router.seen.map(({ data }) => data)).toEqual(['r1', 'r2']);
    confirm();
    expect(harness.router.seen).toHaveLength(2);
  });

  test('is never dispatched where nobody confirms it, and says so', () => {
    const { harness, client, journal, standby, confirm } = confirmed();
    client.business(1);
    fail(harness, standby, journal);
    confirm();
    expect(harness.router.seen).toEqual([]);
    expect(client.sequenced).toMatchObject([{ code: 503, msgId: 101, text: LAG.reason, seq: 1 }]);
    client.business(1);
    expect([harness.router.seen, client.sequenced.length]).toEqual([[], 1]);
  });

  test('whose session ends meanwhile is not dispatched', () => {
    const { harness, client, confirm } = confirmed();
    client.business(1).stop();
    confirm();
    expect(harness.router.seen).toEqual([]);
  });
});
