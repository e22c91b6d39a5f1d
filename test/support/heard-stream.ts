import { request } from 'node:http';
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { until } from './until.js';

/** One server-sent event, its data parsed. */
export interface HeardEvent {
  readonly name: string;
  readonly data: Record<string, unknown>;
}

/** A reader of an event stream of a gateway on this machine. */
export class HeardStream {
  private text = '';
  ended = false;

  private constructor(
    private readonly asked: ClientRequest,
    readonly response: IncomingMessage,
  ) {
    response.setEncoding('utf8');
    response.on('data', (piece: string) => (this.text += piece));
    response.on('close', () => (this.ended = true));
    response.on('error', () => undefined);
  }

  static open(port: number, path: string, headers: OutgoingHttpHeaders = {}): Promise<HeardStream> {
    return new Promise((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port, path, headers, agent: false }, (response) =>
        resolve(new HeardStream(asked, response)),
      );
      asked.on('error', reject);
      asked.end();
    });
  }

  /** Everything that came whole. */
  get events(): HeardEvent[] {
    return this.text
      .split('\n\n')
      .slice(0, -1)
      .flatMap((event) => {
        const [, name, data] = /^event: (.*)\ndata: (.*)$/m.exec(event) ?? [];
        return name === undefined || data === undefined
          ? []
          : [{ name, data: JSON.parse(data) as Record<string, unknown> }];
      });
  }

  /** Waits until so many events of a name have come. */
  async until(name: string, many: number): Promise<HeardEvent[]> {
    const found = () => this.events.filter((event) => event.name === name);
    await until(() => found().length >= many);
    return found();
  }

  readonly close = (): void => void this.asked.destroy();
}
