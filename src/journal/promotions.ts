import { randomBytes } from 'node:crypto';
import { StateRecord } from '../wire/messages.js';

/** A gateway that was away for more promotions than this is not told where its history ended. */
const MAX_PROMOTIONS = 32;

/** Random bytes of an id: what a JavaScript number holds exactly. */
const ID_BYTES = 6;

/** A process began to serve: in a new epoch, or it went on in its own. */
export interface Promotion {
  readonly epoch: number;
  /** Of its first entry. */
  readonly position: number;
  /** Drawn at random; 0: of an older version. */
  readonly id: number;
  /** It lacked the end of what it had before, and may have served in it: what it did is not known. */
  readonly forgot: boolean;
}

/** Where a history parts from the one that takes its place. */
export interface Fork {
  /** Of the first entry that may be missing in the other one. */
  readonly position: number;
  /** False: the other gateway may have had what comes from there on, and forgotten it. */
  readonly sure: boolean;
}

const ANYWHERE: Fork = Object.freeze({ position: 0, sure: false });

/** An id that no other promotion has. */
export function promotionId(): number {
  return randomBytes(ID_BYTES).readUIntBE(0, ID_BYTES);
}

/**
 * Who began to serve where in a journal, in order. Two histories are the same up to what follows the newest
 * promotion that both have: epochs alone do not tell, for a process that lost its journal begins again
 * in the one it had.
 */
export class Promotions {
  private list: Promotion[] = [];

  /** The same may be told twice, as a record and by its entry: of two positions the lower counts. */
  note(promotion: Promotion): void {
    const index = this.list.findIndex(
      ({ epoch, id }) => epoch === promotion.epoch && meansOne(id, promotion.id),
    );
    const known = this.list[index];
    if (known === undefined) {
      this.list.push(promotion);
      if (this.list.length > MAX_PROMOTIONS) this.list.shift();
      return;
    }
    const position = Math.min(known.position, promotion.position);
    this.list[index] = { ...promotion, id: known.id || promotion.id, position };
  }

  /** Where `former` is another history than this one, which takes its place; null where it is not. */
  forkOf(former: Promotions): Fork | null {
    const own = this.list.findLastIndex((mine) => former.indexOf(mine) >= 0);
    const shared = this.list[own];
    const theirs = shared === undefined ? -1 : former.indexOf(shared);
    if (shared === undefined && (this.isFull || former.isFull)) return ANYWHERE;
    const here = this.list[own + 1];
    const there = former.list[theirs + 1];
    if (here === undefined && there === undefined) return null;
    const position = Math.min(here?.position ?? Infinity, there?.position ?? Infinity);
    return { position, sure: here?.forgot !== true };
  }

  clear(): void {
    this.list = [];
  }

  /** For a snapshot. */
  *records(): IterableIterator<StateRecord> {
    for (const promotion of [...this.list]) yield new StateRecord({ promotion });
  }

  /** Knows from now on what another one knows. */
  add(other: Promotions): void {
    for (const promotion of other.list) this.note(promotion);
  }

  /** Older ones may have been forgotten. */
  private get isFull(): boolean {
    return this.list.length === MAX_PROMOTIONS;
  }

  private indexOf({ epoch, id, position }: Promotion): number {
    return this.list.findIndex((other) => {
      if (other.epoch !== epoch) return false;
      return other.id === id || (meansOne(other.id, id) && other.position === position);
    });
  }
}

/** Whether two ids of one epoch may be of one promotion: older versions gave none, and began once in each. */
function meansOne(id: number, other: number): boolean {
  return id === other || id === 0 || other === 0;
}
