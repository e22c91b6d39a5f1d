import { setTimeout as pause } from 'node:timers/promises';
import { OutcomeUnknownError, RequestRefusedError } from '../../../sdk/client/index.js';
import type { UpstreamServer } from '../../../sdk/upstream/index.js';
import { Visitor } from '../visitor.js';

/** Between two requests, or two pushes, of one client, ms. */
const THINK_MS = 20;
/** How long a request, and a push, may wait for a gateway, ms. */
const PATIENCE_MS = 30_000;

/** A client that asks one thing after another and is pushed to, over whatever happens to the gateways. */
export class BusyClient {
  readonly visitor: Visitor;
  /** Requests that ended without an answer, and may have been executed. */
  unknown = 0;
  /** Requests that were refused for the moment, surely not executed. */
  refused = 0;
  /** Anything else that went wrong. */
  readonly failures: string[] = [];
  /** Texts of the pushes that were accepted, in order. */
  readonly accepted: string[] = [];
  private answeredAt = 0;
  private longestGap = 0;
  private readonly loops: Promise<void>[] = [];
  private on = true;

  constructor(name: string, zone: string, addresses: readonly string[], ca: string) {
    this.visitor = new Visitor(name, zone, addresses, ca);
  }

  /** The longest time between two answers since this was called before, ms. */
  takeLongestGap(): number {
    const gap = this.longestGap;
    this.longestGap = 0;
    return gap;
  }

  start(service: UpstreamServer): void {
    this.answeredAt = performance.now();
    this.loops.push(this.ask(), this.push(service));
  }

  /** No new request and no new push; resolves when those under way have ended. */
  async stop(): Promise<void> {
    this.on = false;
    await Promise.all(this.loops);
  }

  private async ask(): Promise<void> {
    for (let number = 1; this.on; number++) {
      const data = `${this.visitor.name}, request ${number}`;
      try {
        const { text } = await this.visitor.ask('echo', { data, timeoutMs: PATIENCE_MS });
        if (text !== data) this.failures.push(`"${data}" was answered with "${text}"`);
        this.answered();
      } catch (error) {
        if (error instanceof OutcomeUnknownError) this.unknown++;
        else if (error instanceof RequestRefusedError && error.retryable) this.refused++;
        else if (this.on) this.failures.push(String(error));
      }
      await pause(THINK_MS);
    }
  }

  private answered(): void {
    const now = performance.now();
    this.longestGap = Math.max(this.longestGap, now - this.answeredAt);
    this.answeredAt = now;
  }

  private async push(service: UpstreamServer): Promise<void> {
    const { name: openid } = this.visitor;
    for (let number = 1; this.on; number++) {
      const title = `${number}`;
      try {
        await service.push({ openid, type: 'tick', title, retryForMs: PATIENCE_MS });
        this.accepted.push(title);
      } catch (error) {
        if (this.on) this.failures.push(`push ${number}: ${String(error)}`);
      }
      await pause(THINK_MS);
    }
  }
}
