import { WebTransportTransport } from '../../src/sdk/browser/web-transport.js';
import { fakeWebTransport } from '../support/fake-browser.js';
import { linkSuite } from './link-suite.js';

linkSuite('WebTransport of a page', async (accept) => {
  const { WebTransport, sessions } = fakeWebTransport(accept);
  const transport = new WebTransportTransport({ platform: { WebTransport } });
  const client = await transport.open('127.0.0.1:8453', new AbortController().signal);
  return {
    client,
    release: () => {
      for (const session of sessions) session.close();
      return Promise.resolve();
    },
  };
});
