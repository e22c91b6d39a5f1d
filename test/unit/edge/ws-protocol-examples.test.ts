import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { jsonOfPush, requestOfJson } from '../../../src/edge/ws-json.js';

interface Example {
  readonly texts: string[];
  readonly bytes: Buffer;
}

/** Every ```json block of docs/PROTOCOL.md with the ```hex block that follows it. */
function examples(): Example[] {
  const markdown = readFileSync('docs/PROTOCOL.md', 'utf8');
  const [, section = ''] = markdown.split('\n## WebSocket\n');
  const found: Example[] = [];
  let texts: string[] = [];
  for (const [, kind, body = ''] of section.matchAll(/```(json|hex)\n([^`]*)```/g)) {
    if (kind === 'json') texts.push(body.trim());
    else {
      found.push({ texts, bytes: Buffer.from(body.replaceAll(/\s/g, ''), 'hex') });
      texts = [];
    }
  }
  return found;
}

test('the examples of docs/PROTOCOL.md are what the gateway reads and writes', () => {
  const all = examples();
  const isPush = (text: string): boolean => text.includes('"type":"PUSH_');
  expect(all.filter(({ texts }) => texts.every(isPush))).toHaveLength(4);
  expect(all.filter(({ texts }) => !texts.some(isPush))).toHaveLength(5);
  for (const { texts, bytes } of all) {
    expect(texts.length).toBeGreaterThan(0);
    for (const text of texts) {
      if (isPush(text)) expect(jsonOfPush(bytes)).toBe(text);
      else expect(Buffer.from(requestOfJson(text)).toString('hex')).toBe(bytes.toString('hex'));
    }
  }
});
