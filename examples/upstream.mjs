// A service behind the gateway, complete: a guest book for the clients of one zone.
//
//   node examples/upstream.mjs [zone] [gateway's gRPC address]
//
// Needs a gateway (make run) and a build (make build).
import { ReplyError, UpstreamServer } from 'gatesvr/upstream';

const [zone = '001', gateway = '127.0.0.1:8092'] = process.argv.slice(2);
const entries = [];

const server = new UpstreamServer({
  zone,
  serviceName: 'guest-book',
  listen: '127.0.0.1:0',
  gateways: [gateway],
  onRegistration: ({ outcome, message }) => console.log(`${outcome}: ${message}`),
});

// Clients log in with "hello" before anything else.
server.handle('hello', ({ openid }) => `welcome, ${openid}`);

// The writer sees the answer first and then the push that thanks for it; all others see a broadcast.
server.handle('sign', async (request) => {
  if (request.text === '') throw new ReplyError(400, 'write something into the data');
  entries.push({ by: request.openid, text: request.text });
  await request.pushAfter({ type: 'thanks', title: `entry number ${entries.length}` });
  await server.broadcast({
    type: 'news',
    title: `${request.openid} has signed`,
    content: request.text,
  });
  return { data: JSON.stringify({ entries: entries.length }) };
});

server.handle('read', () => JSON.stringify(entries));

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void server.stop());
await server.start();
console.log(`the guest book of zone ${zone} is open`);
