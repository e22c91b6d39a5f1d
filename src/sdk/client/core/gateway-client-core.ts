import type { Clock } from '../../../base/clock.js';
import { messageOf } from '../../../base/errors.js';
import { wellFormedEntries } from '../../../wire/text-and-bytes.js';
import type { ClientEvents, ClientState } from './client-events.js';
import { GuardedMetrics, outcomeOf } from './client-metrics.js';
import type { RequestOutcomeName } from './client-metrics.js';
import { ClientSession } from './client-session.js';
import {
  ClientClosedError,
  ConnectError,
  ListenerError,
  RequestAbortedError,
  RequestTimeoutError,
} from './errors.js';
import { EventEmitter } from './events.js';
import { resolveOptions } from './options.js';
import type { CoreClientOptions, ResolvedOptions } from './options.js';
import type { Answer, Push } from './payload.js';
import { PendingRequest } from './pending-request.js';
import type { RequestOutcome } from './pending-request.js';
import { checkEntries, checkKinds, encodeBusinessPayload } from './request-frames.js';
import type { RequestContent, StopReason } from './request-frames.js';
import type { PushesOptions } from './push-iterator.js';
import type { Transport } from './transport.js';

export interface RequestOptions extends RequestContent {
  /** Overrides requestTimeoutMs for this request; 0 = for ever. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * A client of the gateway over any transport: one session that outlives its connections. Requests
 * are answered once, pushes arrive in order and are acknowledged, lost connections are replaced and
 * the session resumed. Nothing it does by itself rejects unheard: see the events.
 */
export class GatewayClientCore {
  private readonly options: ResolvedOptions;
  private readonly events: EventEmitter<ClientEvents>;
  private readonly session: ClientSession;
  private connecting: Promise<void> | null = null;
  private stopping: Promise<void> | null = null;

  /** @throws {RangeError} that names the option which cannot be. */
  constructor(options: CoreClientOptions, transport: Transport) {
    const resolved = resolveOptions(options, transport);
    const metrics = new GuardedMetrics(resolved.metrics, (error) =>
      this.events.emit('error', new ListenerError('metrics', error)),
    );
    this.options = { ...resolved, metrics };
    this.events = new EventEmitter((error) => {
      // A failing listener of `error` must not be told of its own failure for ever.
      if (!error.message.startsWith('a listener of "error"')) this.events.emit('error', error);
    });
    this.session = new ClientSession(this.options, this.events);
  }

  get state(): ClientState {
    return this.session.state;
  }

  /** The session's id, stable over resumes; empty before the first connection. */
  get sessionId(): string {
    return this.session.sessionId;
  }

  /** The gateway's address while there is a connection, else empty. */
  get address(): string {
    return this.session.address;
  }

  /** `quic`, `webtransport` or `websocket` while there is a connection, else empty. */
  get transport(): string {
    return this.session.transport;
  }

  /** Requests sent and unanswered. */
  get inFlight(): number {
    return this.session.requests.table.inFlight;
  }

  /** Requests that wait to be sent. */
  get queued(): number {
    return this.session.requests.table.queued;
  }

  /** Pushes that the application has not taken yet. */
  get waitingPushes(): number {
    return this.session.downstream.waiting;
  }

  /** Calls `listener` for every event of this name; the returned function ends that. */
  on<Name extends keyof ClientEvents>(
    name: Name,
    listener: (event: ClientEvents[Name]) => unknown,
  ): () => void {
    return this.events.on(name, listener);
  }

  /**
   * Calls `listener` for every push, in order. A push is acknowledged once it returned; with
   * `ack: 'handled'` once the promise that it returned is settled.
   */
  onPush(listener: (push: Push) => unknown): () => void {
    return this.events.on('push', listener);
  }

  /**
   * The pushes as a loop takes them: `for await (const push of client.pushes())`. From the first call
   * on pushes wait for a loop, bounded by maxWaitingPushes and maxWaitingBytes: call it before
   * connect() to miss none. Several loops share the pushes, each is taken once; listeners hear of all.
   * The loop ends with the client, and throws where that ended with an error.
   */
  pushes(options: PushesOptions = {}): AsyncIterableIterator<Push, undefined> {
    return this.session.downstream.iterate(options);
  }

  /**
   * Starts a session, trying again until there is one. Idempotent: resolved at once when connected,
   * the same promise while connecting.
   * When it resolves, the session is in the store, where there is one, unless that failed (`error` tells)
   * or is still at it after connectTimeoutMs.
   * @throws {ConnectError} after connectTimeoutMs; connect() may then be called again.
   * @throws {SessionRefusedError | SessionReplacedError | ClientClosedError} when it will never be.
   */
  connect(): Promise<void> {
    if (this.connecting === null) {
      this.connecting = this.connected().finally(() => (this.connecting = null));
      // Whoever ignores the promise hears of the failure by the `closed` event.
      this.connecting.catch(() => undefined);
    }
    return this.connecting;
  }

  /**
   * Sends a request to the service behind the gateway. Without a connection it waits for one, for
   * as long as its time lasts.
   * @returns the upstream's answer, whatever code it carries.
   * @throws {RequestRefusedError} surely not executed
   * @throws {OutcomeUnknownError} executed or not, nobody knows
   * @throws {RequestTimeoutError | RequestAbortedError} see their `sent`
   * @throws {RequestQueueFullError | RequestTooLargeError | ClientClosedError} not sent
   * @throws {TypeError} not sent: a param or header that is no text, or data that is neither text nor bytes
   */
  request(action: string, options: RequestOptions = {}): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      const { signal, headers = {} } = options;
      checkKinds(action, options);
      const payload = encodeBusinessPayload(action, options);
      let unwatch = (): void => undefined;
      const outcome = this.measured(action, { resolve, reject }, () => unwatch());
      const msgId = this.session.nextMsgId();
      // The caller may change its object while the request waits.
      const own = wellFormedEntries(headers);
      const request = new PendingRequest(msgId, action, payload, own, outcome);
      if (signal?.aborted === true) {
        request.reject(new RequestAbortedError(action, false, { cause: signal.reason }));
        return;
      }
      unwatch = this.watch(request, options);
      try {
        checkEntries(action, options);
        this.session.submit(request);
      } catch (error) {
        request.reject(error as Error);
      }
    });
  }

  /**
   * Ends the session at the gateway (STOP) and waits until the connection is closed. Requests under
   * way are rejected with ClientClosedError. Idempotent, never rejects.
   */
  stop(reason: StopReason = 'app_close'): Promise<void> {
    this.stopping ??= new Promise<void>((resolve) => {
      if (this.session.state === 'closed') {
        resolve();
        return;
      }
      this.events.on('closed', () => resolve());
      this.session.stop(reason);
    }).then(() => this.session.resumption.saved);
    return this.stopping;
  }

  /** Closes at once and without STOP: the gateway keeps the session for its resume window. Idempotent. */
  close(): void {
    this.session.close();
  }

  /**
   * The network, or the machine, may be back: waits no longer before the next attempt to connect, and
   * makes sure that an open connection still lives. For whoever hears of such things; harmless always.
   */
  wake(): void {
    this.session.wake();
  }

  private get clock(): Clock {
    return this.options.clock;
  }

  /** The outcome of a request for its caller, told to the metrics too. @param done called before the caller hears. */
  private measured(action: string, caller: RequestOutcome, done: () => void): RequestOutcome {
    const startedAt = this.clock.now();
    const tell = (outcome: RequestOutcomeName): void => {
      this.options.metrics.request?.(action, outcome, this.clock.now() - startedAt);
      done();
    };
    return {
      resolve: (answer) => {
        tell('answered');
        caller.resolve(answer);
      },
      reject: (error) => {
        tell(outcomeOf(error));
        caller.reject(error);
      },
    };
  }

  /** Gives a request up when its time is over or its caller says so. @returns ends that. */
  private watch(
    request: PendingRequest,
    { signal, timeoutMs = this.options.requestTimeoutMs }: RequestOptions,
  ): () => void {
    const { action } = request;
    const giveUp = (error: Error): void => {
      request.reject(error);
      this.session.requests.abandon(request);
    };
    const onTimeout = (): void => giveUp(new RequestTimeoutError(action, timeoutMs, request.sent));
    const onAbort = (): void =>
      giveUp(new RequestAbortedError(action, request.sent, { cause: signal?.reason }));
    const cancelTimeout = timeoutMs > 0 ? this.clock.after(timeoutMs, onTimeout) : null;
    signal?.addEventListener('abort', onAbort, { once: true });
    return () => {
      cancelTimeout?.();
      signal?.removeEventListener('abort', onAbort);
    };
  }

  private connected(): Promise<void> {
    const { session } = this;
    if (session.state === 'connected') return Promise.resolve();
    if (session.state === 'closed' || session.state === 'stopping') {
      return Promise.reject(new ClientClosedError('the client is closed; make a new one'));
    }
    return new Promise<void>((resolve, reject) => {
      const { connectTimeoutMs } = this.options;
      const offs = [
        this.events.on('connected', () => void session.resumption.saved.then(() => settle(null))),
        this.events.on('closed', ({ error }) =>
          settle(error ?? new ClientClosedError('the client was closed while it connected')),
        ),
      ];
      const late = (): void => settle(this.session.state === 'connected' ? null : this.late());
      const cancel = connectTimeoutMs > 0 ? this.clock.after(connectTimeoutMs, late) : null;
      const settle = (error: Error | null): void => {
        cancel?.();
        for (const off of offs) off();
        if (error === null) resolve();
        else reject(error);
      };
      session.connect();
    });
  }

  private late(): ConnectError {
    const { addresses, connectTimeoutMs } = this.options;
    const cause = this.session.failure;
    this.session.giveUp();
    const why = cause === undefined ? 'no answer; check the address' : messageOf(cause);
    const message = `cannot connect to ${addresses.join(', ')} within ${connectTimeoutMs} ms: ${why}`;
    return new ConnectError(message, { cause });
  }
}
