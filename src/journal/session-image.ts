import { RingQueue } from '../base/ring-queue.js';
import { frameSeqOf } from '../wire/frame-encoder.js';
import { SessionState } from '../wire/messages.js';
import { MAX_HOLES } from './limits.js';

interface ImageFrame {
  readonly seq: number;
  readonly msgId: number;
  readonly clientSeq: number;
  readonly frame: Uint8Array;
  readonly position: number;
  readonly moved: boolean;
}

type StoredFrame = SessionState['outbox'][number];
type Kept = NonNullable<SessionState['unanswered'][number]['request']>;

interface ImageRequest {
  readonly msgId: number;
  readonly after: Uint8Array[];
  /** What it asks, where it may be asked again. */
  readonly request: Kept | null;
}

/**
 * One session as the journal tells of it. What is in its outbox counts as sent: frames leave right
 * after their entries, and nothing tells when.
 */
export class SessionImage {
  private readonly outbox = new RingQueue<ImageFrame>();
  private readonly unanswered = new Map<number, ImageRequest>();
  private held: Uint8Array[] = [];
  private readonly state: SessionState;

  /** Everything that `state` says; its bytes are copied. */
  constructor(state: SessionState) {
    this.state = new SessionState({ ...state, outbox: [], unanswered: [], held: [] });
    for (const stored of state.outbox) this.keep(stored, stored.position ?? 0);
    for (const { msgId, clientSeq, after, request } of state.unanswered) {
      const copies = (after ?? []).map((body) => Buffer.from(body));
      const kept = { msgId: msgId ?? 0, after: copies, request: copyOf(request) };
      this.unanswered.set(clientSeq ?? 0, kept);
    }
    this.held = state.held.map((body) => Buffer.from(body));
  }

  /** @param position of the entry that tells of it. */
  frame(entry: StoredFrame, position: number): void {
    if (entry.clientSeq) this.unanswered.delete(entry.clientSeq);
    this.state.nextSeq = this.keep(entry, position) + 1;
  }

  acknowledged(seq: number): void {
    if (seq >= this.state.firstSeq) this.state.unrecovered = false;
    for (let oldest = this.outbox.at(0); oldest !== undefined; oldest = this.outbox.at(0)) {
      if (oldest.seq > seq) return;
      this.outbox.shift();
    }
  }

  seen(msgId: number, clientSeq: number, skippedFrom: number, request: Kept | null): void {
    const { state } = this;
    if (state.clientBase === 0) state.clientBase = clientSeq;
    state.clientNext = clientSeq + 1;
    this.unanswered.set(clientSeq, { msgId, after: [], request: copyOf(request) });
    if (skippedFrom === 0) return;
    state.holes.push({ from: skippedFrom, to: clientSeq - 1 });
    if (state.holes.length > MAX_HOLES) state.holes.shift();
  }

  bound(clientSeq: number, body: Uint8Array): void {
    this.unanswered.get(clientSeq)?.after.push(Buffer.from(body));
  }

  hold(body: Uint8Array): void {
    this.held.push(Buffer.from(body));
  }

  loggedIn(): void {
    this.state.loggedIn = true;
    this.held = [];
  }

  /** What restores it. */
  snapshot(): SessionState {
    return new SessionState({
      ...this.state,
      outbox: Array.from(this.outbox, ({ msgId, clientSeq, frame, position, moved }) => ({
        msgId,
        clientSeq,
        frame,
        position,
        moved,
      })),
      unanswered: Array.from(this.unanswered, ([clientSeq, { msgId, after, request }]) => ({
        msgId,
        clientSeq,
        after,
        ...(request === null ? {} : { request }),
      })),
      held: this.held,
    });
  }

  private keep(stored: StoredFrame, position: number): number {
    const frame = Buffer.from(stored.frame ?? []);
    const seq = frameSeqOf(frame);
    const { msgId, clientSeq, moved } = stored;
    this.outbox.push({
      seq,
      msgId: msgId ?? 0,
      clientSeq: clientSeq ?? 0,
      frame,
      position,
      moved: moved ?? false,
    });
    if (seq > this.state.highestSent) this.state.highestSent = seq;
    return seq;
  }
}

function copyOf(request: Kept | null | undefined): Kept | null {
  if (!request) return null;
  return { ...request, business: Buffer.from(request.business ?? []) };
}
