import { describe, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeBeat, encodeBeat } from '../../src/replication/beat-codec.js';
import { splitBatch } from '../../src/replication/journal-batches.js';
import { decodePart } from '../../src/replication/parts.js';
import { Receiver } from '../../src/replication/receiver.js';
import { crc32c } from '../../src/journal/crc32c.js';
import { Identity } from '../../src/wire/messages.js';
import { TextJournal } from '../support/replication-nodes.js';
import { expect } from '@jest/globals';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 500);
const bytes = fc.uint8Array({ maxLength: 300 });
const count = fc.maxSafeNat();

describe('what comes on the replication ports', () => {
  it('a heartbeat is read back as it was written', () => {
    const word = fc.record({
      serverId: fc.string({ minLength: 1 }),
      role: fc.constantFrom('starting' as const, 'backup' as const, 'primary' as const),
      wasPrimary: fc.boolean(),
      epoch: count,
      position: count,
      boot: fc.integer({ min: 1 }),
      recovered: fc.boolean(),
      inSync: fc.boolean(),
      sequence: count,
      inSyncBoot: count,
      handingOver: fc.boolean(),
      takeOver: fc.boolean(),
      leaving: fc.boolean(),
      refuses: fc.boolean(),
      timeout: count,
    });
    const report = fc.record({
      sessions: count,
      lagFrames: count,
      healthy: fc.boolean(),
      advertiseAddr: fc.string(),
      prefersPrimary: fc.boolean(),
      syncMode: fc.constantFrom(
        '' as const,
        'async' as const,
        'degrade' as const,
        'refuse' as const,
      ),
      switchesFailed: count,
      switchFailure: fc.string(),
    });
    fc.assert(
      fc.property(word, report, (said, reported) => {
        const identity = new Identity({ serverId: said.serverId });
        const read = decodeBeat(encodeBeat(identity, said, reported));
        expect([read.word, read.report]).toEqual([said, reported]);
      }),
      { numRuns },
    );
  });

  it('any bytes are a heartbeat or an error', () => {
    fc.assert(
      fc.property(bytes, (input) => {
        try {
          decodeBeat(input);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      }),
      { numRuns },
    );
  });

  it('any part with a right checksum is applied whole or not at all', () => {
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 5 }), (parts) => {
        const standby = new TextJournal();
        standby.texts = ['kept'];
        const receiver = new Receiver(
          standby,
          () => false,
          () => undefined,
        );
        for (const part of parts) {
          try {
            receiver.take({ part, checksum: crc32c(part) });
          } catch (error) {
            expect(error).toBeInstanceOf(Error);
          }
        }
        expect(standby.texts).toEqual(['kept']);
        expect(() => decodePart({ part: Uint8Array.of(1, 2, 3), checksum: 1 })).toThrow('checksum');
      }),
      { numRuns },
    );
  });

  it('a batch of any bytes is cut, or refused', () => {
    fc.assert(
      fc.property(
        bytes,
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 200 }),
        (input, n, most, room) => {
          try {
            const parts = splitBatch({ first: 1, count: n, bytes: input }, most, room);
            expect(parts.reduce((sum, part) => sum + part.count, 0)).toBe(n);
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
          }
        },
      ),
      { numRuns },
    );
  });
});
