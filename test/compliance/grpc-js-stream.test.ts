import { grpcJsCallers } from '../../src/grpc/grpc-js-caller.js';
import { streamSuite } from './stream-suite.js';

const QUICK = { initialReconnectMs: 100, maxReconnectMs: 200 };

streamSuite('GrpcJsCaller', (address, secret) =>
  grpcJsCallers(secret === undefined ? QUICK : { ...QUICK, secret })(address),
);
