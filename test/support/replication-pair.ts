import { CodedError } from '../../src/base/errors.js';
import { silentLogger } from '../../src/telemetry/log.js';
import { RoleMachine } from '../../src/replication/role-machine.js';
import type { RoleState, RoleStore } from '../../src/replication/role-file.js';
import type { RoleChange, RoleOptions } from '../../src/replication/role-options.js';
import type { Word } from '../../src/replication/standing.js';
import { jumpAbove } from '../../src/session/number-jump.js';
import { FakeClock } from './fake-clock.js';

/** A disk that outlives its process. */
export class MemoryRoleStore implements RoleStore {
  state: RoleState | null = null;
  /** Why nothing can be saved. */
  broken: 'ROLE_UNWRITABLE' | 'ROLE_UNSYNCED' | null = null;

  load(): RoleState | null {
    return this.state;
  }

  save(state: RoleState): void {
    if (this.broken !== 'ROLE_UNWRITABLE') this.state = state;
    if (this.broken) throw new CodedError(this.broken, 'disk full');
  }
}

export type PairSettings = Partial<Omit<RoleOptions, 'serverId' | 'mode'>> & {
  readonly modes?: readonly ['primary' | 'backup', 'primary' | 'backup'];
  /** A crash keeps the history. */
  readonly diskJournal?: boolean;
  /** Only this one refuses what is not confirmed. */
  readonly refusing?: 'a' | 'b';
  /** Of `b`, where it is another one than that of `a`. */
  readonly timeoutOfB?: number;
};

export const TIMEOUT = 6_000;
export const INTERVAL = 2_000;
export const TICK = 250;

/** One node: a RoleMachine, its disk, and a history that is a list of entries. */
export class PairNode {
  readonly store = new MemoryRoleStore();
  machine!: RoleMachine;
  entries: string[] = [];
  /** Late: to be numbered once nothing is offered any more. */
  private waiting: string[] = [];
  /** The next push has this number or a higher one; part of the history. */
  floor = 0;
  changes: RoleChange[] = [];
  takeOverAsked = 0;
  alone: string[] = [];
  up = false;
  paused = false;

  constructor(
    readonly serverId: string,
    private readonly mode: 'primary' | 'backup',
    private readonly settings: PairSettings,
    private readonly clock: FakeClock,
  ) {}

  /** A new process whose disk was replaced: role file and journal are gone. */
  replace(): void {
    // As without a file, but for the boot id: the wall clock keeps that growing, and stands still here.
    const boot = this.store.state?.boot ?? 0;
    const nothing = { solo: false, epoch: 0, position: 0, seenEpoch: 0, peer: '', failbacks: 0 };
    this.store.state = { role: this.mode, boot, ...nothing };
    this.boot('nothing');
  }

  /** A new process. @param left what the former one left of its history. */
  boot(left: 'as configured' | 'nothing' = 'as configured'): void {
    const { diskJournal = false, refusing, timeoutOfB = TIMEOUT, ...options } = this.settings;
    const keeps = diskJournal || this.store.state === null;
    const recovered = keeps && left !== 'nothing';
    if (!recovered) this.entries = [];
    if (!recovered) this.floor = 0;
    this.waiting = [];
    this.up = true;
    this.paused = false;
    this.machine = new RoleMachine(
      {
        onPeerLoss: 'continue',
        promoteStale: false,
        refuses: refusing === this.serverId,
        timeout: this.serverId === 'b' ? timeoutOfB : TIMEOUT,
        tickPeriod: TICK,
        ...options,
        serverId: this.serverId,
        mode: this.mode,
      },
      this.store,
      { position: () => this.entries.length, recovered },
      {
        onRole: (change) => this.onRole(change),
        onTakeOverAsked: () => void this.takeOverAsked++,
        onHandOverFailed: () => this.release(),
        onAlone: (reason) => void this.alone.push(reason),
        onDeparted: () => undefined,
      },
      this.clock,
      silentLogger(),
    );
  }

  /** Number of the next push: those that have one begin with it. */
  get nextNumber(): number {
    const newest = this.entries.findLast((entry) => /^\d+: /.test(entry));
    return Math.max(this.floor, 1 + Number.parseInt(newest ?? '0'));
  }

  /** A push. */
  append(content: string): void {
    this.entries.push(`${this.nextNumber}: ${content}`);
  }

  /**
   * What was under way when it fell silent: an answer, a deadline, the end of a session. Once the role is offered
   * nothing is numbered any more (`ServingGate.numbers`), though entries may be written.
   */
  appendLate(content: string): void {
    if (!this.machine.handOver.offered) return this.append(content);
    this.entries.push(`unnumbered: ${content}`);
    this.waiting.push(content);
  }

  private release(): void {
    for (const content of this.waiting.splice(0)) this.appendLate(content);
  }

  private onRole(change: RoleChange): void {
    this.changes.push(change);
    // Sessions begin again: their requests have no answer.
    this.waiting = [];
    if (change.jump) this.floor = jumpAbove(this.nextNumber, change.smaller ? 'odd' : 'even');
  }

  get runs(): boolean {
    return this.up && !this.paused;
  }

  get serves(): boolean {
    return this.runs && this.machine.accepting;
  }
}

/** Two nodes whose messages a test delivers, loses or delays. */
export class Pair {
  readonly clock = new FakeClock();
  readonly a: PairNode;
  readonly b: PairNode;
  /** Nothing gets through. */
  cut = false;

  constructor(settings: PairSettings = {}) {
    const [first, second] = settings.modes ?? ['primary', 'backup'];
    this.a = new PairNode('a', first, settings, this.clock);
    this.b = new PairNode('b', second, settings, this.clock);
    this.a.boot();
    this.b.boot();
  }

  other(node: PairNode): PairNode {
    return node === this.a ? this.b : this.a;
  }

  /** A heartbeat there and its answer back, without delay. */
  exchange(from: PairNode): void {
    if (!from.runs || !from.machine.speaks) return;
    const word = from.machine.nextWord();
    const answer = this.deliver(this.other(from), word);
    if (answer !== null) from.machine.onAnswer(word.sequence, answer);
  }

  deliver(to: PairNode, word: Word): Word | null {
    return this.cut || !to.runs ? null : to.machine.onHeartbeat(word);
  }

  /** The stream: a snapshot of all, confirmed at once. */
  ship(from: PairNode): boolean {
    const to = this.other(from);
    if (this.cut || !from.runs || !to.runs || from.machine.role !== 'primary') return false;
    const { standing } = from.machine;
    if (!to.machine.onStreamOpened(standing)) return false;
    to.entries = [...from.entries];
    to.floor = from.floor;
    to.machine.onSnapshot(standing.epoch, standing.position);
    from.machine.onCaughtUp(to.machine.boot);
    return true;
  }

  /** Time passes, with ticks, heartbeats and shipping as in a gateway. */
  run(ms: number): void {
    for (let passed = 0; passed < ms; passed += TICK) {
      this.clock.advance(TICK);
      for (const node of [this.a, this.b]) if (node.runs) node.machine.tick();
      if (Math.round(this.clock.now()) % INTERVAL !== 0) continue;
      for (const node of [this.a, this.b]) {
        this.exchange(node);
        this.ship(node);
      }
    }
  }
}
