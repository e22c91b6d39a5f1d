import { GatewayClientError } from './errors.js';

/** What a process must know to go on with the session of a former one. Plain JSON. */
export interface ResumeState {
  readonly version: 1;
  readonly openid: string;
  readonly sessionId: string;
  /** Everything up to this downstream number was taken by the application. */
  readonly lastSeq: number;
  /** msg_ids below were used: a late answer to one of them must not be taken for another's. */
  readonly nextMsgId: number;
  /** Which primary the client has seen (docs/SESSIONS.md), hex. */
  readonly epoch: number;
  readonly epochProof: string;
}

/**
 * Where a client keeps its ResumeState, synchronously or not. Calls of `save` never overlap. One
 * client at a time may use a store.
 */
export interface ResumeStore {
  /** @returns what was saved last, null or undefined where there is nothing. */
  load(): unknown;
  /**
   * @param state null: the session is over, forget it. Done, or its promise resolved, means kept. After
   * 5 s without either the client goes on as after a failure.
   */
  save(state: ResumeState | null): void | Promise<void>;
}

/** The store could not be read or written; `cause` is what it threw. The client goes on. */
export class ResumeStoreError extends GatewayClientError {
  constructor(message: string, options?: ErrorOptions) {
    super('RESUME_STORE_FAILED', message, options);
  }
}

/**
 * Reads a saved state.
 * @throws {ResumeStoreError} where it is not one.
 */
export function readResumeState(saved: unknown): ResumeState {
  if (typeof saved !== 'object' || saved === null) throw damaged('it is no object');
  const state = saved as Record<string, unknown>;
  const { version, openid, sessionId, lastSeq, nextMsgId, epoch, epochProof } = state;
  if (version !== 1) throw damaged(`its version is ${String(version)}, not 1`);
  if (typeof openid !== 'string') throw damaged('openid is no text');
  if (typeof sessionId !== 'string' || sessionId === '') throw damaged('sessionId is no text');
  if (typeof epochProof !== 'string' || !/^([0-9a-f]{2})*$/.test(epochProof)) {
    throw damaged('epochProof is no hex text');
  }
  return {
    version,
    openid,
    sessionId,
    lastSeq: count('lastSeq', lastSeq),
    nextMsgId: count('nextMsgId', nextMsgId),
    epoch: count('epoch', epoch),
    epochProof,
  };
}

function count(name: string, value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw damaged(`${name} is no number from 0`);
}

function damaged(why: string): ResumeStoreError {
  return new ResumeStoreError(`the stored session cannot be read: ${why}; starting a new one`);
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
