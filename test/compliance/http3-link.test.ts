import { afterAll, beforeAll } from '@jest/globals';
import type { Link } from '../../src/link/link.js';
import { Http3Harness } from '../support/http3-harness.js';
import { linkSuite } from './link-suite.js';

let harness: Http3Harness;
let acceptor: ((link: Link) => void) | null = null;

beforeAll(async () => {
  harness = await Http3Harness.start({ accept: (link) => acceptor?.(link) });
});

afterAll(async () => {
  await harness.close();
});

linkSuite('HTTP/3', async (accept) => {
  acceptor = accept;
  const client = await harness.connect();
  return { client: client.link(), release: () => client.stop() };
});
