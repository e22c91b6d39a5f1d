import { memoryLinkPair } from '../../src/link/memory-link.js';
import { linkSuite } from './link-suite.js';

linkSuite('memory', () => {
  const [client, server] = memoryLinkPair();
  return Promise.resolve({ client, server, release: () => Promise.resolve() });
});
