import type { GetClientResponse } from '../../wire/messages.js';
import { PushError } from './errors.js';
import type { GatewayCaller } from './gateway-caller.js';
import { pushErrorOf } from './gateways.js';
import { pushFields } from './push-content.js';
import type { PushContent, PushOptions, PushTarget } from './push-content.js';

/** One push of a batch. */
export type BatchPush = PushTarget & PushContent & PushOptions;

/** What became of one push of a batch; `code` as of PushError, empty on success. */
export interface BatchResult {
  readonly success: boolean;
  readonly code: string;
  readonly message: string;
}

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

/** What one call takes; larger batches are cut into several. */
const MAX_BATCH = 1_000;
/** Well below the 4 MiB of a gRPC message, for titles, metadata and ids come on top. */
const MAX_BATCH_BYTES = 2 * 1_048_576;
/** Refusals that only mean "not here": another gateway may hold the session. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'SESSION_NOT_FOUND',
  'OPENID_OFFLINE',
  'NOT_PRIMARY',
  'SHUTTING_DOWN',
  'GATEWAY_UNREACHABLE',
]);

/**
 * Pushes many messages with few calls; what one gateway does not know is offered to the next.
 * @returns a result for every push, in order. Never rejects for the sake of a single push.
 */
export async function pushBatch(
  gateways: readonly GatewayCaller[],
  pushes: readonly BatchPush[],
): Promise<BatchResult[]> {
  const nowhere = { success: false, code: 'GATEWAY_UNREACHABLE', message: 'no gateway' };
  const results: BatchResult[] = pushes.map(() => nowhere);
  let open = pushes.map((_, index) => index);
  for (const gateway of gateways) {
    for (const part of parts(open, pushes)) {
      const told = await pushPart(
        gateway,
        part.map((index) => pushes[index] as BatchPush),
      );
      part.forEach((index, at) => (results[index] = told[at] ?? nowhere));
    }
    open = open.filter((index) => ELSEWHERE.has(results[index]?.code ?? ''));
  }
  return results;
}

/** Cuts a batch into calls. */
function* parts(
  indices: readonly number[],
  pushes: readonly BatchPush[],
): IterableIterator<number[]> {
  let part: number[] = [];
  let bytes = 0;
  for (const index of indices) {
    const { data, content } = pushes[index] as BatchPush;
    const size = (data?.length ?? 0) + (content?.length ?? 0);
    if (part.length === MAX_BATCH || (part.length > 0 && bytes + size > MAX_BATCH_BYTES)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(index);
    bytes += size;
  }
  if (part.length > 0) yield part;
}

async function pushPart(
  gateway: GatewayCaller,
  pushes: readonly BatchPush[],
): Promise<BatchResult[]> {
  try {
    const fields = pushes.map((push) => pushFields(push, push));
    const { results, errorCode, message } = await gateway.pushBatch({ pushes: fields });
    if (errorCode !== '') return pushes.map(() => ({ success: false, code: errorCode, message }));
    return results.map(({ success, errorCode: code, message: text }) => ({
      success: success ?? false,
      code: code ?? '',
      message: text ?? '',
    }));
  } catch (error) {
    const { code, message } = pushErrorOf(error);
    return pushes.map(() => ({ success: false, code, message }));
  }
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
  const answers = await ask(gateways, (gateway) => gateway.kick({ ...targetOf(target), reason }));
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
  const answers = await ask(gateways, (gateway) => gateway.getClient(targetOf(target)));
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

/** Every gateway's answer; an error only where not one answered well. */
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
      if (!success && !ELSEWHERE.has(errorCode)) fault = new PushError(errorCode, message);
    } catch (error) {
      fault = pushErrorOf(error);
    }
  }
  const found = answers.some(({ answer }) => answer.success);
  if (fault !== null && !found) throw fault;
  return answers;
}

function targetOf(target: PushTarget): { targetType: string; targetId: string } {
  return 'openid' in target
    ? { targetType: 'openid', targetId: target.openid }
    : { targetType: 'session', targetId: target.sessionId };
}

function infoOf(answer: GetClientResponse, gateway: string): ClientInfo {
  const { online, sessionId, openid, zone, transport, remoteAddress } = answer;
  const { createdAt, connectedAt, lastActivity, pending } = answer;
  const where = { online, sessionId, openid, zone, transport, remoteAddress, gateway };
  return { ...where, createdAt, connectedAt, lastActivity, pending };
}
