import { STREAMING_TRANSPORT, WEBTRANSPORT_TRANSPORT } from '../client/http3-transports.js';
import { GATESVR_TRANSPORT } from '../client/load-transport.js';
import type { LoadTransport } from '../client/load-transport.js';
import type { Starter } from './contestant.js';
import { runEcho } from './echo-load.js';
import type { EchoPlan } from './echo-load.js';
import { runHeld } from './held-load.js';
import type { HeldPlan } from './held-load.js';
import { takeTurns } from './rounds.js';
import type { Emit } from './rounds.js';

export interface TransportsPlan {
  readonly echo: EchoPlan;
  /** Sessions whose memory is measured while they are idle; none where `sessions` is 0. */
  readonly idle: HeldPlan;
  readonly rounds: number;
  /** Names of transports; all where it is missing. */
  readonly cases: readonly string[] | undefined;
}

/** The first is what the others are compared with. */
const TRANSPORTS = [GATESVR_TRANSPORT, WEBTRANSPORT_TRANSPORT, STREAMING_TRANSPORT];

/**
 * What the ways into the gateway's UDP port cost beside each other: the same echo load over each in
 * turn before one gateway, then idle sessions of each before a gateway of its own. The gateway has served
 * all of them when the first is measured, and which that is changes from round to round: code that is
 * compiled for one transport serves the next as well.
 * @throws {Error} where anything but the right answers came, or a case is not known.
 */
export async function runTransports(
  start: Starter,
  plan: TransportsPlan,
  emit: Emit,
): Promise<void> {
  const transports = chosen(plan.cases);
  for (let round = 0; round < plan.rounds; round++) {
    const order = transports.map((_, place) => transports[(place + round) % transports.length]);
    const inTurn = order.filter((each) => each !== undefined);
    await takeTurns([start], 1, async (contestant) => {
      for (const transport of inTurn) {
        await runEcho(contestant, { ...plan.echo, requests: plan.echo.warmup }, transport);
      }
      for (const transport of inTurn) {
        emit(await runEcho({ ...contestant, name: transport.name }, plan.echo, transport));
      }
    });
    if (plan.idle.sessions > 0) {
      for (const transport of inTurn) {
        await takeTurns([start], 1, async (contestant) =>
          emit(await runHeld({ ...contestant, name: transport.name }, plan.idle, transport)),
        );
      }
    }
  }
}

function chosen(names: readonly string[] | undefined): readonly LoadTransport[] {
  if (names === undefined) return TRANSPORTS;
  return names.map((name) => {
    const transport = TRANSPORTS.find((each) => each.name === name);
    if (transport !== undefined) return transport;
    throw new Error(`--cases knows ${TRANSPORTS.map((each) => each.name).join(', ')}`);
  });
}
