import type { Clock } from '../base/clock.js';
import type { Session } from './session.js';
import type { SessionRegistry } from './session-registry.js';
import { notPrimaryReason } from './serving-gate.js';
import type { ServingGate } from './serving-gate.js';

/** Whom a question is about: a session by its id, or the session of an openid. */
interface Target {
  /** `session` or `openid`. */
  readonly targetType: string;
  readonly targetId: string;
}

/** Tells who is there and ends sessions: the ClientDirectory behind the gateway's gRPC service. */
export class ClientDesk {
  /** @param expel ends a session for good, with 403 and why; what its client has not acknowledged waits for the openid. */
  constructor(
    private readonly registry: SessionRegistry,
    private readonly clock: Clock,
    private readonly serving: ServingGate,
    private readonly expel: (session: Session, why: string) => void,
  ) {}

  /** What the sessions here say counts only while this gateway serves. */
  get elsewhere(): string | null {
    return this.serving.accepts ? null : notPrimaryReason(this.serving);
  }

  find(target: Target) {
    const session = this.sessionOf(target);
    if (session === undefined) return null;
    return {
      online: session.active,
      sessionId: session.id,
      openid: session.openid,
      zone: session.zone,
      transport: session.transport,
      remoteAddress: session.remoteAddress,
      createdAt: Math.round(session.createdAt),
      connectedAt: Math.round(session.connectedAt),
      lastActivity: Math.round(this.clock.wallTime() - (this.clock.now() - session.lastFrameAt)),
      pending: session.outbox.totalFrames,
    };
  }

  /**
   * The client gets a final PUSH_ERROR 403 with the reason, which tells SDKs not to come back by
   * themselves; one that does nevertheless begins a new session.
   * @returns the id of the session that ended, or null where there is none.
   */
  kick(target: Target, reason: string): string | null {
    const session = this.sessionOf(target);
    if (session === undefined) return null;
    this.expel(session, reason);
    return session.id;
  }

  private sessionOf({ targetType, targetId }: Target): Session | undefined {
    if (targetType === 'session') return this.registry.find(targetId);
    return this.registry.findByOpenid(targetId);
  }
}
