import { grpcJsCallers } from '../../src/grpc/grpc-js-caller.js';
import { unaryCallerSuite } from '../support/upstream-caller-suite.js';

unaryCallerSuite('GrpcJsCaller', grpcJsCallers({ initialReconnectMs: 100, maxReconnectMs: 200 }));
