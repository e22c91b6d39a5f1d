import type { OfferedFields, PushOffers } from '../replication/push-offers.js';
import type { PushService } from '../session/push-service.js';
import type { ReplicationMetrics } from '../telemetry/replication-metrics.js';
import type { Logger } from '../telemetry/log.js';
import type { OfferedPush } from '../wire/messages.js';
import type { Unshared } from './unshared-pushes.js';

/** Pushes that only this gateway held when it was deposed, on their way to the one that serves. */
export class PairOffers implements PushOffers {
  private waiting: OfferedPush[] = [];

  constructor(
    private readonly pushes: PushService,
    private readonly metrics: ReplicationMetrics,
    private readonly log: Logger,
  ) {}

  /** This gateway's history gives way to another one. */
  found({ pushes, untold }: Unshared): void {
    if (pushes.length === 0 && untold === 0) return;
    this.waiting = pushes;
    this.metrics.unshared.add('untold', untold);
    const told = { offered: pushes.length, untold };
    this.log.warn(
      told,
      'pushes that only this gateway held are offered to the primary; untold ones it may have had',
    );
  }

  take(): OfferedPush[] {
    const { waiting } = this;
    this.waiting = [];
    this.metrics.unshared.add('offered', waiting.length);
    return waiting;
  }

  told(accepted: number, refused: number): void {
    this.metrics.unshared.add('accepted', accepted);
    this.metrics.unshared.add('refused', refused);
    this.log.warn({ accepted, refused }, 'the primary has answered to what only this gateway held');
  }

  accept({ openid, body, key }: OfferedFields): boolean {
    if (!openid || !body) return false;
    const { key: name, digest, plainDigest, ttl } = key ?? {};
    const known =
      name && digest ? { key: name, digest, plainDigest: plainDigest ?? '', ttl: ttl ?? 0 } : null;
    return this.pushes.offered(openid, Buffer.from(body), known);
  }
}
