import { PushType } from '../../src/wire/messages.js';
import type { StartRequest } from '../../src/wire/messages.js';
import type { BareClient, Received, SessionHarness } from './session-harness.js';

/** What one process of the app knows; a restart of the app begins with a new one. */
interface ProcessMemory {
  sessionId: string;
  /** SDK: highest received. Deployed: highest acknowledged. */
  remembered: number;
  received: number;
  nextRequest: number;
  /** SDK: requests to send again, by number. */
  readonly unanswered: Map<number, number>;
  readonly pushesSeen: Set<string>;
}

/**
 * A client app under test for one openid: it connects, loses connections, restarts, and checks every
 * frame it gets against the promises of docs/SESSIONS.md. `kind` chooses the behaviour of our SDKs or of
 * deployed clients.
 */
export class ModelledApp {
  client: BareClient | null = null;
  /** Texts of pushes that any process of the app received. */
  readonly delivered = new Set<string>();
  /** Whether the gateway ever said that something was lost. */
  unrecoveredTold = false;
  private memory: ProcessMemory = freshMemory();
  private read = 0;
  private expected = 0;
  private msgId = 1000;
  private connections = 0;

  constructor(
    private readonly harness: SessionHarness,
    readonly kind: 'sdk' | 'deployed',
    private readonly openid: string,
  ) {}

  get sessionId(): string {
    return this.memory.sessionId;
  }

  get connected(): boolean {
    return this.client !== null && this.client.closed === null;
  }

  /** Connects and starts; what the SDK still awaits is sent again. */
  connect(): void {
    const { sessionId, remembered } = this.memory;
    const claim: Partial<StartRequest> = { lastAckedSeqId: remembered };
    if (this.kind === 'sdk') claim.resumeSessionId = sessionId;
    this.read = 0;
    this.expected = 0;
    // Every other connection takes little at once, so that the gateway also meets full ones.
    const bufferBytes = ++this.connections % 2 === 0 ? 300 : undefined;
    this.client = this.harness.client(bufferBytes).start(this.openid, claim);
    this.check();
    if (this.kind === 'sdk') this.resend();
  }

  /** The network takes the connection; frames under way are gone. */
  lose(): void {
    this.client?.link.lose();
    this.harness.settle();
    this.client = null;
  }

  /** The app is killed and started again: it remembers nothing. */
  restart(): void {
    this.lose();
    this.memory = freshMemory();
  }

  request(text: string): void {
    if (!this.connected || this.client === null) return;
    const seq = this.memory.nextRequest++;
    const msgId = this.msgId++;
    if (this.kind === 'sdk') this.memory.unanswered.set(seq, msgId);
    this.client.business(seq, text, 'echo', msgId);
    this.check();
  }

  /** Acknowledges what was received so far, or a part of it. */
  acknowledge(share: number): void {
    if (!this.connected || this.client === null || this.memory.received === 0) return;
    const from = this.memory.remembered;
    const seq = Math.round(from + (this.memory.received - from) * share);
    if (seq <= 0) return;
    this.client.ack(seq);
    if (this.kind === 'deployed') this.memory.remembered = Math.max(from, seq);
    this.check();
  }

  /** Looks at everything that came since the last look. */
  check(): void {
    const client = this.client;
    if (client === null) return;
    for (; this.read < client.received.length; this.read++) {
      this.take(client.received[this.read] as Received);
    }
  }

  /** Sends again what has no answer, also what the gateway already has: a repeat must do no harm. */
  private resend(): void {
    for (const [seq, msgId] of [...this.memory.unanswered]) {
      if (this.connected) this.client?.business(seq, `again${seq}`, 'echo', msgId);
    }
    this.check();
  }

  private take(item: Received): void {
    if (item.start !== null) return this.takeStart(item.start);
    if (item.seq === 0) {
      if (item.type === PushType.PUSH_ERROR && item.code === 400) {
        throw new Error(`the gateway refused a good client: ${item.text}`);
      }
      return;
    }
    if (item.seq !== this.expected) {
      throw new Error(`seq_id ${item.seq} came where ${this.expected} was due`);
    }
    this.expected++;
    this.memory.received = item.seq;
    if (this.kind === 'sdk') this.memory.remembered = item.seq;
    if (item.msgId === 0) this.takePush(item.text);
    else this.memory.unanswered.delete(item.msgId);
  }

  private takeStart(start: NonNullable<Received['start']>): void {
    if (!start.success) throw new Error(`START refused: ${start.error?.detail ?? ''}`);
    if (start.connectionId !== this.memory.sessionId) {
      // A new incarnation: the SDK fails what it awaits and counts its requests anew.
      this.memory.unanswered.clear();
      if (this.kind === 'sdk') this.memory.nextRequest = 1;
      if (this.memory.remembered >= start.nextPushSeq) {
        throw new Error(`number ${start.nextPushSeq} would be used again`);
      }
    }
    if (!start.recovered) this.unrecoveredTold = true;
    this.memory.sessionId = start.connectionId;
    this.expected = start.nextPushSeq;
  }

  private takePush(text: string): void {
    this.delivered.add(text);
    if (this.kind === 'sdk' && this.memory.pushesSeen.has(text)) {
      throw new Error(`push ${text} came twice to one process`);
    }
    this.memory.pushesSeen.add(text);
  }
}

function freshMemory(): ProcessMemory {
  return {
    sessionId: '',
    remembered: 0,
    received: 0,
    nextRequest: 1,
    unanswered: new Map(),
    pushesSeen: new Set(),
  };
}
