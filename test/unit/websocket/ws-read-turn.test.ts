import { describe, expect, it } from '@jest/globals';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { ReadTurn } from '../../../src/websocket/ws-read-turn.js';

const nextTurn = (): Promise<void> => new Promise((done) => setImmediate(done));

/** One connection: what was asked of its socket and its WebSocket. */
class FakeConnection {
  readonly asked: string[] = [];
  isPaused = false;
  private readonly socket = Object.assign(new EventEmitter(), {
    pause: () => this.asked.push('pause'),
  });

  constructor(turn: ReadTurn) {
    turn.watch(this, this.socket as unknown as Socket);
  }

  resume(): void {
    this.asked.push('resume');
  }

  reads(bytes: number): void {
    this.socket.emit('data', Buffer.alloc(bytes));
  }
}

describe('ReadTurn', () => {
  it('reads 16 KiB of a connection in a turn, and goes on in the next', async () => {
    const turn = new ReadTurn();
    const connection = new FakeConnection(turn);
    const other = new FakeConnection(turn);
    connection.reads(16_383);
    expect(connection.asked).toEqual([]);
    connection.reads(1);
    expect(connection.asked).toEqual(['pause']);
    await nextTurn();
    expect(connection.asked).toEqual(['pause', 'resume']);
    connection.reads(16_383);
    expect(connection.asked).toEqual(['pause', 'resume']);
    expect(other.asked).toEqual([]);
  });

  it('leaves one alone that was paused by somebody else meanwhile', async () => {
    const connection = new FakeConnection(new ReadTurn());
    connection.reads(20_000);
    connection.isPaused = true;
    await nextTurn();
    expect(connection.asked).toEqual(['pause']);
  });
});
