import { describe, expect, it } from '@jest/globals';
import { StoryEnds, Transcript } from '../../src/cli/demo/transcript.js';
import { onePersonPerZone, zoneOf, zones } from '../../src/cli/demo/people.js';

function fails(): never {
  throw new Error('it rained');
}

const cold = (): Promise<void> => Promise.reject(new Error('3 C'));

describe('Transcript', () => {
  it('marks what held and what did not, with the reason, and counts both', async () => {
    let text = '';
    const transcript = new Transcript((part) => (text += part), false);
    transcript.chapter('Weather');
    expect(await transcript.claim('the sun shone', () => 'all day')).toBe(true);
    expect(await transcript.claim('it was dry', fails)).toBe(false);
    expect(await transcript.claim('it was warm', cold)).toBe(false);
    transcript.summary(1.25);
    expect(transcript.failed).toBe(2);
    const lines = text.replace(/ \(\d+ ms\)/g, '').split('\n');
    expect(lines).toEqual([
      '',
      '1. Weather',
      '   ✓ the sun shone: all day',
      '   ✗ it was dry',
      '     it rained',
      '   ✗ it was warm',
      '     3 C',
      '',
      'played in 1.3 s',
      '1 passed, 2 failed',
      '',
    ]);
  });

  it('ends the story where a claim fails that the rest needs', async () => {
    const transcript = new Transcript(() => undefined, false);
    await expect(transcript.must('it was dry', fails)).rejects.toThrow(StoryEnds);
    expect(transcript.failed).toBe(1);
  });

  it('colours only where it is told to', async () => {
    let text = '';
    const transcript = new Transcript((part) => (text += part), true);
    await transcript.claim('the sun shone', () => undefined);
    expect(text).toContain('\u001b[32m✓\u001b[0m');
  });

  it('writes nothing once the curtain has fallen', async () => {
    let text = '';
    const transcript = new Transcript((part) => (text += part), false);
    transcript.mute();
    await transcript.claim('the sun shone', () => undefined);
    expect(text).toBe('');
  });
});

describe('the people of the demo', () => {
  it('are one for each zone', () => {
    expect(zones).toEqual(['001', '002', '003', '004', '005', '006']);
    expect(onePersonPerZone().map(zoneOf)).toEqual(zones);
  });
});
