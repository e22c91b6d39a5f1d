import { expect, test } from '@jest/globals';
import { MessageIntake } from '../../../src/grpc/message-intake.js';
import { message } from '../../support/raw-http2-peer.js';

test('what comes in crumbs while reading is paused is kept in few pieces, and told whole', () => {
  const told: string[] = [];
  const ends: boolean[] = [];
  const intake = new MessageIntake({
    maxMessageBytes: 100_000,
    takesCompressed: false,
    onMessage: (bytes) => void told.push(bytes.toString()),
    onUnusable: (_, reason) => void told.push(reason),
    onEnd: (whole) => void ends.push(whole),
  });
  intake.pause();
  const sent = Buffer.concat([message('a'.repeat(20_000)), message(''), message('end')]);
  for (const byte of sent) {
    intake.receive(Buffer.of(byte));
    // Frames without a byte are under no flow control.
    for (let count = 0; count < 10; count++) intake.receive(Buffer.alloc(0));
  }
  intake.end();
  const { held } = intake as unknown as { readonly held: readonly Buffer[] };
  expect(held.length).toBeLessThanOrEqual(20);
  expect(told).toEqual([]);
  intake.resume();
  expect(told).toEqual(['a'.repeat(20_000), '', 'end']);
  expect(ends).toEqual([true]);
});
