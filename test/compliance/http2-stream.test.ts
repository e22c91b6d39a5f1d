import { http2Callers } from '../../src/grpc/caller-kinds.js';
import { streamSuite } from './stream-suite.js';
import type { MakeOpener } from './stream-suite.js';

const QUICK = { initialReconnectMs: 100, maxReconnectMs: 200 };

const opener: MakeOpener = (address, secret) =>
  http2Callers(secret === undefined ? QUICK : { ...QUICK, secret })(address);

streamSuite('Http2Caller', opener, 'grpc-js');
