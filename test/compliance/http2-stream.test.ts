import { http2Callers } from '../../src/grpc/caller-kinds.js';
import { streamSuite } from './stream-suite.js';

const QUICK = { initialReconnectMs: 100, maxReconnectMs: 200 };

streamSuite('Http2Caller', (address, secret) =>
  http2Callers(secret === undefined ? QUICK : { ...QUICK, secret })(address),
);
