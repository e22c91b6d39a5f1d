import { seededRandom } from '../../src/bench/load/seeded-random.js';

/** Which of the gateways; a lone one is 0. */
export type NodeIndex = 0 | 1;

/** Something bad, or merely unusual. Times in ms. */
export type Fault =
  /** kill -9, and a start again after `downMs`. */
  | { readonly kind: 'kill'; readonly node: NodeIndex; readonly downMs: number }
  /** SIGSTOP, and SIGCONT after `forMs`. */
  | { readonly kind: 'pause'; readonly node: NodeIndex; readonly forMs: number }
  /** Every client loses its connection at once. */
  | { readonly kind: 'storm' }
  /** The app of every second deployed client is started anew. */
  | { readonly kind: 'restart apps' }
  /** An operator ends the session of every third client, counted from `from`. */
  | { readonly kind: 'kick'; readonly from: number }
  /** Every third client, counted from `from`, has no network; behind it sessions may run out. */
  | { readonly kind: 'absence'; readonly from: number; readonly forMs: number }
  /** Nothing passes between the two gateways. */
  | { readonly kind: 'cut'; readonly forMs: number }
  /** What passes between the two is late by `byMs`. */
  | { readonly kind: 'delay'; readonly byMs: number; readonly forMs: number }
  /** The gateway that serves hands over. */
  | { readonly kind: 'switch' };

export interface Step {
  /** Load without a new fault, before this one. */
  readonly calmMs: number;
  readonly fault: Fault;
}

/** How often each kind comes, and the longest time that it lasts, ms. */
export interface Menu {
  readonly calmMs: number;
  readonly nodes: 1 | 2;
  readonly weights: Readonly<Partial<Record<Fault['kind'], number>>>;
  readonly longestMs: Readonly<Partial<Record<Fault['kind'], number>>>;
}

const SHORTEST_MS = 20;

/** One client of so many is meant by a fault for some of them. */
const EVERY = 3;

/** Those of a list whom a fault for some of them means. */
export function meantBy<One>({ from }: { readonly from: number }, all: readonly One[]): One[] {
  return all.filter((_, index) => index % EVERY === from % EVERY);
}

/** The faults of a seed, without end. The same seed and menu give the same ones. */
export function* scheduleOf(seed: number, menu: Menu): Generator<Step, never> {
  const random = seededRandom(seed);
  const upTo = (ms: number): number => SHORTEST_MS + Math.floor(random() * ms);
  const kinds = Object.entries(menu.weights) as [Fault['kind'], number][];
  const whole = kinds.reduce((sum, [, weight]) => sum + weight, 0);
  for (;;) {
    let left = random() * whole;
    const [kind] =
      kinds.find(([, weight]) => (left -= weight) < 0) ?? (kinds[0] as [never, number]);
    const node: NodeIndex = menu.nodes === 2 && random() < 0.5 ? 1 : 0;
    const forMs = upTo(menu.longestMs[kind] ?? 0);
    const calmMs = upTo(menu.calmMs);
    yield { calmMs, fault: faultOf(kind, node, forMs, upTo(300)) };
  }
}

function faultOf(kind: Fault['kind'], node: NodeIndex, forMs: number, byMs: number): Fault {
  switch (kind) {
    case 'kill':
      return { kind, node, downMs: forMs };
    case 'pause':
      return { kind, node, forMs };
    case 'cut':
      return { kind, forMs };
    case 'delay':
      return { kind, byMs, forMs };
    case 'kick':
      return { kind, from: byMs % EVERY };
    case 'absence':
      return { kind, from: byMs % EVERY, forMs };
    case 'storm':
    case 'restart apps':
    case 'switch':
      return { kind };
  }
}

/** One line: `after 120 ms: kill gateway 0, back after 300 ms`. */
export function describe({ calmMs, fault }: Step): string {
  return `after ${calmMs} ms: ${describeFault(fault)}`;
}

function describeFault(fault: Fault): string {
  switch (fault.kind) {
    case 'kill':
      return `kill -9 of gateway ${fault.node}, started again after ${fault.downMs} ms`;
    case 'pause':
      return `SIGSTOP of gateway ${fault.node}, SIGCONT after ${fault.forMs} ms`;
    case 'storm':
      return 'all clients lose their connection';
    case 'restart apps':
      return 'every second deployed app is started anew';
    case 'cut':
      return `the wire between the two is cut for ${fault.forMs} ms`;
    case 'delay':
      return `the wire between the two is late by ${fault.byMs} ms for ${fault.forMs} ms`;
    case 'kick':
      return `an operator ends the session of every third client from ${fault.from} on`;
    case 'absence':
      return `every third client from ${fault.from} on is away for ${fault.forMs} ms`;
    case 'switch':
      return 'planned switch';
  }
}
