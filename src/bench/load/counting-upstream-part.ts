import { ZONES } from '../../routing/zone.js';
import { UpstreamServer } from '../../sdk/upstream/index.js';
import { ExecutionBook } from './execution-book.js';
import { servePart } from './load-process.js';

// Upstreams of all zones that answer with the data of the request and know what they executed;
// argument: gRPC port of the gateway. `executions` answers with { executed, repeated }.
const gateways = [`127.0.0.1:${process.argv[2] ?? ''}`];
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
