// An upstream in a process of its own, to be killed: notes in a file what it executes, before it answers.
// Requests whose text begins with "hang NAME" are not answered by the upstream of that name.
// Arguments: zone, gateway, file, name. Needs `make build`.
import { appendFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { UpstreamServer } from '../../dist/sdk/upstream/index.js';

const [zone, gateway, file, name] = process.argv.slice(2);
const server = new UpstreamServer({
  zone,
  serviceName: name,
  listen: '127.0.0.1:0',
  gateways: [gateway],
});
server.handle('hello', () => 'hello');
server.handle('work', async ({ openid, clientSeqId, text }) => {
  appendFileSync(file, `${openid} ${clientSeqId} ${text}\n`);
  const hangs = text.startsWith(`hang ${name}`);
  if (hangs) appendFileSync(`${file}.hanging`, `${text}\n`);
  await pause(hangs ? 3_600_000 : 20);
  return `${name} ${text}`;
});
await server.start();
process.stdout.write('registered\n');
