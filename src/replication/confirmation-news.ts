import type { Logger } from '../telemetry/log.js';
import type { GateOptions } from './confirmation-gate.js';

/** Whether the standby of this primary confirms, does not although it is there, or is not there. */
type Confirming = 'confirms' | 'silent' | 'alone';

/** Tells the log of a primary how its standby confirms: one line for each change, none for what stays. */
export class ConfirmationNews {
  private last: Confirming = 'alone';

  constructor(
    private readonly options: GateOptions,
    private readonly log: Logger,
  ) {}

  /** Sync mode: confirmations stopped, or count again. A primary that is alone misses none. */
  tell(now: 'confirms' | 'silent'): void {
    const { last } = this;
    if (now === last || (now === 'silent' && last === 'alone')) return;
    this.last = now;
    if (now === 'silent') this.log.error(`the standby does not confirm${this.consequence}`);
    else this.log.info('the standby confirms');
  }

  /** The primary serves without a standby from here on. */
  alone(epoch: number, reason: string): void {
    this.last = 'alone';
    this.log.warn({ epoch, reason }, `serving without a backup${this.consequence}`);
  }

  /** Another role: what was is over. */
  forget(): void {
    this.last = 'alone';
  }

  private get consequence(): string {
    return withoutStandby(this.options);
  }
}

/** What it means that no standby confirms, to follow a sentence; empty where nothing was promised. */
export function withoutStandby({
  mode,
  onTimeout,
}: Pick<GateOptions, 'mode' | 'onTimeout'>): string {
  if (mode === 'async') return '';
  if (onTimeout === 'refuse') return ': pushes and requests are refused';
  return ': success promises no more than async';
}
