import { brokenLine } from './chapters/broken-line.js';
import { goodbye } from './chapters/goodbye.js';
import { login } from './chapters/login.js';
import { lostUpstream } from './chapters/lost-upstream.js';
import { opening } from './chapters/opening.js';
import { order } from './chapters/order.js';
import { pushes } from './chapters/pushes.js';
import { requests } from './chapters/requests.js';
import { restart } from './chapters/restart.js';
import type { Stage } from './stage.js';
import { StoryEnds } from './transcript.js';
import type { Transcript } from './transcript.js';

/** One part of the story: it acts, and claims what it has verified. */
export type Chapter = (stage: Stage, transcript: Transcript) => Promise<void>;

/** The life of a deployment, from its first start to a restart under load. */
const CHAPTERS: readonly Chapter[] = [
  opening,
  login,
  requests,
  pushes,
  order,
  brokenLine,
  lostUpstream,
  restart,
];

/** Plays all chapters, the goodbye only if nobody is to stay; ends early where going on is pointless. */
export async function play(stage: Stage, transcript: Transcript, stay: boolean): Promise<void> {
  try {
    for (const chapter of stay ? CHAPTERS : [...CHAPTERS, goodbye]) {
      await chapter(stage, transcript);
    }
  } catch (error) {
    if (!(error instanceof StoryEnds)) throw error;
    transcript.tell(`without "${error.message}" there is no going on`);
  }
}
