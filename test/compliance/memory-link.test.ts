import { memoryLinkPair } from '../support/memory-link.js';
import { linkSuite } from './link-suite.js';

linkSuite('memory', (accept) => {
  const [client, server] = memoryLinkPair();
  accept(server);
  return Promise.resolve({ client, release: () => Promise.resolve() });
});
