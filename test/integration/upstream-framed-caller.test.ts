import { framedCallers } from '../../src/grpc/caller-kinds.js';
import { callerFaultSuite } from '../support/upstream-caller-faults.js';
import { unaryCallerSuite } from '../support/upstream-caller-suite.js';

const callers = framedCallers({ initialReconnectMs: 100, maxReconnectMs: 200 });
unaryCallerSuite('FramedCaller', callers);
callerFaultSuite('FramedCaller', callers);
