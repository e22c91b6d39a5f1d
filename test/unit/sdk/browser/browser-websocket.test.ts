import { describe, expect, test } from '@jest/globals';
import type { LinkClosed, LinkObserver } from '../../../../src/link/link.js';
import { LINK_BUFFER_BYTES } from '../../../../src/link/link.js';
import type { PlatformWebSocket } from '../../../../src/sdk/browser/platform.js';
import { WebSocketLink } from '../../../../src/sdk/browser/web-socket-link.js';
import { WebSocketTransport } from '../../../../src/sdk/browser/web-socket.js';
import { MAX_FRAME_BYTES } from '../../../../src/wire/limits.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { turns } from '../../../support/fake-gateway.js';

/** A browser's WebSocket of which the test is the network. */
class FakeSocket implements PlatformWebSocket {
  static readonly made: FakeSocket[] = [];
  binaryType = 'blob';
  readyState = 0;
  bufferedAmount = 0;
  onopen: PlatformWebSocket['onopen'] = null;
  onmessage: PlatformWebSocket['onmessage'] = null;
  onclose: PlatformWebSocket['onclose'] = null;
  onerror: PlatformWebSocket['onerror'] = null;
  readonly sent: Uint8Array[] = [];
  closed: unknown[] | null = null;

  constructor(
    readonly url = '',
    readonly protocols: string[] = [],
  ) {
    FakeSocket.made.push(this);
  }

  send(data: Uint8Array): void {
    this.sent.push(data);
  }

  close(...given: unknown[]): void {
    this.closed ??= given;
  }

  come(...bytes: number[]): void {
    this.onmessage?.({ data: Uint8Array.from(bytes).buffer });
  }
}

function linked() {
  const clock = new FakeClock();
  const socket = new FakeSocket();
  socket.readyState = 1;
  const link = new WebSocketLink(socket, 'gw:1', clock);
  const frames: number[][] = [];
  const bad: number[] = [];
  const closed: LinkClosed[] = [];
  let writable = 0;
  const observer: LinkObserver = {
    onFrame: (frame) => frames.push([...frame]),
    onBadFrame: (code) => bad.push(code),
    onWritable: () => writable++,
    onClosed: (end) => closed.push(end),
  };
  return { clock, socket, link, observer, frames, bad, closed, writable: () => writable };
}

const frame = (...body: number[]) => Uint8Array.from([0, 0, 0, body.length, ...body]);

describe('a Link over the WebSocket of a browser', () => {
  test('sends frames without their prefix and delivers what came before it was bound', async () => {
    const { socket, link, observer, frames } = linked();
    expect(link.send(frame(1, 2))).toBe('ok');
    expect([...(socket.sent[0] ?? [])]).toEqual([1, 2]);
    socket.come(7);
    link.bind(observer);
    expect(frames).toEqual([]);
    await turns();
    socket.come(8);
    expect(frames).toEqual([[7], [8]]);
  });

  test('holds frames while it is paused, up to a limit, and delivers them in order', async () => {
    const { socket, link, observer, frames, closed } = linked();
    link.bind(observer);
    link.pause();
    socket.come(1);
    socket.come(2);
    link.resume();
    socket.come(3);
    await turns();
    expect(frames).toEqual([[1], [2], [3]]);
    link.pause();
    const mebibyte = new Uint8Array(MAX_FRAME_BYTES).buffer;
    for (let count = 0; count < 9; count++) socket.onmessage?.({ data: mebibyte });
    expect(socket.closed).toEqual([1000, 'too much came while reading is paused']);
    socket.onclose?.({ code: 1000, reason: '' });
    expect(closed).toEqual([
      { code: 0, reason: 'too much came while reading is paused', by: 'local' },
    ]);
    expect(frames).toHaveLength(3);
  });

  test('says full, and tells when there is room', () => {
    const { clock, socket, link, observer, writable } = linked();
    link.bind(observer);
    socket.bufferedAmount = LINK_BUFFER_BYTES;
    expect(link.send(frame(1))).toBe('full');
    expect(link.send(frame(1))).toBe('full');
    clock.advance(100);
    expect(writable()).toBe(0);
    socket.bufferedAmount = 0;
    clock.advance(100);
    expect(writable()).toBe(1);
    expect(clock.pending).toBe(0);
  });

  test.each([
    [4409, 'replaced elsewhere', { code: 409, reason: 'replaced elsewhere', by: 'peer' }],
    [1000, 'bye', { code: 0, reason: 'bye', by: 'peer' }],
    [1005, '', { code: 0, reason: 'peer closed', by: 'peer' }],
    [1006, '', { code: 0, reason: 'connection lost', by: 'loss' }],
  ])('tells of close code %d', (code, reason, expected) => {
    const { socket, link, observer, closed } = linked();
    link.bind(observer);
    socket.onclose?.({ code, reason });
    socket.onclose?.({ code: 1006, reason: '' });
    expect(closed).toEqual([expected]);
  });

  test('closes with a code of the catalogue, and does not wait for ever for the other side', () => {
    const { clock, socket, link, observer, closed } = linked();
    link.bind(observer);
    link.close(409, 'enough');
    expect(socket.closed).toEqual([4409, 'enough']);
    expect(link.send(frame(1))).toBe('closed');
    expect(closed).toEqual([]);
    clock.advance(1_000);
    expect(closed).toEqual([{ code: 409, reason: 'enough', by: 'local' }]);
    expect(clock.pending).toBe(0);
  });

  test('refuses text, empty frames and those above the limit', () => {
    const { socket, link, observer, bad } = linked();
    link.bind(observer);
    socket.onmessage?.({ data: 'text' });
    socket.come();
    socket.onmessage?.({ data: new ArrayBuffer(MAX_FRAME_BYTES + 1) });
    expect(bad).toEqual([400, 400, 413]);
  });
});

describe('the WebSocket transport of a page', () => {
  const open = (options: object = {}) => {
    const attempt = new AbortController();
    const transport = new WebSocketTransport({ platform: { WebSocket: FakeSocket }, ...options });
    const opened = transport.open('gw:1', attempt.signal);
    opened.catch(() => undefined);
    return { opened, attempt, socket: FakeSocket.made.at(-1) as FakeSocket };
  };

  test('goes where it is told', async () => {
    const { opened, socket } = open();
    expect([socket.url, socket.protocols]).toEqual(['wss://gw:1/gatesvr', ['gatesvr']]);
    expect(socket.binaryType).toBe('arraybuffer');
    socket.readyState = 1;
    socket.onopen?.();
    expect(await opened).toMatchObject({ transport: 'websocket', remoteAddress: 'gw:1' });
    expect(open({ webSocketPort: 9 }).socket.url).toBe('wss://gw:9/gatesvr');
    expect(open({ insecureWebSocket: true }).socket.url).toBe('ws://gw:1/gatesvr');
  });

  test('fails where the browser does, or is told to give up, or has none', async () => {
    const refused = open();
    refused.socket.onclose?.({ code: 1006, reason: '' });
    await expect(refused.opened).rejects.toThrow('no WebSocket to gw:1');
    // Of one that the page's Content-Security-Policy forbids Chromium tells by no more than this.
    const forbidden = open();
    forbidden.socket.onerror?.();
    await expect(forbidden.opened).rejects.toThrow('no WebSocket to gw:1');
    const late = open();
    late.attempt.abort(new Error('too late'));
    await expect(late.opened).rejects.toThrow('no WebSocket to gw:1');
    expect(late.socket.closed).toEqual([]);
    await expect(open({ platform: {} }).opened).rejects.toThrow('no WebSocket here');
  });
});
