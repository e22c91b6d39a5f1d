import { CodedError } from '../../base/errors.js';
import { RingQueue } from '../../base/ring-queue.js';
import type { Link, LinkClosed, LinkObserver } from '../../link/link.js';
import { encodeRequestFrame } from '../../wire/frame-encoder.js';
import type { Frame } from '../../wire/frame-encoder.js';
import {
  BusinessRequest,
  BusinessResponse,
  ClientAck,
  ErrorMessage,
  HeartbeatRequest,
  HeartbeatResponse,
  PushType,
  RequestType,
  ServerPush,
  StartRequest,
  StartResponse,
  decodeMessage,
  encodeMessage,
} from '../../wire/messages.js';

/** What a load hears of its sessions. */
export interface LoadObserver {
  /** An answer with code 200 and its data, valid only during the call. */
  onAnswer(session: LoadSession, msgId: number, data: Uint8Array): void;
  /** Anything that a good gateway never does to a good client. */
  onFault(session: LoadSession, reason: string): void;
  /** START was answered with success. */
  onStarted?(session: LoadSession): void;
  /** A heartbeat was answered; `sentAt` is the timestamp that it bore. */
  onHeartbeat?(session: LoadSession, sentAt: number): void;
  /** A push that answers nothing. */
  onPush?(session: LoadSession, push: ServerPush): void;
}

const NO_HEADERS = {};

/**
 * A client as lean as the wire allows: START, requests, an ACK for every sequenced frame as deployed
 * clients send them, no reconnect. It checks that numbers arrive without a gap.
 */
export class LoadSession implements LinkObserver {
  sessionId = '';
  private nextSeq = 1;
  private nextPush = 0;
  private started: ((fault: string | null) => void) | null = null;
  private ending = false;
  private over = false;
  /** Frames that the link had no room for; whoever loads bounds what is under way. */
  private readonly waiting = new RingQueue<Frame>();

  constructor(
    private readonly link: Link,
    readonly openid: string,
    private readonly observer: LoadObserver,
  ) {
    link.bind(this);
  }

  /** Whether the connection has ended, by whomever. */
  get ended(): boolean {
    return this.over;
  }

  /** Sends START. @throws {CodedError} where it is refused or the connection ends. */
  start(token = 'bench'): Promise<void> {
    const payload = encodeMessage(StartRequest, { openid: this.openid, authToken: token });
    return new Promise((resolve, reject) => {
      this.started = (fault) =>
        fault === null
          ? resolve()
          : reject(new CodedError('START_FAILED', `${this.openid}: ${fault}`));
      this.send(RequestType.REQUEST_START, 1, 0, payload);
    });
  }

  /** Closes where START is not answered yet; `start` fails, and the observer hears of it, with this reason. */
  giveUp(reason: string): void {
    if (this.started === null) return;
    this.ending = true;
    this.fault(reason);
    this.link.close(0, 'START was not answered');
  }

  /** Sends a business request; its answer comes to the observer under `msgId` (above 1). */
  request(msgId: number, action: string, data: Uint8Array): void {
    const payload = encodeMessage(BusinessRequest, { action, data });
    this.send(RequestType.REQUEST_BUSINESS, msgId, this.nextSeq++, payload);
  }

  /** @param now ms since 1970, a whole number; the answer bears it again. */
  heartbeat(now: number): void {
    const payload = encodeMessage(HeartbeatRequest, { clientTimestamp: now });
    this.send(RequestType.REQUEST_HEARTBEAT, 0, 0, payload);
  }

  /** Says STOP and closes. */
  stop(): void {
    if (this.ending) return;
    this.ending = true;
    this.send(RequestType.REQUEST_STOP, 0, 0, new Uint8Array(0));
    this.link.finish(0, 'bench is done');
  }

  onFrame(frame: Uint8Array): void {
    const push = decodeMessage(ServerPush, frame);
    if (push.seqId > 0) this.acknowledge(push.seqId);
    if (push.type === PushType.PUSH_BUSINESS_DATA) this.onData(push);
    else if (push.type === PushType.PUSH_START_RESP) this.onStarted(push);
    else if (push.type === PushType.PUSH_HEARTBEAT_RESP) this.onHeartbeat(push);
    else if (push.type === PushType.PUSH_ERROR) this.onError(push);
  }

  onBadFrame(_code: number, reason: string): void {
    this.fault(`bad frame: ${reason}`);
  }

  onWritable(): void {
    for (let frame = this.waiting.at(0); frame !== undefined; frame = this.waiting.at(0)) {
      if (this.link.send(frame) !== 'ok') return;
      this.waiting.shift();
    }
  }

  onClosed(closed: LinkClosed): void {
    this.over = true;
    const by = closed.by === 'loss' ? '' : ` by ${closed.by === 'peer' ? 'the gateway' : 'us'}`;
    if (!this.ending) this.fault(`connection ended${by}: ${closed.code} ${closed.reason}`);
  }

  private onStarted(push: ServerPush): void {
    const response = decodeMessage(StartResponse, push.payload);
    this.sessionId = response.connectionId;
    const reason = response.error ? reasonOf(response.error) : 'without a reason';
    this.started?.(response.success ? null : `START refused: ${reason}`);
    this.started = null;
    if (response.success) this.observer.onStarted?.(this);
  }

  private onHeartbeat(push: ServerPush): void {
    const { clientTimestamp } = decodeMessage(HeartbeatResponse, push.payload);
    this.observer.onHeartbeat?.(this, clientTimestamp);
  }

  private onError(push: ServerPush): void {
    const reason = reasonOf(decodeMessage(ErrorMessage, push.payload));
    this.fault(push.msgId > 1 ? `a request was refused: ${reason}` : `refused: ${reason}`);
  }

  private onData(push: ServerPush): void {
    if (push.msgId === 0) return this.observer.onPush?.(this, push);
    const response = decodeMessage(BusinessResponse, push.payload);
    if (response.code === 200) this.observer.onAnswer(this, push.msgId, response.data);
    else this.fault(`an answer with code ${response.code}: ${response.message}`);
  }

  private acknowledge(seq: number): void {
    // The lean Go gateway does not tell next_push_seq: the first number seen is taken for it.
    if (this.nextPush !== 0 && seq !== this.nextPush) {
      this.fault('a sequence number came that was not due');
    }
    this.nextPush = seq + 1;
    this.send(RequestType.REQUEST_ACK, 0, 0, encodeMessage(ClientAck, { ackedSeqId: seq }));
  }

  private send(type: RequestType, msgId: number, seqId: number, payload: Uint8Array): void {
    const request = { type, msgId, seqId, payload, headers: NO_HEADERS, openid: this.openid };
    const frame = encodeRequestFrame(request);
    // Numbers are taken in order, so nothing may overtake what waits already.
    const sent = this.waiting.length > 0 ? 'full' : this.link.send(frame);
    if (sent === 'full') this.waiting.push(frame);
    else if (sent === 'closed' && !this.ending && !this.over)
      this.fault('the connection is closed');
  }

  private fault(reason: string): void {
    this.started?.(reason);
    this.started = null;
    this.observer.onFault(this, reason);
  }
}

/** `503 overloaded: no upstream serves zone 001`. */
function reasonOf({
  errorCode,
  errorMessage,
  detail,
}: NonNullable<StartResponse['error']>): string {
  const text = [errorMessage, detail].filter(Boolean).join(': ');
  return `${errorCode ?? 0} ${text}`.trim();
}
