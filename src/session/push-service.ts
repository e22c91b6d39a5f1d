import type { JournalWriter, PushKey } from '../journal/journal-writer.js';
import type { SessionMetrics } from '../telemetry/session-metrics.js';
import type { PushBody } from '../wire/frame-encoder.js';
import { MAX_BODY_BYTES } from '../wire/limits.js';
import { NotifySyncHint, UnicastPushRequest } from '../wire/messages.js';
import type { BroadcastRequest } from '../wire/messages.js';
import type { PushErrorCode, PushResult } from '../wire/push-result.js';
import { Audience } from './audience.js';
import { FanOut } from './fan-out.js';
import type { BroadcastDone } from './fan-out.js';
import { KEY_LIFETIME_MS, digestOf, plainDigestOf } from './idempotency-keys.js';
import type { IdempotencyKeys } from './idempotency-keys.js';
import type { OfflineQueues } from './offline-queues.js';
import { AT_ONCE, encodePushContent } from './push-content.js';
import type { PushOrder } from './push-content.js';
import { PushTurns } from './push-turns.js';
import type { TurnPlan } from './push-turns.js';
import { notPrimaryReason } from './serving-gate.js';
import type { ServingGate } from './serving-gate.js';
import { SettlingPush } from './settling-push.js';
import type { Session } from './session.js';
import type { SessionRegistry } from './session-registry.js';

const ACCEPTED: PushResult = { success: true, message: 'accepted', errorCode: '' };
const REPEATED: PushResult = { success: true, message: 'accepted before', errorCode: '' };
/** Of the codes that deployed upstreams know the one that says: later, or elsewhere. */
const NOT_OPEN = refused('SHUTTING_DOWN', 'the gateway is starting, try again');
const SHUTTING_DOWN = refused('SHUTTING_DOWN', 'the gateway is shutting down');

export interface PushServiceParts {
  readonly registry: SessionRegistry;
  readonly offline: OfflineQueues;
  readonly keys: IdempotencyKeys;
  readonly metrics: SessionMetrics;
  /** Null where nothing is written down. */
  readonly journal: JournalWriter | null;
  readonly serving: ServingGate;
  /** Frames that a session may hold. */
  readonly outboxMaxFrames: number;
  /** What pushes and broadcasts are spread over. */
  readonly turns: TurnPlan;
}

/**
 * Pushes of upstreams into sessions (docs/SESSIONS.md, "Pushes"): the PushSink behind GatewayService, which
 * checks the form of a request before it comes here.
 */
export class PushService {
  private closed: PushResult | null = NOT_OPEN;
  private readonly turns: PushTurns;
  private readonly fanOut: FanOut;

  constructor(private readonly parts: PushServiceParts) {
    const { metrics, turns } = parts;
    this.turns = new PushTurns(turns);
    this.fanOut = new FanOut(this.turns, { ...parts, outcomes: metrics.pushes, soon: turns.soon });
  }

  /** Pushes are accepted from here on. */
  open(): void {
    this.closed = null;
  }

  /**
   * From here on every push is refused: what is accepted later would miss the state file. Broadcasts
   * that are under way are in all outboxes when it returns, or broken off where nothing may be numbered.
   */
  close(): void {
    this.closed = SHUTTING_DOWN;
    if (this.parts.serving.numbers) this.fanOut.finish();
    else this.breakOff();
  }

  /** Numbers may be given again: broadcasts that stood still for that go on. */
  goOn(): void {
    this.fanOut.goOn();
  }

  /** Broadcasts that are under way reach nobody any more: another gateway serves. */
  breakOff(): void {
    this.fanOut.breakOff(`REPLICATION_LAG: ${notPrimaryReason(this.parts.serving)}`);
  }

  refused(code: PushErrorCode): void {
    this.parts.metrics.pushes.add(code);
  }

  /**
   * success=true means that the push is in an outbox or an offline queue, and kept as safe as the
   * journal is asked to. Without a journal it answers at once.
   */
  push(request: UnicastPushRequest, done: (result: PushResult) => void): void {
    const result = this.accept(request);
    const { journal } = this.parts;
    if (journal !== null && result.success && journal.newest > journal.settled.position) {
      const waiter = new SettlingPush(result, done, this.parts.metrics.pushes, this.parts.serving);
      journal.settled.wait(journal.newest, waiter);
      return;
    }
    this.parts.metrics.pushes.add(result.success ? 'accepted' : result.errorCode);
    done(result);
  }

  /**
   * To sessions, active or detached, all or those that the request names; the body is encoded once.
   * Answers when every outbox was asked, possibly some turns later (FanOut).
   */
  broadcast(request: BroadcastRequest, done: BroadcastDone): void {
    const refusal = this.refusal();
    if (refusal !== null) return done(0, `${refusal.errorCode}: ${refusal.message}`);
    const body = encodePushContent(request);
    if (body.length > MAX_BODY_BYTES) {
      return done(0, `TOO_LARGE: larger than ${MAX_BODY_BYTES} bytes`);
    }
    this.fanOut.start(body, Audience.of(request, this.parts.registry), done);
  }

  private accept(request: UnicastPushRequest): PushResult {
    const refusal = this.refusal();
    if (refusal !== null) return refusal;
    const body = encodePushContent(request);
    if (body.length > MAX_BODY_BYTES) {
      return refused('TOO_LARGE', `${body.length} bytes encoded, the limit is ${MAX_BODY_BYTES}`);
    }
    if (request.idempotencyKey === '') return this.deliver(request, body, null);
    const target = `${request.targetType}:${request.targetId}`;
    const order = `${request.syncHint}/${request.bindClientSeqId}`;
    const digest = digestOf(target, order, body);
    const verdict = this.parts.keys.judge(request.idempotencyKey, digest);
    if (verdict === 'repeat') return REPEATED;
    if (verdict === 'conflict') {
      return refused('KEY_CONFLICT', 'this idempotency_key was used for another push');
    }
    const plainDigest = this.plainDigest(request, body, digest);
    const key = { key: request.idempotencyKey, digest, plainDigest, ttl: KEY_LIFETIME_MS };
    const result = this.deliver(request, body, key);
    if (!result.success) return result;
    this.parts.keys.remember(key.key, digest, key.ttl, plainDigest);
    // Any other push has it in its own entry.
    if (request.bestEffort) this.parts.journal?.key(key);
    return result;
  }

  /**
   * A push that the deposed gateway of a pair had accepted: a new one here, unless its key is known.
   * @returns whether it is, or was before, in an outbox or an offline queue.
   */
  offered(openid: string, body: PushBody, key: PushKey | null): boolean {
    if (this.refusal() !== null) return false;
    if (key !== null) {
      const verdict = this.parts.keys.judge(key.key, key.digest);
      if (verdict !== 'new') return verdict === 'repeat';
    }
    const request = new UnicastPushRequest({ targetType: 'openid', targetId: openid });
    const { success } = this.deliver(request, body, key);
    if (success && key !== null) {
      this.parts.keys.remember(key.key, key.digest, key.ttl, key.plainDigest);
    }
    if (success) this.parts.metrics.pushes.add('accepted');
    return success;
  }

  /** As PushKey has it. */
  private plainDigest(request: UnicastPushRequest, body: PushBody, digest: string): string {
    const { targetType, targetId } = request;
    const toSession = targetType === 'session';
    if (!toSession && !request.syncHint && !request.bindClientSeqId) return '';
    const openid = toSession ? this.parts.registry.find(targetId)?.openid : targetId;
    const plain = plainDigestOf(openid ?? '', body);
    return plain === digest ? '' : plain;
  }

  /** Why nothing is accepted now, as an answer: not open, not the primary, or the journal cannot keep it. */
  private refusal(): PushResult | null {
    const { serving, journal } = this.parts;
    if (this.closed !== null) return this.closed;
    if (!serving.accepts) return refused('NOT_PRIMARY', notPrimaryReason(serving));
    const obstacle = journal === null ? null : journal.obstacle;
    return obstacle === null ? null : refused(obstacle.pushError, obstacle.reason);
  }

  private deliver(request: UnicastPushRequest, body: PushBody, key: PushKey | null): PushResult {
    if (request.targetType === 'session') {
      const session = this.parts.registry.find(request.targetId);
      if (session === undefined) {
        return refused('SESSION_NOT_FOUND', `no session ${request.targetId}`);
      }
      return this.intoSession(session, request, body, key);
    }
    const session = this.parts.registry.findByOpenid(request.targetId);
    if (session !== undefined) return this.intoSession(session, request, body, key);
    if (!this.parts.offline.enabled || request.bestEffort || request.sessionOnly) {
      return refused('OPENID_OFFLINE', 'the openid has no session');
    }
    if (this.parts.offline.add(request.targetId, body, key)) return ACCEPTED;
    return refused(
      'OFFLINE_QUEUE_FULL',
      'too much waits for this openid, or for all without a session',
    );
  }

  private intoSession(
    session: Session,
    request: UnicastPushRequest,
    body: PushBody,
    key: PushKey | null,
  ): PushResult {
    if (request.bestEffort) {
      if (session.downstream.pushBestEffort(body)) return ACCEPTED;
      return session.active
        ? refused('OUTBOX_FULL', 'dropped: the client cannot take it now')
        : refused('OPENID_OFFLINE', 'dropped: the client is not connected');
    }
    if (!session.push(body, orderOf(request), key)) {
      return refused('OUTBOX_FULL', 'too much waits for this client, or for all of them together');
    }
    this.turns.writeSoon(session);
    return ACCEPTED;
  }
}

function orderOf({ syncHint, bindClientSeqId: clientSeq }: UnicastPushRequest): PushOrder {
  switch (syncHint) {
    case NotifySyncHint.NSH_BEFORE_RESPONSE:
      return { side: 'before', clientSeq };
    case NotifySyncHint.NSH_AFTER_RESPONSE:
      return { side: 'after', clientSeq };
    default:
      return AT_ONCE;
  }
}

function refused(errorCode: PushErrorCode, message: string): PushResult {
  return { success: false, message, errorCode };
}
