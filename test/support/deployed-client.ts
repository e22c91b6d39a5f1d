/**
 * A client as deployments run it today (WIRE.md, "What a deployed client does"), written from that
 * text alone: it shares the codecs with the gateway and nothing with the SDK.
 */
import { SystemClock } from '../../src/base/clock.js';
import type { Cancel, Clock } from '../../src/base/clock.js';
import type { Link, LinkClosed } from '../../src/link/link.js';
import type { ErrorCode } from '../../src/wire/error-catalogue.js';
import { encodeRequestFrame } from '../../src/wire/frame-encoder.js';
import {
  BusinessRequest,
  BusinessResponse,
  ClientAck,
  ErrorMessage,
  HeartbeatRequest,
  PushType,
  RequestType,
  ServerPush,
  StartRequest,
  StartResponse,
  StopRequest,
  decodeMessage,
  encodeMessage,
} from '../../src/wire/messages.js';

const START_TIMEOUT_MS = 10_000;
const FIXED_TOKEN = 'default-token';

/** An answer or a push as the application sees it. */
export interface ReceivedData {
  readonly msgId: number;
  readonly seqId: number;
  readonly code: number;
  readonly message: string;
  readonly data: string;
  readonly headers: Record<string, string>;
}

/** A PUSH_ERROR; msgId 0 where it answers nothing. */
export interface ReceivedError {
  readonly msgId: number;
  readonly seqId: number;
  readonly code: number;
  readonly message: string;
  readonly detail: string;
}

/** How an awaited request or START failed: with the gateway's code, or 0 when the connection went. */
export class DeployedClientError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

export interface DeployedClientOptions {
  readonly openid: string;
  /** Its own setting, 30 s or none (0): the gateway's interval is not read. Default 0. */
  readonly heartbeatMs?: number;
  readonly token?: string;
  readonly clock?: Clock;
  /** Whether connect sends `hello` first, once per process. Default true. */
  readonly hello?: boolean;
}

interface Waiter {
  resolve(data: ReceivedData): void;
  reject(error: Error): void;
}

export class DeployedClient {
  /** Everything received over all connections and restarts, in order. */
  readonly received: (ReceivedData | ReceivedError)[] = [];
  readonly pushes: ReceivedData[] = [];
  readonly errors: ReceivedError[] = [];
  readonly starts: StartResponse[] = [];
  readonly closes: LinkClosed[] = [];
  readonly heartbeatAnswers: number[] = [];
  /** seq_id of every sequenced frame, in the order of arrival, all connections together. */
  readonly sequence: number[] = [];
  /** The highest number it ever acknowledged in the life of this process. */
  lastAcked = 0;

  private link: Link | null = null;
  private nextSeq = 1;
  private nextMsgId = 1;
  private greeted = false;
  private readonly waiting = new Map<number, Waiter>();
  private start: { msgId: number; resolve(r: StartResponse): void; reject(e: Error): void } | null =
    null;
  private cancelHeartbeat: Cancel | null = null;
  private readonly clock: Clock;

  /** @param open makes one connection; a deployed client has an idle timeout of 30 s, no keepalive. */
  constructor(
    private readonly open: () => Promise<Link>,
    private readonly options: DeployedClientOptions,
  ) {
    this.clock = options.clock ?? new SystemClock();
  }

  get connected(): boolean {
    return this.link !== null;
  }

  /** The number that the next business frame will carry. */
  get upcomingSeq(): number {
    return this.nextSeq;
  }

  /**
   * Connects, sends START, waits at most 10 s for its answer, then logs in with `hello`.
   * @throws {DeployedClientError} with the code of a refusal.
   */
  async connect(): Promise<StartResponse> {
    const link = await this.open();
    this.link = link;
    link.bind({
      onFrame: (frame) => {
        if (this.link === link) this.onFrame(frame);
      },
      onBadFrame: () => undefined,
      onWritable: () => undefined,
      onClosed: (closed) => this.onClosed(link, closed),
    });
    const response = await this.sendStart();
    const { heartbeatMs = 0 } = this.options;
    if (heartbeatMs > 0) {
      this.cancelHeartbeat = this.clock.every(heartbeatMs, () => this.heartbeat());
    }
    if (this.options.hello !== false && !this.greeted) {
      const { code } = await this.request('hello');
      if (code !== 200) throw new DeployedClientError(code, `hello was answered with ${code}`);
      this.greeted = true;
    }
    return response;
  }

  /** Sends a business frame under the next number. @throws {DeployedClientError} */
  request(
    action: string,
    data = '',
    params: Record<string, string> = {},
    headers: Record<string, string> = {},
  ): Promise<ReceivedData> {
    const msgId = this.nextMsgId++;
    const seqId = this.nextSeq++;
    const payload = encodeMessage(BusinessRequest, { action, params, data: Buffer.from(data) });
    return new Promise((resolve, reject) => {
      this.waiting.set(msgId, { resolve, reject });
      this.send({ msgId, seqId, type: RequestType.REQUEST_BUSINESS, payload, headers });
      if (this.link === null) this.fail(msgId, new DeployedClientError(0, 'not connected'));
    });
  }

  /** A number is used up and its frame never leaves: what a loss on the way looks like to the gateway. */
  loseOneRequest(): void {
    this.nextSeq++;
    this.nextMsgId++;
  }

  heartbeat(): void {
    const payload = encodeMessage(HeartbeatRequest, { clientTimestamp: this.clock.wallTime() });
    this.send({ msgId: this.nextMsgId++, type: RequestType.REQUEST_HEARTBEAT, payload });
  }

  /** Closes with code 0 and without STOP, as before a reconnect. What was unanswered is given up. */
  drop(): void {
    const { link } = this;
    this.detach('dropped');
    link?.close(0 as ErrorCode, '');
  }

  /** Drops what is left of the old connection, then connects with last_acked_seq_id; numbers go on. */
  async reconnect(): Promise<StartResponse> {
    this.drop();
    return await this.connect();
  }

  /** The app is started anew: numbers begin at 1, nothing is remembered but the openid. */
  async restart(): Promise<StartResponse> {
    this.drop();
    this.nextSeq = this.nextMsgId = 1;
    this.lastAcked = 0;
    this.greeted = false;
    return await this.connect();
  }

  /** Leaves with STOP, then closes stream and connection with code 0. */
  stop(reason = 1): void {
    const payload = encodeMessage(StopRequest, { reason });
    this.send({ msgId: this.nextMsgId++, type: RequestType.REQUEST_STOP, payload });
    const { link } = this;
    this.detach('stopped');
    link?.finish(0 as ErrorCode, '');
  }

  private sendStart(): Promise<StartResponse> {
    const msgId = this.nextMsgId++;
    const { openid, token = FIXED_TOKEN } = this.options;
    const start = { openid, authToken: token, lastAckedSeqId: this.lastAcked };
    const payload = encodeMessage(StartRequest, start);
    return new Promise((resolve, reject) => {
      const cancel = this.clock.after(START_TIMEOUT_MS, () => {
        this.start = null;
        reject(new DeployedClientError(0, 'no START_RESP within 10 s'));
      });
      this.start = {
        msgId,
        resolve: (response) => {
          cancel();
          resolve(response);
        },
        reject: (error) => {
          cancel();
          reject(error);
        },
      };
      this.send({ msgId, type: RequestType.REQUEST_START, payload });
    });
  }

  /** Every frame carries the openid. */
  private send(request: Parameters<typeof encodeRequestFrame>[0]): void {
    this.link?.send(encodeRequestFrame({ ...request, openid: this.options.openid }));
  }

  private onFrame(frame: Uint8Array): void {
    // The copy outlives the read buffer, as everything recorded must.
    const push = decodeMessage(ServerPush, Buffer.from(frame));
    if (push.seqId > 0) {
      this.sequence.push(push.seqId);
      this.acknowledge(push.seqId);
    }
    switch (push.type) {
      case PushType.PUSH_START_RESP:
        this.onStartResponse(push);
        return;
      case PushType.PUSH_HEARTBEAT_RESP:
        this.heartbeatAnswers.push(push.msgId);
        return;
      case PushType.PUSH_BUSINESS_DATA:
        this.onData(push);
        return;
      case PushType.PUSH_ERROR:
        this.onError(push);
        return;
      default:
        return;
    }
  }

  private onStartResponse(push: ServerPush): void {
    const response = decodeMessage(StartResponse, push.payload);
    this.starts.push(response);
    const { start } = this;
    if (start === null || start.msgId !== push.msgId) return;
    this.start = null;
    if (response.success) start.resolve(response);
    else start.reject(refusal(response.error));
  }

  private onData(push: ServerPush): void {
    const { code, message, data } = decodeMessage(BusinessResponse, push.payload);
    const { msgId, seqId, headers } = push;
    const text = Buffer.from(data).toString();
    const received = { msgId, seqId, code, message, data: text, headers };
    this.received.push(received);
    if (msgId === 0) this.pushes.push(received);
    const waiter = this.waiting.get(msgId);
    this.waiting.delete(msgId);
    waiter?.resolve(received);
  }

  private onError(push: ServerPush): void {
    const error = decodeMessage(ErrorMessage, push.payload);
    const { errorCode: code, errorMessage: message, detail } = error;
    const received = { msgId: push.msgId, seqId: push.seqId, code, message, detail };
    this.received.push(received);
    this.errors.push(received);
    if (push.msgId !== 0) this.fail(push.msgId, new DeployedClientError(code, message));
  }

  /** Cumulative, for every push above 0, at once. */
  private acknowledge(seqId: number): void {
    this.lastAcked = Math.max(this.lastAcked, seqId);
    const payload = encodeMessage(ClientAck, { ackedSeqId: this.lastAcked });
    this.send({ type: RequestType.REQUEST_ACK, payload });
  }

  private onClosed(link: Link, closed: LinkClosed): void {
    this.closes.push(closed);
    if (this.link === link) this.detach(closed.reason, closed.code);
  }

  /** The connection is gone: nothing unanswered is ever sent again. */
  private detach(reason: string, code = 0): void {
    this.link = null;
    this.cancelHeartbeat?.();
    this.cancelHeartbeat = null;
    this.start?.reject(new DeployedClientError(code, `no START_RESP: ${reason}`));
    this.start = null;
    for (const msgId of [...this.waiting.keys()]) {
      this.fail(msgId, new DeployedClientError(code, `unanswered: ${reason}`));
    }
  }

  private fail(msgId: number, error: Error): void {
    const waiter = this.waiting.get(msgId);
    this.waiting.delete(msgId);
    waiter?.reject(error);
  }
}

function refusal(error: StartResponse['error']): DeployedClientError {
  const { errorCode, errorMessage } = ErrorMessage.create(error ?? {});
  return new DeployedClientError(errorCode, `START refused with ${errorCode}: ${errorMessage}`);
}
