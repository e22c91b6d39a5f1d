import { framedCallers } from '../../src/grpc/caller-kinds.js';
import { streamSuite } from './stream-suite.js';
import type { MakeOpener } from './stream-suite.js';

const QUICK = { initialReconnectMs: 100, maxReconnectMs: 200 };

const opener: MakeOpener = (address, secret) =>
  framedCallers(secret === undefined ? QUICK : { ...QUICK, secret })(address);

streamSuite('FramedCaller', opener, 'framed');
