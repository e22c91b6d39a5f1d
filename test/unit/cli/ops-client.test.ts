import { afterEach, expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OpsClient } from '../../../src/cli/ops-client.js';
import { PATIENCE_MS } from '../../support/patience.js';

let server: Server | null = null;
afterEach(() => void server?.close());

test.each([
  ['', '/stats?limit=1'],
  ['/', '/stats?limit=1'],
  ['/gateway-1', '/gateway-1/stats?limit=1'],
  ['/a/b/', '/a/b/stats?limit=1'],
])('the API of http://host%s is asked below that path', async (path, asked) => {
  const heard: (string | undefined)[] = [];
  const listening = (server = createServer((request, reply) => {
    heard.push(request.url);
    reply.end('{}');
  }));
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const { port } = listening.address() as AddressInfo;
  const url = new URL(`http://127.0.0.1:${port}${path}`);
  const client = new OpsClient({ url, token: null, ca: null }, PATIENCE_MS);
  expect(await client.get('/stats?limit=1')).toEqual({});
  client.close();
  expect(heard).toEqual([asked]);
});
