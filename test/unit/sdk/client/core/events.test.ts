import { describe, expect, test } from '@jest/globals';
import type { ListenerError } from '../../../../../src/sdk/client/core/errors.js';
import { EventEmitter } from '../../../../../src/sdk/client/core/events.js';

describe('EventEmitter', () => {
  test('a listener that throws or rejects is reported and disturbs no other', async () => {
    const errors: ListenerError[] = [];
    const emitter = new EventEmitter<{ tick: number }>((error) => errors.push(error));
    const heard: number[] = [];
    emitter.on('tick', () => {
      throw new Error('first');
    });
    emitter.on('tick', async () => {
      await Promise.resolve();
      throw new Error('second');
    });
    emitter.on('tick', (value) => heard.push(value));
    emitter.emit('tick', 7);
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
    expect(heard).toEqual([7]);
    expect(errors.map(({ code }) => code)).toEqual(['LISTENER_FAILED', 'LISTENER_FAILED']);
    expect(errors.map(({ cause }) => (cause as Error).message).sort()).toEqual(['first', 'second']);
  });

  test('a registration ends once, also from within the event', () => {
    const emitter = new EventEmitter<{ tick: number }>(() => undefined);
    const heard: string[] = [];
    const off = emitter.on('tick', () => {
      heard.push('a');
      off();
      off();
    });
    emitter.on('tick', () => heard.push('b'));
    emitter.emit('tick', 1);
    emitter.emit('tick', 2);
    expect(heard).toEqual(['a', 'b', 'b']);
  });

  test('a report that throws is swallowed', () => {
    const emitter = new EventEmitter<{ tick: number }>(() => {
      throw new Error('report');
    });
    emitter.on('tick', () => {
      throw new Error('listener');
    });
    expect(() => emitter.emit('tick', 1)).not.toThrow();
  });
});
