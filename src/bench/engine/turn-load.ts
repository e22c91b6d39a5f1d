import type { DeliveryEnd } from './delivery-end.js';

/** Connections that take turns in asking, as the sessions of "As sessions grow" do. */
export class TurnLoad {
  private readonly waiting: DeliveryEnd[];

  /** @param atOnce requests that are under way altogether; no more than there are ends. */
  constructor(
    ends: readonly DeliveryEnd[],
    private readonly atOnce: number,
  ) {
    this.waiting = [...ends];
  }

  /**
   * Resolves when so many more are answered, and the answers are acknowledged.
   * @throws {Error} where a byte of an answer was wrong, or a connection ended.
   */
  async ask(requests: number): Promise<void> {
    let left = requests;
    const asker = async (): Promise<void> => {
      while (left-- > 0) {
        const end = this.waiting.shift();
        if (end === undefined) throw new Error('more requests at once than connections');
        await end.ask();
        this.waiting.push(end);
      }
    };
    await Promise.all(Array.from({ length: this.atOnce }, asker));
  }
}
