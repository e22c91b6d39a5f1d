import { UpstreamServer } from '../../sdk/upstream/index.js';

/** The upstream of all benchmarks: answers every action with the request's data. Argument: the port. */
const server = new UpstreamServer({
  zone: '001',
  serviceName: 'bench',
  listen: `127.0.0.1:${process.argv[2] ?? '0'}`,
  gateways: [],
});
server.fallback((request) => ({ data: request.data }));
await server.start();
process.stdout.write('listening\n');
process.on('SIGTERM', () => process.exit(0));
