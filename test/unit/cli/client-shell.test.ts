import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { PassThrough } from 'node:stream';
import { ClientShell, parseRequest } from '../../../src/cli/client-shell.js';
import { GatewayClient } from '../../../src/sdk/client/index.js';
import { FakeGateway, turns } from '../../support/fake-gateway.js';

describe('parseRequest', () => {
  test.each([
    ['echo', { action: 'echo', options: { params: {} } }],
    ['echo hi there', { action: 'echo', options: { params: {}, data: 'hi there' } }],
    [
      'a k=v n=1 data k2=v',
      { action: 'a', options: { params: { k: 'v', n: '1' }, data: 'data k2=v' } },
    ],
    ['a k=', { action: 'a', options: { params: { k: '' } } }],
    ['calculate 1+1=2', { action: 'calculate', options: { params: {}, data: '1+1=2' } }],
  ])('%s', (line, expected) => {
    expect(parseRequest(line)).toEqual(expected);
  });
});

describe('ClientShell', () => {
  let gateway: FakeGateway;
  let client: GatewayClient;
  let input: PassThrough;
  let output: PassThrough;

  beforeEach(() => {
    gateway = new FakeGateway();
    client = new GatewayClient({ address: 'gw:1', openid: 'alice', transport: gateway.transport });
    input = new PassThrough();
    output = new PassThrough();
  });

  afterEach(async () => {
    await client.stop();
  });

  const written = (): string => String(output.read() ?? '');

  test('answers lines in order, all of them before it ends', async () => {
    input.end('echo one\n\necho two\n/status\n/nonsense\n');
    await new ClientShell(client, input, output, '').run();
    const text = written();
    expect(text).toMatch(/^session s-1 at gw:1/);
    expect(text.indexOf('one')).toBeLessThan(text.indexOf('two'));
    expect(text).toMatch(/connected at gw:1, session s-1, 0 in flight, 0 waiting/);
    expect(text).toMatch(/\/nonsense is no command/);
  });

  test('shows pushes, losses and failures, and ends with the reason', async () => {
    const running = new ClientShell(client, input, output, '').run();
    await turns();
    gateway.last.push(gateway.nextPush++, 'news');
    gateway.onBusiness = (connection, { msgId }) =>
      connection.error(msgId, gateway.nextPush++, 502, 'upstream failed');
    input.write('echo x\n');
    await turns();
    gateway.last.link.close(409, 'replaced');
    await running;
    const text = written();
    expect(text).toMatch(/push 1 \[test\] news: news/);
    expect(text).toMatch(/request echo: outcome unknown: upstream failed/);
    expect(text).toMatch(/another client with this openid took the session over/);
  });

  test('leaves at /stop', async () => {
    const running = new ClientShell(client, input, output, '').run();
    await turns();
    input.write('/stop\n');
    await running;
    await client.stop();
    expect(gateway.last.stops).toHaveLength(1);
  });
});
