import type { FastifyReply } from 'fastify';
import type { ServerResponse } from 'node:http';
import { HttpRefusal } from '../http-refusal.js';

/** What waits for one listener that reads slowly, at most, bytes; more is skipped. */
const MAX_WAITING_BYTES = 256 * 1024;
/** A listener for whom so many events in a row were skipped is cut off; it may come again. */
const MAX_SKIPPED = 30;

/**
 * Server-sent events (the HTML standard, 9.2) as the answer to one request. What a listener does not
 * read in time is skipped for it alone: memory stays bounded, and nobody else waits.
 */
export class EventStream {
  private readonly response: ServerResponse;
  private skipped = 0;
  private ended = false;

  /** @param onEnd called once, when the listener left, was cut off, or the listener was closed. */
  constructor(reply: FastifyReply, onEnd: () => void) {
    reply.hijack();
    this.response = reply.raw;
    this.response.once('close', () => {
      this.ended = true;
      onEnd();
    });
    this.response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      // nginx would keep events back until its buffer is full.
      'x-accel-buffering': 'no',
    });
    this.response.flushHeaders();
  }

  /** @param event as `eventText` makes it. Whether it went out: not where it was skipped or all is over. */
  send(event: string): boolean {
    if (this.ended) return false;
    if (this.response.writableLength > MAX_WAITING_BYTES) {
      if (++this.skipped >= MAX_SKIPPED) this.response.destroy();
      return false;
    }
    this.skipped = 0;
    this.response.write(event);
    return true;
  }

  /** Ends it in good order. Idempotent. */
  end(): void {
    if (!this.ended) this.response.end();
  }
}

/**
 * One event as it travels; the name has no line breaks. JSON has none of its own, so `data` is one line.
 * @param id for streams whose events are numbered.
 */
export function eventText(name: string, data: unknown, id?: number): string {
  const idLine = id === undefined ? '' : `id: ${id}\n`;
  return `event: ${name}\n${idLine}data: ${JSON.stringify(data)}\n\n`;
}

/** @throws {HttpRefusal} 503 where that many listen already. */
export function refuseAbove(listeners: number, most: number): void {
  if (listeners < most) return;
  throw new HttpRefusal(503, `${most} listen already: close one of them`);
}
