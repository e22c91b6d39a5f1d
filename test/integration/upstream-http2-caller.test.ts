import { http2Callers } from '../../src/grpc/caller-kinds.js';
import { callerFaultSuite } from '../support/upstream-caller-faults.js';
import { unaryCallerSuite } from '../support/upstream-caller-suite.js';

const callers = http2Callers({ initialReconnectMs: 100, maxReconnectMs: 200 });
unaryCallerSuite('Http2Caller', callers);
callerFaultSuite('Http2Caller', callers);
