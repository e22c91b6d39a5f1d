import { afterAll, beforeAll } from '@jest/globals';
import type { Link } from '../../src/link/link.js';
import { Http3Harness } from '../support/http3-harness.js';
import { WEBTRANSPORT_CLIENT } from '../../src/bench/client/webtransport-end.js';
import { linkSuite } from './link-suite.js';

let harness: Http3Harness;
let acceptor: ((link: Link) => void) | null = null;

beforeAll(async () => {
  harness = await Http3Harness.start({ accept: (link) => acceptor?.(link) });
});

afterAll(async () => {
  await harness.close();
});

linkSuite('WebTransport', async (accept) => {
  acceptor = accept;
  const client = await harness.connect(WEBTRANSPORT_CLIENT);
  return { client: client.webTransport().link, release: () => client.stop() };
});
