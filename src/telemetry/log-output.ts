import type { Writable } from 'node:stream';
import { messageOf } from '../base/errors.js';

/** Bytes of lines that may wait for whoever reads them; what comes then is lost. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

/**
 * Log lines to standard output: written at once where that takes them, so that the last words of a
 * process that dies are there. Neither a full disk nor a reader that is slow or gone holds the process
 * up or ends it; they cost lines. (pino's own destination tries a full disk for ever.)
 */
export class LogOutput {
  private failing = false;
  /** One for all lines. */
  private readonly written = (error?: Error | null): void => {
    if (error) this.lose(messageOf(error));
    else if (this.stream.writableLength === 0) this.failing = false;
  };

  /**
   * @param stream as process.stdout: goes on after an error.
   * @param complain hears once, in a line, when lines begin to be lost.
   */
  constructor(
    private readonly stream: Writable,
    private readonly complain: (line: string) => void,
  ) {
    // `written` hears of errors; without a listener they would end the process as well.
    if (stream.listenerCount('error') === 0) stream.on('error', () => undefined);
    neverWaitForTerminal(stream);
  }

  write(line: string): void {
    if (this.stream.writableLength > MAX_WAITING_BYTES) this.lose('nobody reads them');
    else this.stream.write(line, this.written);
  }

  private lose(why: string): void {
    if (!this.failing) this.complain(`standard output: lines are lost: ${why}`);
    this.failing = true;
  }
}

/** Node waits for terminals: Ctrl-S would stop the process, until the watchdog ends it. */
function neverWaitForTerminal(stream: Writable): void {
  const { isTTY, _handle: handle } = stream as Writable & TerminalStream;
  if (isTTY === true) handle?.setBlocking?.(false);
}

/** What Node has no public name for. */
interface TerminalStream {
  readonly isTTY?: boolean;
  readonly _handle?: { setBlocking?(blocking: boolean): void };
}
