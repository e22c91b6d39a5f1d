import type { Cancel, Clock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { UnaryMethod } from '../grpc/server-method.js';
import { GrpcStatus } from '../grpc/unary-caller.js';
import type { UnaryCaller } from '../grpc/unary-caller.js';
import type { Tally } from '../telemetry/tally.js';
import type { Logger } from '../telemetry/log.js';
import { Method } from '../wire/grpc-methods.js';
import { Sealed, decodeMessage, encodeMessage } from '../wire/messages.js';
import { decodeBeat, encodeBeat } from './beat-codec.js';
import type { Report } from './beat-codec.js';
import type { ClusterSeal } from './cluster-seal.js';
import type { PeerGate } from './peer-gate.js';
import type { RoleFailures } from './role-failures.js';
import type { RoleMachine } from './role-machine.js';
import type { Word } from './standing.js';

export interface HeartbeatOptions {
  /** Time between heartbeats, ms. */
  readonly interval: number;
  /** Longest wait for an answer, ms: one that comes later renews nothing. */
  readonly timeout: number;
}

export interface HeartbeatParts {
  readonly machine: RoleMachine;
  /** To the peer; null: there is none, or none is configured yet. */
  readonly caller: UnaryCaller | null;
  readonly seal: ClusterSeal;
  readonly gate: PeerGate;
  /** Counts what came of a former process, or out of order. */
  readonly fenced: Tally;
  readonly failures: RoleFailures;
  readonly clock: Clock;
  readonly log: Logger;
  /** What the peer is told beside the word. */
  report(): Report;
}

/** What was heard of the peer, and when. */
export interface PeerNews extends Report {
  readonly word: Word;
  /** Monotonic ms. */
  readonly at: number;
}

/** A stop waits at most so long for the peer to have heard the goodbye, ms. */
const GOODBYE_MS = 500;

const NOTHING = new Uint8Array(0);

/** Sends heartbeats and questions, answers those of the peer, and gives both to the RoleMachine. */
export class Heartbeats {
  private cancel: Cancel | null = null;
  private last: PeerNews | null = null;
  private lastFailure = '';

  constructor(
    private readonly options: HeartbeatOptions,
    private readonly parts: HeartbeatParts,
  ) {}

  /** The last that was heard, null before the first time. */
  get news(): PeerNews | null {
    return this.last;
  }

  /** Why the peer did not answer the last time; empty where it did. */
  get failure(): string {
    return this.lastFailure;
  }

  start(): void {
    if (this.cancel !== null) return;
    this.cancel = this.parts.clock.every(this.options.interval, () => this.send());
    this.send();
  }

  stop(): void {
    this.cancel?.();
    this.cancel = null;
    this.parts.caller?.close();
  }

  /** Speaks now: what has changed should not wait for the interval. */
  send(): void {
    if (this.parts.caller === null || this.cancel === null || !this.parts.machine.speaks) return;
    const { word, sealed } = this.nextBeat();
    this.parts.caller.call(Method.Heartbeat, encodeMessage(Sealed, sealed), this.options.timeout, {
      onResponse: (bytes) => this.onAnswer(word.sequence, sealed.proof, bytes),
      onFailure: ({ message }) => this.onFailure(message),
    });
  }

  /** Tells the peer that this process stops. Resolves when it knows, or cannot be told in time; never rejects. */
  sayGoodbye(): Promise<void> {
    const { cancel } = this;
    const { caller } = this.parts;
    if (caller === null || cancel === null) return Promise.resolve();
    const sealed = this.nextBeat().sealed;
    const patience = Math.min(GOODBYE_MS, this.options.timeout);
    return new Promise((resolve) => {
      caller.call(Method.Heartbeat, encodeMessage(Sealed, sealed), patience, {
        onResponse: () => resolve(),
        onFailure: () => resolve(),
      });
    });
  }

  /** What the heartbeat port serves. */
  method(): UnaryMethod {
    return {
      path: Method.Heartbeat,
      handle: (request, peer, respond, refuse) => {
        const answer = this.answerTo(request, peer);
        if (typeof answer === 'string') refuse(GrpcStatus.PERMISSION_DENIED, answer);
        else respond(answer);
      },
    };
  }

  /** @returns the sealed answer, or why there is none. */
  private answerTo(request: Uint8Array, peer: string): Uint8Array | string {
    const refused = this.parts.gate.checkAddress(peer);
    if (refused !== null) return refused;
    let beat: ReturnType<typeof decodeBeat>;
    let question: Uint8Array;
    try {
      const sealed = decodeMessage(Sealed, request);
      const body = this.parts.seal.open('beat', NOTHING, sealed);
      if (body === null) return this.parts.gate.refuseProof(peer);
      question = sealed.proof;
      beat = decodeBeat(body);
    } catch {
      return this.parts.gate.refuseGarbage(peer);
    }
    const stranger = this.parts.gate.checkIdentity(beat.identity, peer);
    if (stranger !== null) return stranger;
    let answer: Word | null;
    try {
      answer = this.parts.machine.onHeartbeat(beat.word);
    } catch (error) {
      this.parts.failures.tell(error);
      return 'the role cannot change';
    }
    if (answer === null) {
      this.parts.fenced.add();
      return 'of a former process, or out of order';
    }
    this.note(beat.word, beat.report);
    const body = encodeBeat(this.parts.gate.identity(), answer, this.parts.report());
    return encodeMessage(Sealed, this.parts.seal.seal('answer', question, body));
  }

  private nextBeat(): { readonly word: Word; readonly sealed: Sealed } {
    const word = this.parts.machine.nextWord();
    const body = encodeBeat(this.parts.gate.identity(), word, this.parts.report());
    return { word, sealed: this.parts.seal.seal('beat', NOTHING, body) };
  }

  private onAnswer(sequence: number, question: Uint8Array, bytes: Uint8Array): void {
    if (this.cancel === null) return;
    let beat: ReturnType<typeof decodeBeat>;
    try {
      const body = this.parts.seal.open('answer', question, decodeMessage(Sealed, bytes));
      if (body === null) return void this.parts.gate.refuseProof('the peer that was called');
      beat = decodeBeat(body);
    } catch (error) {
      return this.onFailure(messageOf(error));
    }
    if (this.parts.gate.checkIdentity(beat.identity, 'the peer that was called') !== null) return;
    this.lastFailure = '';
    if (this.parts.machine.awaits(sequence, beat.word)) this.takeAnswer(sequence, beat);
  }

  private takeAnswer(sequence: number, { word, report }: ReturnType<typeof decodeBeat>): void {
    // First, for a change of role tells clients where the primary is.
    this.note(word, report);
    try {
      this.parts.machine.onAnswer(sequence, word);
    } catch (error) {
      this.parts.failures.tell(error);
    }
  }

  private onFailure(reason: string): void {
    // Once per reason: a peer that is down fails every interval.
    if (this.cancel === null || reason === this.lastFailure) return;
    this.lastFailure = reason;
    this.parts.log.warn({ reason }, 'the peer did not answer a heartbeat');
  }

  private note(word: Word, report: Report): void {
    const { syncMode } = report;
    const own = this.parts.report().syncMode;
    if (syncMode !== (this.last?.syncMode ?? own) && syncMode !== '' && syncMode !== own) {
      const line = 'backup.sync.mode or on_timeout is not that of the peer';
      this.parts.log.warn({ own, peer: syncMode }, line);
    }
    const { timeout } = this.options;
    if (word.timeout !== (this.last?.word.timeout ?? timeout) && differs(word.timeout, timeout)) {
      const line = 'backup.heartbeat.timeout is not that of the peer';
      this.parts.log.warn({ own: timeout, peer: word.timeout }, line);
    }
    this.last = { ...report, word, at: this.parts.clock.now() };
  }
}

/** @param theirs 0 where the version of the peer does not say. */
function differs(theirs: number, own: number): boolean {
  return theirs !== 0 && theirs !== own;
}
