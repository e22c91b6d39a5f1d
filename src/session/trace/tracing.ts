import type { Clock } from '../../base/clock.js';
import type { RequestTrace } from './request-trace.js';
import { RequestType, StartRequest, decodeFromClient } from '../../wire/messages.js';
import type { ClientRequest } from '../../wire/messages.js';
import { FollowedRequest } from './followed-request.js';
import type { RequestFacts } from './followed-request.js';
import type { TraceListener } from './trace-event.js';
import { Watch } from './watch.js';
import type { Soon } from './watch.js';

/** A business request at the begin of its way. */
export interface TracedRequest extends RequestFacts {
  readonly openid: string;
  /** What its upstream will be told; a tracer may put its own in their place. */
  headers: Record<string, string>;
}

/** Decides which requests somebody asks about. Must not throw. */
export interface RequestTracer {
  /** @returns null where nobody does. */
  begin(request: TracedRequest): RequestTrace | null;
  /** No upstream is asked. @param label of gatesvr_requests_rejected_total. */
  refused(request: TracedRequest, code: number, label: string): void;
}

/** A session that ended. */
interface EndedSession {
  readonly id: string;
  readonly openid: string;
}

/**
 * Who follows which client. While nobody does, and no spans are made, `requests` is null, `of` answers
 * null after one comparison, and no connection has a tap.
 */
export class Tracing implements RequestTracer {
  private active: RequestTracer | null;
  private readonly watches = new Map<string, Watch>();

  /** @param spans makes spans of requests; null: nobody does. */
  constructor(
    private readonly clock: Clock,
    private readonly soon: Soon,
    private readonly spans: RequestTracer | null = null,
  ) {
    this.active = spans;
  }

  /** Whom to tell of a business request; null while nobody would listen. */
  get requests(): RequestTracer | null {
    return this.active;
  }

  /** Who follows this openid, or null. */
  of(openid: string): Watch | null {
    return this.watches.size === 0 ? null : (this.watches.get(openid) ?? null);
  }

  /** Who follows the client that sent this frame on a connection without a session. */
  ofStranger(frame: ClientRequest): Watch | null {
    return this.watches.size === 0 ? null : this.of(openidOf(frame));
  }

  /** @returns the Watch, which hears of every connection that begins from here on. */
  add(openid: string, listener: TraceListener): Watch {
    let watch = this.watches.get(openid);
    if (watch === undefined) {
      watch = new Watch(openid, this.clock, this.soon);
      this.watches.set(openid, watch);
      this.active = this;
    }
    watch.listeners.add(listener);
    return watch;
  }

  /** @returns whether nobody follows the openid any more. */
  remove(openid: string, listener: TraceListener): boolean {
    const watch = this.watches.get(openid);
    if (watch === undefined) return true;
    watch.listeners.delete(listener);
    if (watch.listeners.size > 0) return false;
    this.watches.delete(openid);
    if (this.watches.size === 0) this.active = this.spans;
    return true;
  }

  ended({ id, openid }: EndedSession, reason: string): void {
    this.of(openid)?.tell('session', { session: id }, { what: 'ended', reason });
  }

  begin(request: TracedRequest): RequestTrace | null {
    const span = this.spans === null ? null : this.spans.begin(request);
    const watch = this.of(request.openid);
    if (watch === null) return span;
    const followed = new FollowedRequest(watch, request);
    return span === null ? followed : new BothTraces(followed, span);
  }

  refused(request: TracedRequest, code: number, label: string): void {
    this.spans?.refused(request, code, label);
    const watch = this.of(request.openid);
    if (watch !== null) new FollowedRequest(watch, request).refused(code, label);
  }
}

/** Empty where the frame names nobody. */
function openidOf({ type, payload, openid }: ClientRequest): string {
  if (type !== RequestType.REQUEST_START) return openid;
  try {
    return decodeFromClient(StartRequest, payload).openid;
  } catch {
    return openid;
  }
}

/** One request that two ask about. */
class BothTraces implements RequestTrace {
  constructor(
    private readonly first: RequestTrace,
    private readonly second: RequestTrace,
  ) {}

  onSent: RequestTrace['onSent'] = (...told) => {
    this.first.onSent(...told);
    this.second.onSent(...told);
  };
  onAttemptFailed: RequestTrace['onAttemptFailed'] = (...told) => {
    this.first.onAttemptFailed(...told);
    this.second.onAttemptFailed(...told);
  };
  onOutcome: RequestTrace['onOutcome'] = (outcome) => {
    this.first.onOutcome(outcome);
    this.second.onOutcome(outcome);
  };
  onKept(): void {
    this.first.onKept();
    this.second.onKept();
  }
}
