// A client that a test kills: it writes a line for every push that it has handled, and tells the
// upstream of each by a request of its own. Run by test/fault/client-kill.test.ts.
import { readFileSync } from 'node:fs';
import { FileResumeStore, GatewayClient } from '../../dist/sdk/client/index.js';

const [address, caFile, storeFile] = process.argv.slice(2);

const client = new GatewayClient({
  address,
  openid: 'survivor',
  ca: readFileSync(caFile),
  store: new FileResumeStore(storeFile),
  ack: 'handled',
  // A slow machine is no loss: only its death ends its connection.
  connectTimeoutMs: 60_000,
  openTimeoutMs: 60_000,
  startTimeoutMs: 60_000,
  requestTimeoutMs: 60_000,
  deadAfterMs: 60_000,
});
client.on('connected', ({ sessionId, resumed, recovered }) =>
  console.log(`session ${sessionId} ${resumed} ${recovered}`),
);
client.on('error', (error) => console.log(`error ${error.message}`));

const pushes = client.pushes();
await client.connect();
for await (const push of pushes) {
  console.log(`push ${push.title}`);
  void client.request('seen', { data: `${process.pid} ${push.title}` }).catch(() => undefined);
}
