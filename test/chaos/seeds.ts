const MS_PER_MINUTE = 60_000;

export interface Seeds {
  readonly seeds: readonly number[];
  /** Faults last at least so long, ms; 0: the few of a short run. */
  readonly durationMs: number;
}

/** SEED replays one; SEEDS and MINUTES (`make chaos`) say how many, from 1 on, and how long each. */
export function askedFor(short: readonly number[], env: NodeJS.ProcessEnv = process.env): Seeds {
  const { SEED, SEEDS, MINUTES } = env;
  const durationMs = Number(MINUTES ?? 0) * MS_PER_MINUTE;
  if (SEED !== undefined && SEED !== '') return { seeds: [Number(SEED)], durationMs };
  if (SEEDS === undefined || SEEDS === '') return { seeds: short, durationMs };
  return { seeds: Array.from({ length: Number(SEEDS) }, (_, index) => index + 1), durationMs };
}
