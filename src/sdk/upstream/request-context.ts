import type { UpstreamRequest } from '../../wire/messages.js';
import { NotifySyncHint } from '../../wire/messages.js';
import type { Cancellation } from './cancellation.js';
import type { Gateways } from './gateways.js';
import { pushFields } from './push-content.js';
import type { PushContent, PushOptions } from './push-content.js';

const decoder = new TextDecoder();

/** One request of a client, with everything a handler may ask or do about it. */
export class RequestContext {
  readonly sessionId: string;
  readonly openid: string;
  readonly action: string;
  readonly params: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly data: Uint8Array;
  /** The request's number in its session: pushes before and after are bound to it. */
  readonly clientSeqId: number;
  /** How long the gateway waited for the answer when it sent the request, ms; 0 where it did not say. */
  readonly timeoutMs: number;
  private readonly before: Promise<void>[] = [];

  constructor(
    request: UpstreamRequest,
    private readonly gateways: Gateways,
    private readonly onPushFailed: (error: unknown) => void,
    private readonly cancellation: Cancellation,
  ) {
    this.timeoutMs = request.timeoutMs;
    this.sessionId = request.sessionId;
    this.openid = request.openid;
    this.action = request.action;
    this.params = request.params;
    this.headers = request.headers;
    this.data = request.data;
    this.clientSeqId = request.clientSeqId;
  }

  /**
   * Aborted when nobody waits for the answer any more: its time is up, or the gateway gave it up or is
   * gone. Only for what comes over ProcessStream, and not with `dedupe`.
   */
  get signal(): AbortSignal {
    return this.cancellation.signal;
  }

  /** Whether the answer has to wait for pushes. */
  get pushesBefore(): boolean {
    return this.before.length > 0;
  }

  /** The data as UTF-8 text. */
  get text(): string {
    return decoder.decode(this.data);
  }

  /** The data as JSON. @throws {SyntaxError} where it is not JSON. */
  json(): unknown {
    return JSON.parse(this.text);
  }

  /** Pushes to the session of this request, in no order to its answer. @throws {PushError} */
  push(push: PushContent & PushOptions): Promise<void> {
    return this.send(push, NotifySyncHint.NSH_IMMEDIATELY);
  }

  /**
   * Pushes so that the client sees it before this request's answer. The answer waits for it, also
   * where the handler does not. @throws {PushError}
   */
  pushBefore(push: PushContent & PushOptions): Promise<void> {
    const sent = this.send(push, NotifySyncHint.NSH_BEFORE_RESPONSE);
    this.before.push(sent);
    return sent;
  }

  /** Pushes so that the client sees it after this request's answer. @throws {PushError} */
  pushAfter(push: PushContent & PushOptions): Promise<void> {
    return this.send(push, NotifySyncHint.NSH_AFTER_RESPONSE);
  }

  /** Resolves when every push before the answer has been taken or refused. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.before);
  }

  private send(push: PushContent & PushOptions, syncHint: NotifySyncHint): Promise<void> {
    const sent = this.pushBound(push, syncHint);
    // A handler that does not wait for its push must not end the process by its failure.
    sent.catch(this.onPushFailed);
    return sent;
  }

  private async pushBound(push: PushContent & PushOptions, hint: NotifySyncHint): Promise<void> {
    const fields = pushFields({ sessionId: this.sessionId }, push);
    const bound = { syncHint: hint, bindClientSeqId: this.clientSeqId };
    await this.gateways.push({ ...fields, ...bound });
  }
}
