import { BidiOpening } from '../../src/http3/bidi-opening.js';
import type { QuicStream } from '../../src/quic/quic-stream.js';

/** What an opening finds in chunks, each of which arrives by itself; `rest` is what can be read then. */
export function openingOf(
  chunks: readonly Uint8Array[],
  ends = false,
): { kind: string; rest: string } {
  const found = { kind: 'unclear', rest: '' };
  const waiting: Uint8Array[] = [];
  const stream = {
    readEnded: false,
    bind: () => undefined,
    read: () => waiting.shift() ?? null,
    unread: (bytes: Uint8Array) => waiting.unshift(Uint8Array.from(bytes)),
  };
  const end = (kind: string) => {
    if (found.kind === 'unclear') found.kind = kind;
    else throw new Error(`${found.kind}, then ${kind}`);
  };
  const opening = new BidiOpening(stream as unknown as QuicStream, {
    onRequest: () => end('request'),
    onSessionStream: (_, sessionId) => end(`session ${sessionId}`),
    onNothing: () => end('nothing'),
  });
  for (const [index, chunk] of chunks.entries()) {
    waiting.push(chunk);
    stream.readEnded = ends && index === chunks.length - 1;
    if (found.kind === 'unclear') opening.onReadable();
  }
  found.rest = Buffer.concat(waiting).toString('hex');
  return found;
}
