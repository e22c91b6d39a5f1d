import type { Clock } from '../base/clock.js';
import type { TimerWheel } from '../base/timer-wheel.js';
import type { JournalWriter } from '../journal/journal-writer.js';
import type { NumberCeiling } from '../journal/number-ceiling.js';
import type { SessionMetrics } from '../telemetry/session-metrics.js';
import type { Epochs } from './epochs.js';
import type { LateOutcomes } from './late-outcomes.js';
import type { SessionOptions } from './options.js';
import type { OutboxTotal } from './outbox-total.js';
import type { Overload } from './overload/overload.js';
import type { ServingGate } from './serving-gate.js';
import type { SessionHandles } from './session-handles.js';
import type { Tracing } from './trace/tracing.js';

/** What all sessions share. */
export interface SessionEnvironment {
  readonly options: SessionOptions;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly metrics: SessionMetrics;
  readonly ceiling: NumberCeiling;
  readonly overload: Overload;
  readonly handles: SessionHandles;
  readonly outboxTotal: OutboxTotal;
  /** Whether this gateway serves at the moment. */
  readonly serving: ServingGate;
  /** What may not be numbered yet. */
  readonly late: LateOutcomes;
  readonly epochs: Epochs;
  /** Null where nothing is written down. */
  readonly journal: JournalWriter | null;
  /** Who follows clients and their requests. */
  readonly tracing: Tracing;
  /** The session's time is over: session_timeout while active, resume_window while detached. */
  onExpired(sessionId: string): void;
}
