// A client of the gateway, complete: it signs the guest book of examples/upstream.mjs.
//
//   node examples/client.mjs [openid] [gateway] [PEM file of the authorities to trust]
//
// Needs a gateway (make run), a build (make build), and the guest book in the zone of the openid:
// `bob` is in zone 001.
import { readFileSync } from 'node:fs';
import { GatewayClient, RequestRefusedError } from 'gatesvr/client';

const [openid = 'bob', address = '127.0.0.1:8453', caFile = 'certs/ca.crt'] = process.argv.slice(2);

// The session outlives its connections: lost ones are replaced, and what was pushed meanwhile follows.
const client = new GatewayClient({ address, openid, ca: readFileSync(caFile) });
client.on('connected', ({ resumed }) => console.log(resumed ? 'connected again' : 'connected'));
client.on('disconnected', ({ reason }) => console.log(`disconnected: ${reason}`));
client.onPush(({ type, title, content }) => console.log(`push: ${type}, ${title}: ${content}`));

try {
  await client.connect();
  console.log((await client.request('hello')).text);

  const signed = await client.request('sign', { data: 'I was here' });
  console.log(`signed: ${signed.code}, ${signed.json().entries} entries`);

  const refused = await client.request('sign');
  console.log(`without text: ${refused.code}, ${refused.message}`);

  const book = await client.request('read', { timeoutMs: 20_000 });
  for (const { by, text } of book.json()) console.log(`${by}: ${text}`);
} catch (error) {
  // Refused: surely not executed. Any other error says by its code what is known (docs/PROTOCOL.md).
  const what = error instanceof RequestRefusedError ? 'not executed' : error.code;
  console.error(`${what}: ${error.message}`);
  process.exitCode = 1;
} finally {
  await client.stop();
}
