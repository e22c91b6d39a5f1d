/** When turns may run at all: a gateway that lost its lease hears nothing and says nothing. */
export interface TurnPace {
  readonly mayRun: () => boolean;
  /** Runs a function a little later, when turns may run again perhaps. */
  readonly wait: (run: () => void) => void;
}

export const UNHINDERED: TurnPace = Object.freeze({
  mayRun: () => true,
  wait: (run: () => void) => void setImmediate(run),
});
