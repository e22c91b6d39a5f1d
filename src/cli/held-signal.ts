import type { SignalSource } from './until-signal.js';

/** Keeps a signal from ending the process, as it would by default, before something can be done with it. */
export class HeldSignal {
  private isHeld = false;
  private act: (() => void) | null = null;
  private readonly listener = (): void => {
    if (this.act === null) this.isHeld = true;
    else this.act();
  };

  constructor(
    private readonly signals: SignalSource,
    private readonly name: NodeJS.Signals,
  ) {
    signals.on(name, this.listener);
  }

  /** From now on each one is acted upon, and those that came before together as one, now. */
  deliver(act: () => void): void {
    this.act = act;
    if (this.isHeld) act();
  }

  /** Gives the signal back. */
  end(): void {
    this.signals.off(this.name, this.listener);
  }
}
