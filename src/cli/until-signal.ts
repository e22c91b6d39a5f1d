/** The process as a command sees it that runs until it is told to stop. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  exit(code: number): void;
}

const SIGNAL_EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;
const TOLD_TO_STOP = ['SIGTERM', 'SIGINT'] as const;
/** For what would leave something behind when its terminal closes: processes, registrations. */
const TOLD_OR_LEFT = [...TOLD_TO_STOP, 'SIGHUP'] as const;

/** Listens for SIGTERM and SIGINT, and keeps the process alive; a second one ends it at once. */
export class UntilSignal {
  /** Resolves at the first signal. */
  readonly told: Promise<void>;
  private tell: (() => void) | null = null;
  /** A promise alone does not keep the process alive while nothing else does. */
  private readonly alive = setInterval(() => undefined, 2 ** 30);
  private readonly listener = (signal: NodeJS.Signals): void => {
    // Shell and system both send a SIGHUP when a terminal closes.
    if (this.tell === null && signal !== 'SIGHUP') {
      this.signals.exit(SIGNAL_EXIT_CODES[signal as 'SIGINT'] ?? 1);
    }
    this.tellNow();
  };

  private readonly names: readonly NodeJS.Signals[];

  /** @param hangup whether a SIGHUP tells the same. Elsewhere it ends the process, or means to reload. */
  constructor(
    private readonly signals: SignalSource,
    hangup = false,
  ) {
    this.names = hangup ? TOLD_OR_LEFT : TOLD_TO_STOP;
    this.told = new Promise((resolve) => (this.tell = resolve));
    for (const signal of this.names) signals.on(signal, this.listener);
  }

  /** As the first signal does; again, it does nothing. */
  tellNow(): void {
    this.tell?.();
    this.tell = null;
  }

  /** Gives the signals back. */
  end(): void {
    clearInterval(this.alive);
    for (const signal of this.names) this.signals.off(signal, this.listener);
  }
}
