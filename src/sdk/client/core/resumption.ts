import type { Downstream } from './downstream.js';
import type { MsgIds } from './msg-ids.js';
import type { ResolvedOptions } from './options.js';
import { ResumeKeeper } from './resume-keeper.js';
import { fromHex, toHex } from './resume-store.js';
import type { ResumeState, ResumeStoreError } from './resume-store.js';
import type { SessionMemory } from './session-memory.js';

/**
 * msg_ids that a restarted process leaves out: far more than are used between two saves, of which
 * there is one for every acknowledgement.
 */
const MSG_ID_MARGIN = 1 << 20;

/** What is kept of a session, and where it goes back to. */
export interface ResumptionParts {
  readonly memory: SessionMemory;
  readonly msgIds: MsgIds;
  readonly downstream: Downstream;
}

/** The session over restarts of the process: reads the application's ResumeStore and writes to it. */
export class Resumption {
  private readonly keeper: ResumeKeeper | null;
  private loaded = false;
  private saving: Promise<void> = Promise.resolve();

  constructor(
    private readonly options: ResolvedOptions,
    private readonly parts: () => ResumptionParts,
    report: (error: ResumeStoreError) => void,
  ) {
    const { store, clock } = options;
    this.keeper = store === null ? null : new ResumeKeeper(store, clock, report);
  }

  /** Whether the store has not answered yet: only then is `load` worth waiting for. */
  get mayLoad(): boolean {
    return this.keeper !== null && !this.loaded;
  }

  /** Resolves when everything given to the store is there, or has failed (ResumeKeeper); never rejects. */
  get saved(): Promise<void> {
    return this.saving;
  }

  /** Whether numbers are kept. */
  get keeps(): boolean {
    return this.keeper !== null;
  }

  /**
   * Goes on where a former process was, if the store knows of one. A store that failed may be asked
   * again. Not to be called while it is under way. Never rejects.
   */
  async load(): Promise<void> {
    const state = (await this.keeper?.load(this.options.openid)) ?? null;
    if (state === 'failed') return;
    this.loaded = true;
    if (state === null) return;
    const { memory, msgIds, downstream } = this.parts();
    memory.restore(state.sessionId, state.epoch, fromHex(state.epochProof));
    msgIds.goOnFrom(state.nextMsgId);
    downstream.restore(state.lastSeq);
  }

  /** Keeps the session as it is. @param lastSeq what the application has. */
  save(lastSeq: number): Promise<void> {
    if (this.keeper !== null && this.parts().memory.sessionId !== '') {
      this.saving = this.keeper.save(this.state(lastSeq));
    }
    return this.saving;
  }

  /** The session is over. */
  forget(): void {
    if (this.keeper !== null) this.saving = this.keeper.save(null);
  }

  private state(lastSeq: number): ResumeState {
    const { memory, msgIds } = this.parts();
    return {
      version: 1,
      openid: this.options.openid,
      sessionId: memory.sessionId,
      lastSeq,
      nextMsgId: msgIds.latest + MSG_ID_MARGIN,
      epoch: memory.epoch,
      epochProof: toHex(memory.epochProof),
    };
  }
}
