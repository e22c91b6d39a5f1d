import { Backoff } from '../base/backoff.js';
import type { Cancel, Clock } from '../base/clock.js';
import type { ClientStream, StreamEnd, StreamOpener } from '../grpc/message-stream.js';
import type { JournalFollower } from '../journal/journal.js';
import type { ReplicationMetrics } from '../telemetry/replication-metrics.js';
import type { Logger } from '../telemetry/log.js';
import { messageOf } from '../base/errors.js';
import { Method } from '../wire/grpc-methods.js';
import {
  FromPrimary,
  FromStandby,
  Hello,
  Opening,
  decodeMessage,
  encodeMessage,
} from '../wire/messages.js';
import { decodeStanding } from './beat-codec.js';
import type { ClusterSeal } from './cluster-seal.js';
import type { PeerGate } from './peer-gate.js';
import { inMessages } from './push-offers.js';
import type { PushOffers } from './push-offers.js';
import { BrokenStreamError, Receiver } from './receiver.js';
import type { RoleMachine } from './role-machine.js';

/** Before the stream is opened again; the first one again after a snapshot. */
const PAUSES = { firstMs: 50, longestMs: 2_000 };

export interface SyncClientParts {
  readonly machine: RoleMachine;
  /** To the peer's sync address; null where none is configured. */
  readonly opener: StreamOpener | null;
  readonly follower: JournalFollower;
  readonly seal: ClusterSeal;
  readonly gate: PeerGate;
  readonly metrics: ReplicationMetrics;
  readonly clock: Clock;
  readonly log: Logger;
  readonly offers: PushOffers;
}

/** The standby's end of the Sync service: follows the primary, again and again, while it is a backup. */
export class SyncClient {
  private attempt: Attempt | null = null;
  private cancelPause: Cancel | null = null;
  private readonly backoff = new Backoff(PAUSES);
  private following = false;
  private lastReason = '';

  constructor(readonly parts: SyncClientParts) {}

  /** Follows from now on. Idempotent. */
  start(): void {
    if (this.following) return;
    this.following = true;
    this.backoff.reset();
    this.open();
  }

  /** Follows no more; a snapshot under way is forgotten. Idempotent. */
  stop(): void {
    this.following = false;
    this.cancelPause?.();
    this.cancelPause = null;
    this.attempt?.cancel();
    this.attempt = null;
  }

  /** The snapshot is in, the tail has begun. */
  onWhole(): void {
    this.backoff.reset();
    this.lastReason = '';
    this.parts.log.info({ position: this.parts.follower.position }, 'following the primary');
  }

  /** @param broken what came could not be applied; else the stream was lost or refused. */
  onEnded(attempt: Attempt, reason: string, broken: boolean): void {
    if (attempt !== this.attempt) return;
    this.attempt = null;
    if (attempt.whole || broken) this.parts.metrics.resyncs.add(broken ? 'broken' : 'lost');
    if (reason !== this.lastReason) {
      this.lastReason = reason;
      this.parts.log.warn({ reason }, 'the stream from the primary ended; it begins again');
    }
    if (!this.following) return;
    this.cancelPause = this.parts.clock.after(this.backoff.next(), () => {
      this.cancelPause = null;
      this.open();
    });
  }

  private open(): void {
    const { opener } = this.parts;
    if (opener !== null) this.attempt = new Attempt(this, opener);
  }
}

class Attempt {
  private readonly stream: ClientStream;
  private readonly nonce: Uint8Array;
  private receiver: Receiver | null = null;
  private fault: string | null = null;
  private over = false;

  constructor(
    private readonly client: SyncClient,
    opener: StreamOpener,
  ) {
    this.nonce = client.parts.seal.challenge();
    this.stream = opener.open(Method.Follow, {
      onMessage: (bytes) => this.onMessage(bytes),
      onClosed: (end) => this.onClosed(end),
    });
  }

  get whole(): boolean {
    return this.receiver?.complete ?? false;
  }

  cancel(): void {
    this.over = true;
    this.stream.cancel();
  }

  private onMessage(bytes: Uint8Array): void {
    if (this.over) return;
    try {
      this.take(decodeMessage(FromPrimary, bytes));
    } catch (error) {
      this.fault = messageOf(error);
      this.cancel();
    }
  }

  private take({ challenge, opening, shipment, offerResult }: FromPrimary): void {
    if (challenge?.length) this.greet(challenge);
    else if (opening) this.begin(opening);
    else if (shipment && this.receiver !== null) this.apply(this.receiver, shipment);
    else if (offerResult) {
      this.client.parts.offers.told(offerResult.accepted ?? 0, offerResult.refused ?? 0);
    } else throw new BrokenStreamError('a message that has no place there');
  }

  private greet(challenge: Uint8Array): void {
    const { gate, machine, seal } = this.client.parts;
    const fields = { identity: gate.identity(), boot: machine.boot, challenge: this.nonce };
    const hello = seal.seal('hello', challenge, encodeMessage(Hello, new Hello(fields)));
    this.stream.write(encodeMessage(FromStandby, new FromStandby({ hello })));
  }

  private begin(sealed: NonNullable<FromPrimary['opening']>): void {
    const { gate, machine, seal, follower } = this.client.parts;
    const body = seal.open('opening', this.nonce, sealed);
    if (body === null) throw new BrokenStreamError(gate.refuseProof('the primary'));
    const opening = decodeMessage(Opening, body);
    const stranger = gate.checkIdentity(opening.identity, 'the primary');
    if (stranger !== null) throw new BrokenStreamError(stranger);
    const standing = decodeStanding(opening.identity?.serverId ?? '', opening.standing);
    if (!machine.onStreamOpened(standing)) {
      throw new BrokenStreamError('the peer is no primary to follow');
    }
    this.receiver = new Receiver(
      follower,
      (epoch, position) => machine.mayTake(standing.boot, epoch, position),
      (epoch, position) => machine.onSnapshot(epoch, position),
    );
  }

  private apply(receiver: Receiver, shipment: NonNullable<FromPrimary['shipment']>): void {
    if (this.client.parts.machine.role !== 'backup')
      throw new BrokenStreamError('no backup any more');
    const { complete } = receiver;
    const confirmation = receiver.take(shipment);
    const joined = !complete && receiver.complete;
    if (joined) this.client.onWhole();
    this.stream.write(encodeMessage(FromStandby, new FromStandby({ confirmation })));
    if (joined) this.offer();
  }

  private offer(): void {
    for (const pushes of inMessages(this.client.parts.offers.take())) {
      this.stream.write(encodeMessage(FromStandby, new FromStandby({ offer: { pushes } })));
    }
  }

  private onClosed(end: StreamEnd): void {
    this.over = true;
    this.client.onEnded(this, this.fault ?? end.message, this.fault !== null);
  }
}
