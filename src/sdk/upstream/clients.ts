import type { GetClientResponse } from '../../wire/messages.js';
import { PushError } from './errors.js';
import type { GatewayCaller } from './gateway-caller.js';
import { isElsewhere, pushErrorOf } from './gateways.js';
import { targetFields } from './push-content.js';
import type { PushTarget } from './push-content.js';
import { wellFormed } from '../../wire/text-and-bytes.js';

/** Where a client is. */
export interface ClientInfo {
  /** A connection serves it now; otherwise its session waits for it. */
  readonly online: boolean;
  readonly sessionId: string;
  readonly openid: string;
  readonly zone: string;
  readonly transport: string;
  readonly remoteAddress: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly connectedAt: number;
  readonly lastActivity: number;
  /** Frames that it has not acknowledged. */
  readonly pending: number;
  /** The gateway that it is at. */
  readonly gateway: string;
}

/**
 * Ends a client's session at whichever gateway holds it; the client is told and stays away.
 * @returns whether there was one. @throws {PushError} where a gateway that may hold it cannot be asked.
 */
export async function kickClient(
  gateways: readonly GatewayCaller[],
  target: PushTarget,
  reason: string,
): Promise<boolean> {
  const request = { ...targetFields(target), reason: wellFormed(reason) };
  const answers = await ask(gateways, (gateway) => gateway.kick(request));
  return answers.some(({ answer }) => answer.success);
}

/**
 * Finds a client at whichever gateway holds it, one where it is online first.
 * @returns null where none does. @throws {PushError} as kickClient.
 */
export async function getClient(
  gateways: readonly GatewayCaller[],
  target: PushTarget,
): Promise<ClientInfo | null> {
  const request = targetFields(target);
  const answers = await ask(gateways, (gateway) => gateway.getClient(request));
  const known = answers.filter(({ answer }) => answer.sessionId !== '');
  const best = known.find(({ answer }) => answer.online) ?? known[0];
  return best === undefined ? null : infoOf(best.answer, best.gateway.address);
}

/** Takes an instance out at every gateway; one that cannot be asked ejects it by itself. */
export async function deregister(
  gateways: readonly GatewayCaller[],
  address: string,
  zoneId: string,
): Promise<void> {
  await Promise.allSettled(gateways.map((gateway) => gateway.deregister({ address, zoneId })));
}

/** Every gateway's answer; an error only where not one answered well, or none serves. */
async function ask<Answer extends { success: boolean; errorCode: string; message: string }>(
  gateways: readonly GatewayCaller[],
  question: (gateway: GatewayCaller) => Promise<Answer>,
): Promise<{ gateway: GatewayCaller; answer: Answer }[]> {
  const answers: { gateway: GatewayCaller; answer: Answer }[] = [];
  let fault: PushError | null = null;
  for (const gateway of gateways) {
    try {
      const answer = await question(gateway);
      answers.push({ gateway, answer });
      const { success, errorCode, message } = answer;
      if (!success && !isElsewhere(errorCode)) fault = new PushError(errorCode, message);
    } catch (error) {
      fault = pushErrorOf(error);
    }
  }
  const found = answers.some(({ answer }) => answer.success);
  if (fault !== null && !found) throw fault;
  // While no gateway of a pair serves, nobody knows who is there.
  const [first] = answers;
  if (first !== undefined && answers.every(({ answer }) => answer.errorCode === 'NOT_PRIMARY')) {
    throw new PushError(first.answer.errorCode, first.answer.message);
  }
  return answers;
}

function infoOf(answer: GetClientResponse, gateway: string): ClientInfo {
  const { online, sessionId, openid, zone, transport, remoteAddress } = answer;
  const { createdAt, connectedAt, lastActivity, pending } = answer;
  const where = { online, sessionId, openid, zone, transport, remoteAddress, gateway };
  return { ...where, createdAt, connectedAt, lastActivity, pending };
}
