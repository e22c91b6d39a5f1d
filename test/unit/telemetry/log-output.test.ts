import { expect, test } from '@jest/globals';
import { EventEmitter } from 'node:events';
import type { Writable } from 'node:stream';
import { LogOutput } from '../../../src/telemetry/log-output.js';
import { createLogger } from '../../../src/telemetry/log.js';

/** A standard output whose writes come to an end when the test says so. */
class Output extends EventEmitter {
  writableLength = 0;
  readonly lines: string[] = [];
  private readonly pending: { length: number; done: (error?: Error) => void }[] = [];

  write(line: string, done: (error?: Error) => void): boolean {
    this.lines.push(line);
    this.writableLength += line.length;
    this.pending.push({ length: line.length, done });
    return true;
  }

  /** Ends the oldest write; as a stream does, also with an event. */
  end(error?: Error): void {
    const oldest = this.pending.shift();
    this.writableLength -= oldest?.length ?? 0;
    oldest?.done(error);
    if (error !== undefined) this.emit('error', error);
  }
}

function made() {
  const output = new Output();
  const complaints: string[] = [];
  const complain = (line: string) => void complaints.push(line);
  return { output, complaints, log: new LogOutput(output as unknown as Writable, complain) };
}

test('a full disk costs lines and is told of once, until lines get through again', () => {
  const { output, complaints, log } = made();
  for (let times = 0; times < 3; times++) {
    log.write('lost\n');
    output.end(new Error('ENOSPC: no space left on device, write'));
  }
  expect(complaints).toEqual([
    'standard output: lines are lost: ENOSPC: no space left on device, write',
  ]);
  log.write('written\n');
  output.end();
  log.write('lost\n');
  output.end(new Error('full again'));
  expect(complaints).toHaveLength(2);
});

test('a reader that does not read costs lines, and memory only up to a limit', () => {
  const { output, complaints, log } = made();
  const line = `${'x'.repeat(1023)}\n`;
  for (let number = 0; number < 10_000; number++) log.write(line);
  expect(output.lines).toHaveLength(4097);
  expect(complaints).toEqual(['standard output: lines are lost: nobody reads them']);
  // It reads a little: that is no reason to complain again.
  for (let number = 0; number < 10; number++) {
    output.end();
    log.write(line);
    log.write(line);
  }
  expect(complaints).toHaveLength(1);
  while (output.writableLength > 0) output.end();
  log.write('written\n');
  expect(output.lines.at(-1)).toBe('written\n');
});

test('a terminal is not waited for', () => {
  const blocking: boolean[] = [];
  const handle = { setBlocking: (on: boolean) => void blocking.push(on) };
  for (const isTTY of [true, false]) {
    const terminal = Object.assign(new Output(), { isTTY, _handle: handle });
    new LogOutput(terminal as unknown as Writable, () => undefined);
  }
  expect(blocking).toEqual([false]);
});

test('lines for people go the same way', () => {
  const { output, log } = made();
  createLogger({ level: 'info', format: 'pretty' }, log).child({ part: 'quic' }).info('hello');
  expect(output.lines).toHaveLength(1);
  expect(output.lines[0]).toMatch(/INFO.*hello.*"part":"quic"/);
});
