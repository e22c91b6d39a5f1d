import { framedCallers } from '../../src/grpc/caller-kinds.js';
import { streamSuite } from './stream-suite.js';

const QUICK = { initialReconnectMs: 100, maxReconnectMs: 200 };

streamSuite('FramedCaller', (address, secret) =>
  framedCallers(secret === undefined ? QUICK : { ...QUICK, secret })(address),
);
