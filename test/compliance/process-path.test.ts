import { callersOf } from '../../src/grpc/caller-kinds.js';
import { processPathSuite } from './process-path-suite.js';

const QUICK = { initialReconnectMs: 100, maxReconnectMs: 200 };

for (const kind of ['framed', 'http2', 'grpc-js'] as const) {
  processPathSuite(`ProcessRequest over ${kind}`, callersOf(kind, QUICK), false);
  processPathSuite(`ProcessStream over ${kind}`, callersOf(kind, QUICK), true);
}
