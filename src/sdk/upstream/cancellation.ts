/** Whether anybody still waits for an answer. The AbortSignal is made only for those who ask for it. */
export class Cancellation {
  private controller: AbortController | null = null;
  private cancelled = false;

  get signal(): AbortSignal {
    if (this.controller === null) {
      this.controller = new AbortController();
      if (this.cancelled) this.controller.abort();
    }
    return this.controller.signal;
  }

  cancel(): void {
    this.cancelled = true;
    this.controller?.abort();
  }
}
