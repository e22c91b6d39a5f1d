import { grpcJsCallers } from '../../src/grpc/grpc-js-caller.js';
import { streamSuite } from './stream-suite.js';
import type { MakeOpener } from './stream-suite.js';

const QUICK = { initialReconnectMs: 100, maxReconnectMs: 200 };

const opener: MakeOpener = (address, secret) =>
  grpcJsCallers(secret === undefined ? QUICK : { ...QUICK, secret })(address);

streamSuite('GrpcJsCaller', opener, 'framed');
streamSuite('GrpcJsCaller', opener, 'grpc-js');
