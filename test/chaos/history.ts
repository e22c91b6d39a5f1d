import { createHash } from 'node:crypto';

/** A connection got its session. Numbers as in START and START_RESP (WIRE.md). */
export interface Started {
  readonly kind: 'started';
  readonly link: number;
  readonly openid: string;
  /** Which gateway answered. */
  readonly node: string;
  readonly epoch: number;
  readonly session: string;
  /** What the client claimed. */
  readonly lastAcked: number;
  readonly resumed: boolean;
  readonly recovered: boolean;
  readonly nextPush: number;
}

/** A sequenced frame came in over a connection. */
export interface FrameReceived {
  readonly kind: 'frame';
  readonly link: number;
  readonly openid: string;
  readonly node: string;
  readonly seq: number;
  /** Of the whole frame. */
  readonly digest: string;
}

/** A client asked for something; `id` is in the request's data and in its answer's. */
export interface Asked {
  readonly kind: 'asked';
  readonly openid: string;
  readonly id: string;
}

/** An upstream was given a request. */
export interface Executed {
  readonly kind: 'executed';
  readonly openid: string;
  readonly session: string;
  readonly clientSeq: number;
  readonly id: string;
}

/** refused: surely not executed; unknown: perhaps. */
export type RequestEnd = 'answered' | 'refused' | 'unknown';

/** What a client heard of its request. */
export interface Settled {
  readonly kind: 'settled';
  readonly openid: string;
  readonly id: string;
  readonly end: RequestEnd;
  /** The data of the answer, or why there is none. */
  readonly text: string;
}

/** A gateway answered a push with success=true. */
export interface Accepted {
  readonly kind: 'accepted';
  readonly node: string;
  readonly openid: string;
  /** Pushes to one openid are numbered from 1 and made one after the other; a key is repeated later, too. */
  readonly number: number;
}

/** A gateway answered a broadcast. */
export interface Broadcast {
  readonly kind: 'broadcast';
  readonly node: string;
  /** Broadcasts are numbered from 1 and made one after the other. */
  readonly number: number;
  /** How many sessions took it. */
  readonly sessions: number;
}

/** Whether a success means from now on, as far as was seen, that the push survives a gateway. */
export interface Promised {
  readonly kind: 'promise';
  readonly holds: boolean;
}

/** What a gateway said when it was asked. */
export interface RoleSeen {
  readonly kind: 'role';
  readonly node: string;
  readonly primary: boolean;
  readonly epoch: number;
  /** Ms since the history began: what it said was true at some time after this. */
  readonly askedAt: number;
}

/** A push reached the application of a client. */
export interface Arrived {
  readonly kind: 'arrived';
  readonly openid: string;
  readonly text: string;
}

/**
 * From here on the application may see again what it has seen: it was started anew, or it was told that its
 * session did not go on.
 */
export interface Anew {
  readonly kind: 'anew';
  readonly openid: string;
  readonly why: string;
}

/** Something was done to a gateway, or between the two. */
export interface Fault {
  readonly kind: 'fault';
  readonly node: string;
  readonly what: string;
  /** During the next so many ms two gateways may serve at once (`on_peer_loss: continue`). */
  readonly twoMayServeForMs?: number;
}

export type Fact =
  | Started
  | FrameReceived
  | Asked
  | Executed
  | Settled
  | Accepted
  | Broadcast
  | Promised
  | RoleSeen
  | Arrived
  | Anew
  | Fault;

/**
 * A fact and when it was recorded, ms since the history began, of which those do not count during which this
 * process stood still. All facts come from one process.
 */
export type Recorded = Fact & { readonly at: number };

/** How often the history looks at the clock, and what more may pass before that counts as standing still, ms. */
const LOOK_MS = 20;
const LATE_MS = 30;

/** Everything that was seen, in the order in which it was seen. */
export class History {
  readonly facts: Recorded[] = [];
  private passed = 0;
  private lookedAt = performance.now();
  private readonly looking = setInterval(() => this.look(), LOOK_MS).unref();

  /** Ms since it began; what a stall of this process took is not in it, for then it saw nothing. */
  get now(): number {
    this.look();
    return Math.round(this.passed);
  }

  /** The clock of a finished history stands still. */
  end(): void {
    clearInterval(this.looking);
  }

  private look(): void {
    const now = performance.now();
    this.passed += Math.min(now - this.lookedAt, LOOK_MS + LATE_MS);
    this.lookedAt = now;
  }

  add(fact: Fact): void {
    this.facts.push({ ...fact, at: this.now });
  }
}

/** Enough of SHA-256 to tell frames apart. */
export function digestOf(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('base64url').slice(0, 12);
}

/** The hash chain of the pushes to one openid: each names the hash of all before it. */
export class PushChain {
  private count = 0;
  private hash = '';

  constructor(private readonly openid: string) {}

  /** The next push: its number and its text, `openid number hash`. */
  next(): { readonly number: number; readonly text: string } {
    this.count++;
    this.hash = linkAfter(this.hash, this.openid, this.count);
    return { number: this.count, text: `${this.openid} ${this.count} ${this.hash}` };
  }
}

/** The hash of push `number` where `before` is that of the push before it, '' for the first. */
export function linkAfter(before: string, openid: string, number: number): string {
  return digestOf(`${before} ${openid} ${number}`);
}

/** The text of a broadcast. */
export function broadcastText(number: number): string {
  return `* ${number}`;
}

/** The number of a broadcast; null where the text is that of a push. */
export function readBroadcast(text: string): number | null {
  return text.startsWith('* ') ? Number(text.slice(2)) : null;
}

/** The parts of a push's text. */
export function readPush(text: string): { openid: string; number: number; hash: string } {
  const [openid = '', number = '', hash = ''] = text.split(' ');
  return { openid, number: Number(number), hash };
}
