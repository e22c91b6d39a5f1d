import { HOSTILE_KINDS, HostileCrowd } from './hostile-crowd.js';
import { servePart } from './load-process.js';

// A hostile crowd in a process of its own; arguments: port, port of the WebSocket edge or 0, number,
// kind, returns per second. `counts` answers with what became of it.
const [port, wsPort, count, kindName, returnsPerSecond] = process.argv.slice(2);
const kind = HOSTILE_KINDS.find((known) => known === kindName);
if (kind === undefined) throw new Error(`kinds are ${HOSTILE_KINDS.join(', ')}`);
const crowd = new HostileCrowd({
  port: Number(port),
  wsPort: Number(wsPort) || null,
  count: Number(count),
  kind,
  returnsPerSecond: Number(returnsPerSecond),
});
await crowd.start();
servePart(crowd.counts, { counts: () => crowd.counts });
