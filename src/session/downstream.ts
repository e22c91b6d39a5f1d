import type { PushKey } from '../journal/journal-writer.js';
import { ErrorCode } from '../wire/error-catalogue.js';
import { encodePushFrame } from '../wire/frame-encoder.js';
import type { PushBody } from '../wire/frame-encoder.js';
import { DeliveryGate } from './delivery-gate.js';
import { Outbox } from './outbox.js';
import type { SessionChannel } from './session-channel.js';
import type { SessionEnvironment } from './session-environment.js';
import type { SessionOrigin } from './session-origin.js';

/**
 * The way to the client of one session: answers and pushes are numbered, kept in the outbox, and written
 * to the connection as far as it takes them (docs/SESSIONS.md, "Downstream: answers and pushes").
 */
export class Downstream {
  readonly outbox: Outbox;
  /** Pushes that wait for the login, in order. */
  readonly held: PushBody[] = [];
  private heldBytes = 0;
  loggedIn: boolean;
  /** The connection that serves the session now, or null. */
  channel: SessionChannel | null = null;
  private readonly beganAtClaim: boolean;
  private readonly gate: DeliveryGate | null;

  /** @param handle what the journal calls the session. */
  constructor(
    origin: SessionOrigin,
    private readonly handle: number,
    private readonly environment: SessionEnvironment,
  ) {
    const { options, outboxTotal, journal } = environment;
    this.outbox = new Outbox(origin.firstSeq, options, outboxTotal);
    this.loggedIn = options.loginAction === '';
    this.beganAtClaim = origin.beganAtClaim;
    this.gate = journal === null ? null : new DeliveryGate(journal, this);
  }

  /**
   * Whether it takes no further answer. Pushes that wait for the login have no number yet, so no
   * acknowledgement frees them: they must not keep the login out.
   */
  get full(): boolean {
    return this.outbox.isFull(this.held.length, this.heldBytes);
  }

  /** Numbers and keeps a frame. Whether it fits was the caller's question. */
  append(
    msgId: number,
    clientSeq: number,
    body: PushBody,
    key: PushKey | null,
    moved = false,
  ): void {
    const entry = this.outbox.append(msgId, clientSeq, body, moved);
    const { journal } = this.environment;
    if (journal !== null) entry.position = journal.frame(this.handle, entry, key);
  }

  /**
   * A push: into the outbox, or before the login among those that wait for it.
   * @param moved it waited elsewhere before.
   */
  deliver(body: PushBody, key: PushKey | null, moved = false): void {
    if (this.loggedIn) {
      this.append(0, 0, body, key, moved);
    } else {
      this.held.push(body);
      this.heldBytes += body.length;
      this.outbox.reserve(body.length);
      this.environment.journal?.held(this.handle, body, key);
    }
  }

  /** Takes over what a former incarnation or the offline queue kept; limits were checked there. */
  adopt(bodies: readonly PushBody[]): void {
    for (const body of bodies) this.deliver(body, null, true);
  }

  /** The login succeeded: what waited for it is numbered. */
  logIn(): void {
    this.loggedIn = true;
    this.environment.journal?.loggedIn(this.handle);
    this.heldBytes = 0;
    for (const body of this.held.splice(0)) {
      this.outbox.release(body.length);
      this.append(0, 0, body, null, true);
    }
  }

  /** Whether a push of this size fits; a consumer too slow for it is closed where it is to be. */
  admitsPush(bytes: number): boolean {
    if (!this.environment.outboxTotal.hasRoomForPush(bytes)) return false;
    if (this.outbox.hasRoomForPush(bytes)) return true;
    if (this.environment.options.slowConsumer === 'close') this.demandResume();
    return false;
  }

  /** Sends an unsequenced push now or never; false when the client cannot take it at once. */
  pushBestEffort(body: PushBody): boolean {
    if (this.channel === null || !this.loggedIn) return false;
    // What waits for its turn came before it.
    this.pump();
    return this.channel.send(encodePushFrame(0, 0, body)) === 'ok';
  }

  /**
   * Writes to the connection what it has not seen yet, as far as it takes it.
   * @returns bytes that it took.
   */
  pump(): number {
    const channel = this.channel;
    if (channel === null) return 0;
    const { clock, ceiling } = this.environment;
    const now = clock.now();
    let bytes = 0;
    for (;;) {
      const entry = this.outbox.peekUnsent();
      if (entry === undefined) return bytes;
      if (this.gate !== null && this.gate.holds(entry.position)) return bytes;
      if (entry.seq > ceiling.value && !this.beganAtClaim) ceiling.raise(entry.seq);
      if (channel.send(entry.frame) !== 'ok') return bytes;
      this.outbox.markSent(entry, now);
      bytes += entry.frame.length;
    }
  }

  /** A client that lets so much pile up must come back. */
  demandResume(): void {
    this.channel?.drop(ErrorCode.TooManyRequests, 'outbox full, acknowledge and resume');
  }

  /**
   * Nothing is delivered any more.
   * @returns the pushes its client has not acknowledged, in order, then those that waited for the login.
   */
  end(): PushBody[] {
    this.channel = null;
    return [...this.outbox.takePushes(), ...this.held];
  }
}
