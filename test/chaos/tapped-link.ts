import type { Link, LinkObserver, SendResult } from '../../src/link/link.js';
import type { PathProbe, Transport } from '../../src/sdk/client/core/transport.js';
import type { ErrorCode } from '../../src/wire/error-catalogue.js';
import type { Frame } from '../../src/wire/frame-encoder.js';
import {
  ClientRequest,
  PushType,
  RequestType,
  ServerPush,
  StartRequest,
  StartResponse,
  decodeMessage,
} from '../../src/wire/messages.js';
import { digestOf } from './history.js';
import type { History } from './history.js';

const LENGTH_PREFIX_BYTES = 4;

/** Numbers connections over all clients. */
let links = 0;

/** Between a client and its connection: writes down what START claimed and every frame that came. */
export class TappedLink implements Link {
  private readonly number = ++links;
  private lastAcked = 0;
  private sentStart = false;
  private isStarted = false;
  private gone = false;

  constructor(
    readonly inner: Link,
    private readonly openid: string,
    /** The gateway at the other end. */
    private readonly node: string,
    private readonly history: History,
  ) {}

  get transport(): string {
    return this.inner.transport;
  }

  get remoteAddress(): string {
    return this.inner.remoteAddress;
  }

  get bufferedBytes(): number {
    return this.inner.bufferedBytes;
  }

  bind(observer: LinkObserver): void {
    this.inner.bind({
      onFrame: (frame) => {
        if (!this.gone) this.record(frame);
        observer.onFrame(frame);
      },
      onBadFrame: (code, reason) => observer.onBadFrame(code, reason),
      onWritable: () => observer.onWritable(),
      onClosed: (closed) => observer.onClosed(closed),
    });
  }

  send(frame: Frame): SendResult {
    if (!this.sentStart) {
      const request = decodeMessage(ClientRequest, frame.subarray(LENGTH_PREFIX_BYTES));
      if (request.type === RequestType.REQUEST_START) {
        this.sentStart = true;
        this.lastAcked = decodeMessage(StartRequest, request.payload).lastAckedSeqId;
      }
    }
    return this.inner.send(frame);
  }

  pause(): void {
    this.inner.pause();
  }

  resume(): void {
    this.inner.resume();
  }

  finish(code: ErrorCode, reason: string): void {
    this.gone = true;
    this.inner.finish(code, reason);
  }

  close(code: ErrorCode, reason: string): void {
    this.gone = true;
    this.inner.close(code, reason);
  }

  private record(bytes: Uint8Array): void {
    const push = decodeMessage(ServerPush, bytes);
    const { openid, node, number: link, history } = this;
    if (push.type === PushType.PUSH_START_RESP) {
      const response = decodeMessage(StartResponse, push.payload);
      // Of the answers to those that follow nothing is expected: they only renew a token.
      if (!response.success || this.isStarted) return;
      this.isStarted = true;
      const { connectionId: session, epoch, resumed, recovered, nextPushSeq: nextPush } = response;
      const { lastAcked } = this;
      const start = { openid, node, link, epoch, session, lastAcked, resumed, recovered, nextPush };
      history.add({ kind: 'started', ...start });
    } else if (push.seqId > 0) {
      history.add({
        kind: 'frame',
        openid,
        node,
        link,
        seq: push.seqId,
        digest: digestOf(bytes),
      });
    }
  }
}

/** A transport whose connections are tapped. */
export class TappedTransport implements Transport {
  readonly name: string;
  private current: TappedLink | null = null;
  private blockedUntil = 0;

  constructor(
    private readonly inner: Transport,
    private readonly openid: string,
    /** The gateway that an address leads to. */
    private readonly nodeAt: (address: string) => string,
    private readonly history: History,
  ) {
    this.name = inner.name;
  }

  async open(address: string, signal: AbortSignal): Promise<Link> {
    const blocked = this.blockedUntil - performance.now();
    if (blocked > 0) await new Promise((done) => setTimeout(done, blocked));
    const link = await this.inner.open(address, signal);
    this.current = new TappedLink(link, this.openid, this.nodeAt(address), this.history);
    return this.current;
  }

  probe(link: Link): PathProbe | undefined {
    return this.inner.probe?.(link instanceof TappedLink ? link.inner : link);
  }

  /** No connection is made for so long, ms. */
  blockFor(ms: number): void {
    this.blockedUntil = performance.now() + ms;
  }

  /** Breaks the connection under the client, as a network does. */
  cut(): void {
    this.current?.inner.close(0 as ErrorCode, 'cut by the test');
  }
}
