import { describe, expect, test } from '@jest/globals';
import { EventEmitter } from 'node:events';
import { UntilSignal } from '../../../src/cli/until-signal.js';

class Signals extends EventEmitter {
  readonly exits: number[] = [];

  exit(code: number): void {
    this.exits.push(code);
  }

  send(signal: NodeJS.Signals): void {
    // A process without a listener would die of it, and nothing after it would run.
    if (!this.emit(signal, signal)) this.exit(-1);
  }
}

describe('a command that runs until a signal', () => {
  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('is told by %s', async (name) => {
    const signals = new Signals();
    const signal = new UntilSignal(signals, true);
    signals.send(name);
    expect(signals.exits).toEqual([]);
    await signal.told;
    signal.end();
    expect(signals.eventNames()).toEqual([]);
  });

  test('is ended by a second one, but not by another hangup', () => {
    const signals = new Signals();
    const signal = new UntilSignal(signals, true);
    signals.send('SIGHUP');
    signals.send('SIGHUP');
    expect(signals.exits).toEqual([]);
    signals.send('SIGTERM');
    expect(signals.exits).toEqual([143]);
    signal.end();
  });

  test('leaves SIGHUP alone unless asked', () => {
    const signals = new Signals();
    const signal = new UntilSignal(signals);
    expect(signals.eventNames()).toEqual(['SIGTERM', 'SIGINT']);
    signal.end();
  });
});
