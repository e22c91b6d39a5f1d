import { setTimeout as pause } from 'node:timers/promises';
import { SystemClock } from '../../base/clock.js';
import type { Link } from '../../link/link.js';
import { StreamLink } from '../../link/stream-link.js';
import type { createQuicClient } from '../../sdk/client/quic-client.js';
import { ErrorCode } from '../../wire/error-catalogue.js';
import { encodeRequestFrame } from '../../wire/frame-encoder.js';
import {
  BusinessRequest,
  BusinessResponse,
  ClientAck,
  ErrorMessage,
  PushType,
  RequestType,
  ServerPush,
  StartRequest,
  StartResponse,
  decodeMessage,
  encodeMessage,
} from '../../wire/messages.js';
import { PushOrder } from './failover-player.js';
import type { AskEnd, FailoverPlayer } from './failover-player.js';

/** Between two attempts to connect, ms. */
const RETRY_MS = 500;
const START_TIMEOUT_MS = 10_000;
/** Answers that say that nothing was executed. */
const NOT_EXECUTED: ReadonlySet<number> = new Set([
  ErrorCode.NotPrimary,
  ErrorCode.TooManyRequests,
  ErrorCode.Overloaded,
]);
/** After a promotion numbers go on at a multiple of this (REPLICATION.md), also behind a replay. */
const JUMP_UNIT = 2 ** 32;
const SERVER_NAME = 'localhost';

/**
 * A client as deployments run it (WIRE.md, "What a deployed client does"): one address, 30 s of idle
 * timeout without keepalive, START with last_acked_seq_id and nothing else, numbers that go on after a
 * reconnect, an ACK for each push, nothing sent again. It learns of a loss by a stateless reset or by
 * the idle timeout, whichever comes first. Its connections may share a socket with few others only,
 * else not every reset finds its connection (OFFERS in src/quic/reset-search.ts).
 */
export class DeployedPlayer implements FailoverPlayer {
  startedAt = 0;
  sessionId = '';
  readonly faults: string[] = [];
  readonly pushes = new PushOrder();
  private readonly clock = new SystemClock();
  private link: Link | null = null;
  private nextSeq = 1;
  private nextMsgId = 1;
  private lastAcked = 0;
  /** What the next sequenced push must bear; 0 before a START_RESP. */
  private nextPush = 0;
  private start: ((accepted: boolean) => void) | null = null;
  private readonly asked = new Map<number, { data: string; settle: (end: AskEnd) => void }>();
  private left = false;

  constructor(
    readonly openid: string,
    private readonly port: number,
    private readonly client: ReturnType<typeof createQuicClient>,
  ) {}

  async connect(): Promise<void> {
    while (!this.left && !(await this.attempt())) await pause(RETRY_MS);
  }

  ask(data: string): Promise<AskEnd> {
    if (this.link === null || this.start !== null) return Promise.resolve('unsent');
    const msgId = this.nextMsgId++;
    const payload = encodeMessage(BusinessRequest, { action: 'echo', data: Buffer.from(data) });
    return new Promise((settle) => {
      this.asked.set(msgId, { data, settle });
      this.send(RequestType.REQUEST_BUSINESS, msgId, this.nextSeq++, payload);
    });
  }

  leave(): void {
    this.left = true;
    this.detach();
  }

  private onFrame(frame: Uint8Array): void {
    const push = decodeMessage(ServerPush, frame);
    if (push.type === PushType.PUSH_START_RESP) return this.onStarted(push);
    if (push.seqId > 0) this.acknowledge(push.seqId);
    if (push.type === PushType.PUSH_BUSINESS_DATA) this.onData(push);
    else if (push.type === PushType.PUSH_ERROR) {
      const { errorCode } = decodeMessage(ErrorMessage, push.payload);
      this.settle(push.msgId, NOT_EXECUTED.has(errorCode) ? 'refused' : 'unknown');
    }
  }

  /** @param starting whether START was not answered yet. */
  private onClosed(starting: boolean): void {
    if (starting) return this.start?.(false);
    this.detach();
    if (!this.left) void this.connect();
  }

  /** @returns whether there is a session. */
  private async attempt(): Promise<boolean> {
    this.detach();
    let link: StreamLink | null = null;
    let starting = true;
    const target = { host: '127.0.0.1', port: this.port, serverName: SERVER_NAME };
    try {
      const connection = await this.client.connect(target, {
        onStream: (stream) => stream.reset(0),
        onClosed: ({ code, reason, by }) => link?.connectionClosed({ code, reason, by }),
      });
      link = new StreamLink('quic', connection.openStream(), connection, this.clock);
    } catch {
      return false;
    }
    const mine = link;
    mine.bind({
      onFrame: (frame) => (this.link === mine ? this.onFrame(frame) : undefined),
      onBadFrame: (_, reason) => void this.faults.push(reason),
      onWritable: () => undefined,
      onClosed: () => (this.link === mine ? this.onClosed(starting) : undefined),
    });
    this.link = mine;
    const accepted = await new Promise<boolean>((resolve) => {
      const cancel = this.clock.after(START_TIMEOUT_MS, () => resolve(false));
      this.start = (answer) => {
        cancel();
        resolve(answer);
      };
      const fields = { openid: this.openid, authToken: 'bench', lastAckedSeqId: this.lastAcked };
      const payload = encodeMessage(StartRequest, fields);
      this.send(RequestType.REQUEST_START, this.nextMsgId++, 0, payload);
    });
    this.start = null;
    starting = false;
    if (!accepted) this.detach();
    return accepted;
  }

  private onStarted(push: ServerPush): void {
    const response = decodeMessage(StartResponse, push.payload);
    if (response.success) {
      if (this.startedAt > 0 && !response.recovered) {
        const { nextPushSeq } = response;
        this.faults.push(`told of a loss: after ${this.lastAcked} comes ${nextPushSeq}`);
      }
      this.sessionId = response.connectionId;
      this.nextPush = response.nextPushSeq;
      this.startedAt = performance.now();
    }
    this.start?.(response.success);
  }

  private onData(push: ServerPush): void {
    const response = decodeMessage(BusinessResponse, push.payload);
    const text = Buffer.from(response.data).toString();
    if (push.msgId === 0) return this.pushes.note(text);
    const asked = this.asked.get(push.msgId);
    if (response.code !== 200) return this.settle(push.msgId, 'unknown');
    if (asked !== undefined && asked.data !== text) {
      this.faults.push(`"${asked.data}" was answered with "${text}"`);
    }
    this.settle(push.msgId, 'answered');
  }

  private settle(msgId: number, end: AskEnd): void {
    const asked = this.asked.get(msgId);
    this.asked.delete(msgId);
    asked?.settle(end);
  }

  /** Numbers come without a gap behind every START_RESP, but for the jump of a promotion. */
  private acknowledge(seq: number): void {
    const jumped = seq % JUMP_UNIT === 0 && seq > this.nextPush;
    if (seq !== this.nextPush && !jumped)
      this.faults.push(`${seq} came where ${this.nextPush} was due`);
    this.nextPush = seq + 1;
    this.lastAcked = Math.max(this.lastAcked, seq);
    const payload = encodeMessage(ClientAck, { ackedSeqId: this.lastAcked });
    this.send(RequestType.REQUEST_ACK, 0, 0, payload);
  }

  private send(type: RequestType, msgId: number, seqId: number, payload: Uint8Array): void {
    this.link?.send(encodeRequestFrame({ type, msgId, seqId, payload, openid: this.openid }));
  }

  /** The connection is given up, and what it had not answered with it. */
  private detach(): void {
    const { link } = this;
    this.link = null;
    link?.close(0, '');
    for (const msgId of [...this.asked.keys()]) this.settle(msgId, 'unknown');
  }
}
