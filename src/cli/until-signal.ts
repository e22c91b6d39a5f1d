/** The process as a command sees it that runs until it is told to stop. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  exit(code: number): void;
}

const SIGNAL_EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** Listens for SIGTERM and SIGINT, and keeps the process alive; a second one ends it at once. */
export class UntilSignal {
  /** Resolves at the first signal. */
  readonly told: Promise<void>;
  private tell: (() => void) | null = null;
  /** A promise alone does not keep the process alive while nothing else does. */
  private readonly alive = setInterval(() => undefined, 2 ** 30);
  private readonly listener = (signal: NodeJS.Signals): void => {
    if (this.tell === null) {
      this.signals.exit(SIGNAL_EXIT_CODES[signal as 'SIGINT'] ?? 1);
    }
    this.tellNow();
  };

  constructor(private readonly signals: SignalSource) {
    this.told = new Promise((resolve) => (this.tell = resolve));
    for (const signal of SIGNALS) signals.on(signal, this.listener);
  }

  /** As the first signal does; again, it does nothing. */
  tellNow(): void {
    this.tell?.();
    this.tell = null;
  }

  /** Gives the signals back. */
  end(): void {
    clearInterval(this.alive);
    for (const signal of SIGNALS) this.signals.off(signal, this.listener);
  }
}
