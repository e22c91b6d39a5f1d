// A client that receives messages, one after another, and misses none, even when it is killed
// and started again.
//
//   node examples/inbox.mjs [openid] [gateway] [PEM file of the authorities to trust] [session file]
//
// Needs a gateway and a build as examples/client.mjs does; whoever signs the guest book of
// examples/upstream.mjs makes it send news. Ctrl-C leaves; start it again and it goes on.
import { readFileSync } from 'node:fs';
import { FileResumeStore, GatewayClient } from 'gatesvr/client';
import { Counter, register } from 'prom-client';

const [
  openid = 'bob',
  address = '127.0.0.1:8453',
  caFile = 'certs/ca.crt',
  sessionFile = `${openid}.session.json`,
] = process.argv.slice(2);

const received = new Counter({ name: 'inbox_messages_total', help: 'Messages received.' });
const reconnects = new Counter({ name: 'inbox_reconnects_total', help: 'Attempts to reconnect.' });

const client = new GatewayClient({
  address,
  openid,
  ca: readFileSync(caFile),
  // QUIC, and WebSocket where the network lets no UDP through.
  transport: 'auto',
  // What was acknowledged is in the file, and a message is acknowledged when the loop is done with it.
  store: new FileResumeStore(sessionFile),
  ack: 'handled',
  metrics: { push: () => received.inc(), reconnecting: () => reconnects.inc() },
});
client.on('connected', ({ resumed }) => console.log(resumed ? 'going on' : 'a new session'));
client.on('reconnecting', ({ attempt, delay }) => console.log(`attempt ${attempt} in ${delay} ms`));
client.on('unrecovered', () => console.log('messages may be missing'));
client.on('error', (error) => console.error(error.message));

// Not stop(), which would end the session: close() lets it wait for the next start.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => client.close());

// Before connect(): from here on messages wait for the loop.
const pushes = client.pushes();
try {
  await client.connect();
  for await (const { seq, type, title, content } of pushes) {
    console.log(`${seq} ${type}, ${title}: ${content}`);
  }
  console.log(await register.metrics());
} catch (error) {
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
}
