import { ZONES } from '../../routing/zone.js';
import { UpstreamServer } from '../../sdk/upstream/index.js';

/**
 * The upstream of all benchmarks: answers every action with the request's data. Argument: the port to
 * serve ProcessRequest on, unregistered; or `stream` and the gateway's gRPC port, to register for
 * every zone and be called over ProcessStream.
 */
const [first = '0', gateway = ''] = process.argv.slice(2);
const streaming = first === 'stream';
const zones = streaming ? ZONES : (['001'] as const);
for (const zone of zones) {
  const server = new UpstreamServer({
    zone,
    serviceName: 'bench',
    listen: `127.0.0.1:${streaming ? '0' : first}`,
    gateways: streaming ? [`127.0.0.1:${gateway}`] : [],
  });
  server.fallback((request) => ({ data: request.data }));
  await server.start();
}
process.stdout.write('listening\n');
process.on('SIGTERM', () => process.exit(0));
