import type { Push } from './payload.js';

/**
 * When a push is acknowledged to the gateway. `received`: when it was given to the application: its
 * listeners were called, its loop took it. `handled`: when the application is done with it: the
 * promises of its listeners are settled, its loop asked for the next one or was left.
 */
export type AckMode = 'received' | 'handled';

/** A push on its way through the application. */
export interface Delivery {
  readonly push: Push;
  readonly bytes: number;
  /** Listeners and loops that are not done with it. */
  holders: number;
  /** Called once, when nobody holds it any more. */
  readonly settled: () => void;
}
