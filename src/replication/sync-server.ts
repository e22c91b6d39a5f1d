import type { Cancel, Clock } from '../base/clock.js';
import type { ResponseStream, StreamCall, StreamMethod } from '../grpc/server-method.js';
import { GrpcStatus } from '../grpc/unary-caller.js';
import type { Tally } from '../telemetry/tally.js';
import { Method } from '../wire/grpc-methods.js';
import {
  FromPrimary,
  FromStandby,
  Hello,
  Opening,
  decodeMessage,
  encodeMessage,
} from '../wire/messages.js';
import { encodeStanding } from './beat-codec.js';
import type { ClusterSeal } from './cluster-seal.js';
import type { PeerGate } from './peer-gate.js';
import type { OfferedFields, PushOffers } from './push-offers.js';
import type { RoleMachine } from './role-machine.js';
import type { Shipper, ShipperLink } from './shipper.js';
import type { StandbyLag } from './standby-lag.js';

/** One standby follows; a second stream is that of its next attempt, and replaces the first. */
export interface StandbyHost {
  /** Begins to ship. */
  ship(link: ShipperLink): Shipper;
  readonly offers: PushOffers;
  readonly lag: StandbyLag;
  /** Hellos of former processes. */
  readonly fenced: Tally;
  readonly clock: Clock;
  /** A stream without a proven hello is ended after so many ms. */
  readonly helloTimeout: number;
}

const NOTHING = new Uint8Array(0);

/** The primary's end of the Sync service: proves the standby, then ships it the journal. */
export class SyncServer {
  private current: Following | null = null;

  constructor(
    readonly machine: RoleMachine,
    readonly host: StandbyHost,
    readonly seal: ClusterSeal,
    readonly gate: PeerGate,
  ) {}

  /** What the sync port serves. */
  method(): StreamMethod {
    return {
      path: Method.Follow,
      open: (responses, peer) => {
        const following = new Following(this, responses, peer);
        following.challenge();
        return following;
      },
    };
  }

  get shipper(): Shipper | null {
    return this.current?.shipper ?? null;
  }

  /** Boot id of the standby that has confirmed all it must to be in sync, 0 for none. */
  get caughtUpBoot(): number {
    return this.current?.caughtUp === true ? this.current.boot : 0;
  }

  /** This gateway is no primary any more, or stops. */
  dropAll(reason: string): void {
    this.current?.drop(reason);
    this.current = null;
  }

  /**
   * Whether it is of a process that has said goodbye, or of one before the process that was seen last:
   * it must neither be waited for nor end the stream of that.
   */
  isFormer(boot: number): boolean {
    const seen = Math.max(this.machine.peerBoot, this.current?.boot ?? 0);
    return boot < seen || boot === this.machine.standby.departed;
  }

  replace(following: Following): void {
    this.current?.drop('the standby has opened another stream');
    this.current = following;
  }

  gone(following: Following): void {
    if (this.current !== following) return;
    this.current = null;
    this.host.lag.lost();
  }
}

class Following implements StreamCall, ShipperLink {
  shipper: Shipper | null = null;
  boot = 0;
  caughtUp = false;
  private readonly nonce: Uint8Array;
  private cancelWait: Cancel | null = null;

  constructor(
    private readonly server: SyncServer,
    private readonly responses: ResponseStream,
    private readonly peer: string,
  ) {
    this.nonce = server.seal.challenge();
  }

  challenge(): void {
    const { gate, host } = this.server;
    const refused = gate.checkAddress(this.peer);
    if (refused !== null) return this.refuse(refused);
    const { clock, helloTimeout } = host;
    this.cancelWait = clock.after(helloTimeout, () => this.refuse('no hello came'));
    this.send(encodeMessage(FromPrimary, new FromPrimary({ challenge: this.nonce })));
  }

  onMessage(bytes: Uint8Array): void {
    let message: FromStandby;
    try {
      message = decodeMessage(FromStandby, bytes);
    } catch {
      return this.refuse(this.server.gate.refuseGarbage(this.peer));
    }
    const { hello, confirmation, offer } = message;
    if (hello && this.shipper === null) this.greet(hello);
    else if (confirmation && this.shipper !== null) {
      const { number, position } = confirmation;
      this.caughtUp = this.shipper.onConfirmation(number ?? 0, position ?? 0);
      if (this.caughtUp) this.server.host.lag.caughtUp();
    } else if (offer && this.shipper !== null) this.accept(offer.pushes ?? []);
    else this.refuse(this.server.gate.refuseGarbage(this.peer));
  }

  onHalfClose(): void {
    this.drop('the standby has ended the stream');
  }

  onClosed(): void {
    this.cancelWait?.();
    this.caughtUp = false;
    this.shipper?.close();
    this.server.gone(this);
  }

  send(message: Uint8Array): void {
    // The shipper's window keeps what is queued far below what a call may hold.
    this.responses.write(message);
  }

  drop(reason: string): void {
    this.shipper?.close();
    this.responses.end(GrpcStatus.UNAVAILABLE, reason);
  }

  private accept(pushes: readonly OfferedFields[]): void {
    const { offers } = this.server.host;
    const accepted = pushes.filter((push) => offers.accept(push)).length;
    const offerResult = { accepted, refused: pushes.length - accepted };
    this.send(encodeMessage(FromPrimary, new FromPrimary({ offerResult })));
  }

  private greet(sealed: NonNullable<FromStandby['hello']>): void {
    const { gate, seal, machine, host } = this.server;
    let hello: Hello;
    try {
      const body = seal.open('hello', this.nonce, sealed);
      if (body === null) return this.refuse(gate.refuseProof(this.peer));
      hello = decodeMessage(Hello, body);
    } catch {
      return this.refuse(gate.refuseGarbage(this.peer));
    }
    const stranger = gate.checkIdentity(hello.identity, this.peer);
    if (stranger !== null) return this.refuse(stranger);
    if (machine.role !== 'primary') return this.drop('this gateway is not the primary');
    if (this.server.isFormer(hello.boot)) {
      host.fenced.add();
      return this.drop('of a former process');
    }
    this.cancelWait?.();
    this.boot = hello.boot;
    const standing = encodeStanding(machine.standing);
    const body = encodeMessage(Opening, new Opening({ identity: gate.identity(), standing }));
    const opening = seal.seal('opening', hello.challenge ?? NOTHING, body);
    this.server.replace(this);
    host.lag.opened(hello.boot);
    this.send(encodeMessage(FromPrimary, new FromPrimary({ opening })));
    this.shipper = host.ship(this);
  }

  private refuse(reason: string): void {
    this.responses.end(GrpcStatus.PERMISSION_DENIED, reason);
  }
}
