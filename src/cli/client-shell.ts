import { appendFileSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { messageOf } from '../base/errors.js';
import type { GatewayClient, RequestOptions } from '../sdk/client/index.js';
import { answerText, pushLine } from './client-output.js';
import { DEMO_ACTIONS } from './demo-action-names.js';

/** Lines that are remembered over runs. */
const HISTORY_LINES = 500;

const HELP = `ACTION [key=value ...] [data]   send a request, such as: calculate 6*7
/status                         the session and what is under way
/stop                           leave with STOP, as /quit and Ctrl-D do
/close                          leave without STOP: the session waits for you
/help                           this text
Actions of the demo services: ${DEMO_ACTIONS.join(', ')}
`;

/** Where the history is kept: $GATESVR_HISTORY, else in the home folder. */
export function historyFile(): string {
  return process.env['GATESVR_HISTORY'] ?? join(homedir(), '.gatesvr_history');
}

/** A conversation with a gateway: a line is a request, pushes appear when they come. */
export class ClientShell {
  private lines: Interface | null = null;
  /** Lines of a file or pipe are done one after the other, and all before the end. */
  private done: Promise<void> = Promise.resolve();

  /** @param history file of earlier lines; empty: none is read or written. */
  constructor(
    private readonly client: GatewayClient,
    private readonly input: Readable,
    private readonly output: Writable,
    private readonly history: string,
  ) {}

  /** Connects and talks until the input ends, the user leaves, or the session is over. */
  async run(): Promise<void> {
    const over = new Promise<string>((resolve) => {
      this.client.on('closed', ({ error }) => resolve(error === null ? '' : messageOf(error)));
    });
    this.follow();
    await this.client.connect();
    this.print(`session ${this.client.sessionId} at ${this.client.address}; /help explains\n`);
    const lines = this.open();
    const left = new Promise<void>((resolve) => lines.once('close', resolve));
    const finished = left.then(() => this.done).then(() => '');
    const reason = await Promise.race([over, finished]);
    this.lines = null;
    lines.close();
    if (reason !== '') this.output.write(`${reason}\n`);
  }

  private open(): Interface {
    const { input, output } = this;
    const lines = createInterface({
      input,
      output,
      terminal: (output as { isTTY?: boolean }).isTTY === true,
      history: readHistory(this.history),
      historySize: HISTORY_LINES,
      removeHistoryDuplicates: true,
      completer: (line: string) => [complete(line), line],
    });
    this.lines = lines;
    lines.on('line', (line) => {
      if (lines.terminal) void this.onLine(line.trim());
      else this.done = this.done.then(() => this.onLine(line.trim()));
    });
    this.prompt();
    return lines;
  }

  private follow(): void {
    this.client.onPush((push) => this.print(pushLine(push)));
    this.client.on('notice', ({ code, message }) => this.print(`notice ${code}: ${message}\n`));
    this.client.on('disconnected', ({ reason, willReconnect }) => {
      if (willReconnect) this.print(`connection lost (${reason}); connecting again\n`);
    });
    this.client.on('connected', ({ resumed, recovered }) => {
      if (resumed) this.print(recovered ? 'resumed, nothing is lost\n' : 'resumed with losses\n');
    });
    this.client.on('error', (error) => this.print(`${error.message}\n`));
  }

  private async onLine(line: string): Promise<void> {
    if (line === '') {
      this.prompt();
      return;
    }
    this.remember(line);
    if (line.startsWith('/')) this.command(line);
    else await this.request(line);
  }

  private command(line: string): void {
    switch (line) {
      case '/help':
        this.print(HELP);
        return;
      case '/status':
        this.print(this.statusText());
        return;
      case '/stop':
      case '/quit':
      case '/exit':
        this.lines?.close();
        return;
      case '/close':
        this.client.close();
        return;
      default:
        this.print(`${line} is no command; /help lists them\n`);
    }
  }

  private async request(line: string): Promise<void> {
    const { action, options } = parseRequest(line);
    const begun = performance.now();
    try {
      const answer = await this.client.request(action, options);
      this.print(answerText(answer, performance.now() - begun));
    } catch (error) {
      this.print(`${messageOf(error)}\n`);
    }
  }

  private statusText(): string {
    const { state, sessionId, address, inFlight, queued } = this.client;
    const where = address === '' ? '' : ` at ${address}`;
    return `${state}${where}, session ${sessionId}, ${inFlight} in flight, ${queued} waiting\n`;
  }

  /** Prints above the prompt, which comes back with what was typed so far. */
  private print(text: string): void {
    if (this.lines?.terminal === true) this.output.write('\r\x1b[K');
    this.output.write(text);
    this.prompt();
  }

  private prompt(): void {
    if (this.lines?.terminal === true) this.lines.prompt(true);
  }

  private remember(line: string): void {
    if (this.history === '' || this.lines?.terminal !== true) return;
    try {
      appendFileSync(this.history, `${line}\n`, { mode: 0o600 });
    } catch {
      // A home folder that cannot be written costs the history and nothing else.
    }
  }
}

/** `action key=value ... data`: parameters end at the first word that is not one. */
export function parseRequest(line: string): { action: string; options: RequestOptions } {
  const params: Record<string, string> = {};
  const first = /^(\S+)\s*/.exec(line);
  let rest = line.slice(first?.[0].length ?? 0);
  for (;;) {
    const found = /^([A-Za-z_][\w.-]*)=(\S*)(?:\s+|$)/.exec(rest);
    if (found === null) break;
    params[found[1] ?? ''] = found[2] ?? '';
    rest = rest.slice(found[0].length);
  }
  return { action: first?.[1] ?? '', options: rest === '' ? { params } : { params, data: rest } };
}

function complete(line: string): string[] {
  const words = [...DEMO_ACTIONS, '/help', '/status', '/stop', '/close'];
  return words.filter((word) => word.startsWith(line));
}

function readHistory(file: string): string[] {
  if (file === '') return [];
  try {
    // readline wants the newest first.
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-HISTORY_LINES).reverse();
  } catch {
    return [];
  }
}
