import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { JournalImage } from '../../src/journal/journal-image.js';
import { expectSameState } from '../support/journal-comparison.js';
import { SessionWorld, step } from '../support/session-world.js';

const numRuns = Math.ceil(Number(process.env['FUZZ_RUNS'] ?? 2_000) / 20);

function expectSame(image: JournalImage, world: SessionWorld): void {
  world.harness.journal?.flush();
  expectSameState(image.records(), world.harness.service.archive.snapshot());
}

describe.each([
  ['sdk', '', {}],
  ['deployed', '', {}],
  ['sdk', 'with a login', { loginAction: 'echo' }],
  ['deployed', 'with short windows', { resumeWindow: 5_000, offlineTtl: 15_000 }],
  ['sdk', 'with tight limits', { outboxMaxFrames: 6 }],
] as const)('any course of events of a %s client %s', (kind, _, options) => {
  test('is in the journal: reading it gives what the gateway has, and restarts from it lose nothing', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => {
        const image = new JournalImage();
        const world = new SessionWorld(kind, {}, options, image);
        world.app.connect();
        for (const item of steps) world.run(item);
        expectSame(image, world);
        world.finish();
        expectSame(image, world);
        if (world.app.unrecoveredTold || Object.keys(options).length > 0) return;
        expect(world.accepted.filter((text) => !world.app.delivered.has(text))).toEqual([]);
      }),
      { numRuns },
    );
  });
});
