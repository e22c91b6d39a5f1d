import { setTimeout as pause } from 'node:timers/promises';
import { LatencyRecorder } from '../client/latency-recorder.js';
import type { AskEnd, FailoverPlayer } from './failover-player.js';

const TICK_MS = 10;
/** An app whose request was not answered asks again so much later, ms. */
const ASK_AGAIN_MS = 200;
const GREETED_AT_ONCE = 32;
/** How long the last requests may take, ms. */
const PATIENCE_MS = 130_000;

/**
 * Requests by the clock, of all players in turn, one under way per player; counts how they end. A player
 * whose request was not answered asks the next one soon.
 */
export class RequestStream {
  answered = 0;
  unknown = 0;
  refused = 0;
  unsent = 0;
  /**
   * What each player saw of the kill, ms: from its first request that was under way then, or came later,
   * to its next answer.
   */
  readonly waits = new LatencyRecorder();
  private readonly busy = new Set<FailoverPlayer>();
  private killedAt = Infinity;
  /** When the wait of a player began; 0 once it was over. */
  private readonly waiting = new Map<FailoverPlayer, number>();
  private timer: NodeJS.Timeout | null = null;
  private begunAt = 0;
  private begun = 0;
  private asked = 0;

  /** @param rate per second. A player that still waits is passed over. */
  constructor(
    private readonly players: readonly FailoverPlayer[],
    private readonly rate: number,
  ) {}

  /**
   * Every player asks once: deployed clients say hello first, and one that never acknowledged a frame is
   * taken for a restarted app when it comes back (docs/SESSIONS.md). @throws {Error} where one is not answered.
   */
  async greet(): Promise<void> {
    let next = 0;
    const greetNext = async (): Promise<void> => {
      for (let player = this.players[next++]; player !== undefined; player = this.players[next++]) {
        const end = await player.ask(`${player.openid} hello`);
        if (end !== 'answered') throw new Error(`${player.openid} is not answered: ${end}`);
        this.answered++;
      }
    };
    await Promise.all(Array.from({ length: GREETED_AT_ONCE }, greetNext));
  }

  begin(): void {
    this.begunAt = performance.now();
    this.timer = setInterval(() => this.askDue(), TICK_MS);
  }

  /** The primary is killed at this moment, performance.now(). */
  noteKill(at: number): void {
    this.killedAt = at;
    for (const player of this.busy) this.waiting.set(player, at);
  }

  /** Asks nothing more; resolves when all have ended. @throws {Error} where some do not. */
  async end(): Promise<void> {
    this.abort();
    for (const until = Date.now() + PATIENCE_MS; this.busy.size > 0; await pause(TICK_MS)) {
      if (Date.now() > until) throw new Error(`${this.busy.size} requests do not end`);
    }
  }

  /** Asks nothing more. Idempotent. */
  abort(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  private askDue(): void {
    const due = Math.floor(((performance.now() - this.begunAt) * this.rate) / 1000);
    for (; this.begun < due; this.begun++) {
      const player = this.players[this.begun % this.players.length];
      if (player !== undefined && !this.busy.has(player)) this.ask(player);
    }
  }

  private ask(player: FailoverPlayer): void {
    this.busy.add(player);
    const now = performance.now();
    if (now > this.killedAt && !this.waiting.has(player)) this.waiting.set(player, now);
    void player.ask(`${player.openid} ${this.asked++}`).then((end) => this.onEnd(player, end));
  }

  private onEnd(player: FailoverPlayer, end: AskEnd): void {
    this[end]++;
    if (end !== 'answered' && this.timer !== null) {
      setTimeout(() => this.ask(player), ASK_AGAIN_MS);
      return;
    }
    this.busy.delete(player);
    const since = this.waiting.get(player) ?? 0;
    if (since === 0 || end !== 'answered') return;
    this.waits.record(performance.now() - since);
    this.waiting.set(player, 0);
  }
}
