import { get } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { until } from './until.js';

/** One event of a text/event-stream. */
export interface StreamedEvent {
  readonly name: string;
  readonly id: number;
  readonly data: Record<string, unknown>;
}

/** Reads a text/event-stream of 127.0.0.1 as it comes. */
export class EventStreamReader {
  text = '';
  ended = false;

  private constructor(readonly response: IncomingMessage) {
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => (this.text += chunk));
    response.on('error', () => (this.ended = true));
    response.on('close', () => (this.ended = true));
  }

  static open(
    port: number,
    path: string,
    headers: OutgoingHttpHeaders = {},
  ): Promise<EventStreamReader> {
    return new Promise((resolve, reject) => {
      const asked = get({ host: '127.0.0.1', port, path, headers, agent: false }, (response) =>
        resolve(new EventStreamReader(response)),
      );
      asked.on('error', reject);
    });
  }

  get events(): StreamedEvent[] {
    const blocks = this.text.split('\n\n').slice(0, -1);
    return blocks.flatMap((block) => {
      const [, name = '', id = '', data = ''] =
        /^event: (.*)\nid: (\d+)\ndata: (.*)$/.exec(block) ?? [];
      return name === '' ? [] : [{ name, id: Number(id), data: JSON.parse(data) }];
    });
  }

  /** The data of all events of one name. */
  of(name: string): Record<string, unknown>[] {
    return this.events.filter((event) => event.name === name).map(({ data }) => data);
  }

  /** Resolves with the first event that matches. */
  async seen(matches: (event: StreamedEvent) => boolean): Promise<StreamedEvent> {
    await until(() => this.events.some(matches));
    return this.events.find(matches) as StreamedEvent;
  }

  close(): void {
    this.response.destroy();
  }
}
