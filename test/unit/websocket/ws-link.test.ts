import { beforeEach, describe, expect, it } from '@jest/globals';
import { EventEmitter } from 'node:events';
import { WebSocket } from 'ws';
import { TimerWheel } from '../../../src/base/timer-wheel.js';
import { binaryCodec } from '../../../src/websocket/ws-codec.js';
import { WsLink } from '../../../src/websocket/ws-link.js';
import { WriteTurn } from '../../../src/websocket/ws-write-turn.js';
import { LINGER_MS } from '../../../src/link/link.js';
import { RecordingObserver } from '../../compliance/recording-observer.js';
import { FakeClock } from '../../support/fake-clock.js';

/** The library's side, driven by the test. */
class ScriptedWebSocket extends EventEmitter {
  readyState: number = WebSocket.OPEN;
  bufferedAmount = 0;
  paused = false;
  terminated = 0;
  readonly closes: [number, string][] = [];

  receive(text: string): void {
    this.emit('message', Buffer.from(text), true);
  }

  close(code: number, reason: string): void {
    this.readyState = WebSocket.CLOSING;
    this.closes.push([code, reason]);
  }

  terminate(): void {
    this.terminated++;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }
}

let clock: FakeClock;
let webSocket: ScriptedWebSocket;
let link: WsLink;
let observer: RecordingObserver;
let ended: number;

const turn = (): Promise<void> => new Promise((done) => setImmediate(done));
const frames = (): string[] => observer.frames.map(String);

beforeEach(() => {
  clock = new FakeClock();
  webSocket = new ScriptedWebSocket();
  ended = 0;
  link = new WsLink(
    webSocket as unknown as WebSocket,
    { bytesRead: 0, cork: () => undefined, uncork: () => undefined },
    {
      codec: binaryCodec,
      remoteAddress: '127.0.0.1:1',
      clock,
      wheel: new TimerWheel(clock, 100),
      turn: new WriteTurn(),
      liveness: { interval: 25_000, limit: 10_000 },
      onEnded: () => ended++,
    },
  );
});

describe('WsLink', () => {
  it('keeps frames that come before anyone is bound', async () => {
    webSocket.receive('early');
    observer = new RecordingObserver(link);
    expect(frames()).toEqual([]);
    await turn();
    expect(frames()).toEqual(['early']);
  });

  describe('bound', () => {
    beforeEach(() => {
      observer = new RecordingObserver(link);
    });

    it('delivers what it held before what comes after a resume', async () => {
      link.pause();
      webSocket.receive('one');
      webSocket.receive('two');
      link.resume();
      webSocket.receive('three');
      await turn();
      webSocket.receive('four');
      expect(frames()).toEqual(['one', 'two', 'three', 'four']);
    });

    it('delivers what it held before it tells of the end, if reading is not paused', () => {
      link.pause();
      webSocket.receive('one');
      link.resume();
      webSocket.emit('close', 4409, Buffer.from('elsewhere'));
      expect(frames()).toEqual(['one']);
      expect(observer.closed).toEqual([{ code: 409, reason: 'elsewhere', by: 'peer' }]);
      expect(ended).toBe(1);
    });

    it('tells of the end at once while reading is paused', async () => {
      link.pause();
      webSocket.receive('one');
      webSocket.emit('close', 1006, Buffer.alloc(0));
      expect(observer.closed).toEqual([{ code: 0, reason: 'connection lost', by: 'loss' }]);
      link.resume();
      await turn();
      expect(frames()).toEqual([]);
    });

    it('tells of a bad message behind the good ones before it, and reads no further', async () => {
      link.pause();
      webSocket.receive('good');
      webSocket.receive('');
      webSocket.receive('never');
      expect(webSocket.paused).toBe(true);
      await turn();
      expect(observer.bad).toEqual([]);
      link.resume();
      await turn();
      expect(frames()).toEqual(['good']);
      expect(observer.bad).toEqual([{ code: 400, reason: 'frame of length 0' }]);
      link.pause();
      link.resume();
      await turn();
      expect(observer.bad).toHaveLength(1);
      expect(webSocket.paused).toBe(true);
    });

    it('stops reading its socket only once it holds 64 KiB', async () => {
      link.pause();
      webSocket.receive('x'.repeat(60_000));
      expect(webSocket.paused).toBe(false);
      webSocket.receive('y'.repeat(6_000));
      expect(webSocket.paused).toBe(true);
      link.resume();
      await turn();
      expect(webSocket.paused).toBe(false);
      expect(frames().map(({ length }) => length)).toEqual([60_000, 6_000]);
    });

    it('gives a peer that does not answer the close LINGER_MS', () => {
      link.finish(409, 'elsewhere');
      link.close(500, 'again');
      expect(webSocket.closes).toEqual([[4409, 'elsewhere']]);
      clock.advance(LINGER_MS - 1);
      expect(webSocket.terminated).toBe(0);
      clock.advance(1);
      expect(webSocket.terminated).toBe(1);
      webSocket.emit('close', 1006, Buffer.alloc(0));
      expect(observer.closed).toEqual([{ code: 409, reason: 'elsewhere', by: 'local' }]);
      expect(clock.pending).toBe(0);
    });

    it('leaves no timer behind a peer that closes', () => {
      link.finish(0, 'stopped');
      webSocket.emit('close', 1000, Buffer.from('stopped'));
      expect(clock.pending).toBeLessThanOrEqual(1);
      clock.advance(60_000);
      expect([clock.pending, webSocket.terminated]).toEqual([0, 0]);
    });
  });
});
