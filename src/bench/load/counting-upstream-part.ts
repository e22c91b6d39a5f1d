import { ZONES } from '../../routing/zone.js';
import { UpstreamServer } from '../../sdk/upstream/index.js';
import { ExecutionBook } from './execution-book.js';
import { servePart } from './load-process.js';

// Upstreams of all zones that answer with the data of the request and know what they executed;
// arguments: gRPC ports of the gateways. `executions` answers with { executed, repeated }.
const gateways = process.argv.slice(2).map((port) => `127.0.0.1:${port}`);
const book = new ExecutionBook();
for (const zone of ZONES) {
  const listen = '127.0.0.1:0';
  const server = new UpstreamServer({ zone, serviceName: 'bench', listen, gateways });
  server.fallback(({ sessionId, clientSeqId, data }) => {
    book.note(sessionId, clientSeqId);
    return { data };
  });
  await server.start();
}
servePart(null, {
  executions: () => ({ executed: book.executed, repeated: book.repeated }),
});
