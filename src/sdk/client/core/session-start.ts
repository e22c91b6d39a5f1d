import type { Frame } from '../../../wire/frame-encoder.js';
import type { Downstream } from './downstream.js';
import type { ResolvedOptions } from './options.js';
import { encodeStart } from './request-frames.js';
import type { SessionMemory } from './session-memory.js';

/** Writes the START frames of a client: who it is, and up to where it has everything. */
export class SessionStart {
  private lastClaim = 0;

  constructor(
    private readonly options: ResolvedOptions,
    private readonly memory: SessionMemory,
    private readonly downstream: Downstream,
  ) {}

  /** last_acked_seq_id of the last START. */
  get claimed(): number {
    return this.lastClaim;
  }

  frame(msgId: number, token: string): Frame {
    const { openid } = this.options;
    const { sessionId, epoch, epochProof } = this.memory;
    const lastAckedSeq = (this.lastClaim = this.downstream.claim);
    return encodeStart(msgId, { openid, token, lastAckedSeq, sessionId, epoch, epochProof });
  }
}
