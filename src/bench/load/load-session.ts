import type { Link, LinkClosed, LinkObserver } from '../../link/link.js';
import { encodeRequestFrame } from '../../wire/frame-encoder.js';
import {
  BusinessRequest,
  BusinessResponse,
  ClientAck,
  HeartbeatRequest,
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
  /** A heartbeat was answered. */
  onHeartbeat?(session: LoadSession): void;
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

  constructor(
    private readonly link: Link,
    readonly openid: string,
    private readonly observer: LoadObserver,
  ) {
    link.bind(this);
  }

  /** Sends START. @throws {Error} where it is refused or the connection ends. */
  start(): Promise<void> {
    const payload = encodeMessage(StartRequest, { openid: this.openid, authToken: 'bench' });
    this.send(RequestType.REQUEST_START, 1, 0, payload);
    return new Promise((resolve, reject) => {
      this.started = (fault) => (fault === null ? resolve() : reject(new Error(fault)));
    });
  }

  /** Sends a business request; its answer comes to the observer under `msgId` (above 1). */
  request(msgId: number, action: string, data: Uint8Array): void {
    const payload = encodeMessage(BusinessRequest, { action, data });
    this.send(RequestType.REQUEST_BUSINESS, msgId, this.nextSeq++, payload);
  }

  heartbeat(now: number): void {
    const payload = encodeMessage(HeartbeatRequest, { clientTimestamp: now });
    this.send(RequestType.REQUEST_HEARTBEAT, 0, 0, payload);
  }

  /** Says STOP and closes. */
  stop(): void {
    this.ending = true;
    this.send(RequestType.REQUEST_STOP, 0, 0, new Uint8Array(0));
    this.link.finish(0, 'bench is done');
  }

  onFrame(frame: Uint8Array): void {
    const push = decodeMessage(ServerPush, frame);
    if (push.seqId > 0) this.acknowledge(push.seqId);
    if (push.type === PushType.PUSH_BUSINESS_DATA) this.onData(push);
    else if (push.type === PushType.PUSH_START_RESP) this.onStarted(push);
    else if (push.type === PushType.PUSH_HEARTBEAT_RESP) this.observer.onHeartbeat?.(this);
    else if (push.type === PushType.PUSH_ERROR) this.fault(`PUSH_ERROR for ${push.msgId}`);
  }

  onBadFrame(_code: number, reason: string): void {
    this.fault(`bad frame: ${reason}`);
  }

  onWritable(): void {
    return;
  }

  onClosed(closed: LinkClosed): void {
    if (!this.ending) this.fault(`connection ended: ${closed.code} ${closed.reason}`);
  }

  private onStarted(push: ServerPush): void {
    const response = decodeMessage(StartResponse, push.payload);
    this.sessionId = response.connectionId;
    this.started?.(response.success ? null : `START refused: ${response.error?.detail ?? ''}`);
    this.started = null;
  }

  private onData(push: ServerPush): void {
    if (push.msgId === 0) return this.observer.onPush?.(this, push);
    const response = decodeMessage(BusinessResponse, push.payload);
    if (response.code !== 200) this.fault(`answer with code ${response.code}`);
    else this.observer.onAnswer(this, push.msgId, response.data);
  }

  private acknowledge(seq: number): void {
    // The lean Go gateway does not tell next_push_seq: the first number seen is taken for it.
    if (this.nextPush !== 0 && seq !== this.nextPush) {
      this.fault(`seq_id ${seq} came where ${this.nextPush} was due`);
    }
    this.nextPush = seq + 1;
    this.send(RequestType.REQUEST_ACK, 0, 0, encodeMessage(ClientAck, { ackedSeqId: seq }));
  }

  private send(type: RequestType, msgId: number, seqId: number, payload: Uint8Array): void {
    const request = { type, msgId, seqId, payload, headers: NO_HEADERS, openid: this.openid };
    if (this.link.send(encodeRequestFrame(request)) !== 'ok' && !this.ending) {
      this.fault('the link does not take a frame');
    }
  }

  private fault(reason: string): void {
    this.started?.(reason);
    this.started = null;
    this.observer.onFault(this, reason);
  }
}
