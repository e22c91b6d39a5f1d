import dgram from 'node:dgram';
import type { RemoteInfo } from 'node:dgram';
import { servePart } from './load-process.js';

// The one address of clients that know no other: a UDP balancer in a process of its own that forwards
// to whichever gateway's GET /ready says 200, all clients at once. Arguments: pairs of a gateway's UDP
// and HTTP port, the one that serves first. Info: the port.

const READY_POLL_MS = 50;
const READY_TIMEOUT_MS = 500;
const HOST = '127.0.0.1';

interface Backend {
  readonly udp: number;
  readonly http: number;
}

const words = process.argv.slice(2).map(Number);
const backends: Backend[] = [];
for (let index = 0; index < words.length; index += 2) {
  backends.push({ udp: words[index] ?? 0, http: words[index + 1] ?? 0 });
}
let target = backends[0]?.udp ?? 0;
const flows = new Map<number, dgram.Socket>();
const front = dgram.createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
front.on('message', (datagram, from) => flowOf(from).send(datagram, target, HOST));
await new Promise<void>((done) => front.bind(0, HOST, done));

/** Each client socket has one towards the gateways: its address there stays the same. */
function flowOf({ port, address }: RemoteInfo): dgram.Socket {
  const known = flows.get(port);
  if (known !== undefined) return known;
  const socket = dgram.createSocket('udp4');
  socket.bind(0, HOST);
  socket.on('message', (datagram) => front.send(datagram, port, address));
  // A gateway that was killed: its port refuses.
  socket.on('error', () => undefined);
  flows.set(port, socket);
  return socket;
}

async function isReady({ http }: Backend): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(READY_TIMEOUT_MS);
    const answer = await fetch(`http://${HOST}:${http}/ready`, { signal });
    await answer.arrayBuffer();
    return answer.status === 200;
  } catch {
    return false;
  }
}

let looking = false;
setInterval(() => {
  if (looking) return;
  looking = true;
  void Promise.all(backends.map(isReady)).then((ready) => {
    const serving = backends[ready.indexOf(true)];
    if (serving !== undefined) target = serving.udp;
    looking = false;
  });
}, READY_POLL_MS);

servePart(front.address().port, {});
