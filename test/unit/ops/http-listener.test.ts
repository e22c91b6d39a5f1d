import { expect, test } from '@jest/globals';
import type { ListenOptions, Server } from 'node:net';
import { HttpListener } from '../../../src/ops/http-listener.js';
import { silentLogger } from '../../../src/telemetry/log.js';

/** A system that has no IPv6 sockets, or forbids them, as `RestrictAddressFamilies=AF_INET` does. */
function forbidIPv6(server: Server, code: string): void {
  const listen = server.listen.bind(server) as (options: ListenOptions) => Server;
  const guarded = (options: ListenOptions): Server => {
    if (options.host?.includes(':') !== true) return listen(options);
    const error = Object.assign(new Error(`listen ${code}: ${options.host}`), { code });
    process.nextTick(() => server.emit('error', error));
    return server;
  };
  server.listen = guarded as typeof server.listen;
}

const listener = (host: string): HttpListener =>
  new HttpListener({ host, port: 0 }, 'server.http_addr', silentLogger(), null);

test.each(['EAFNOSUPPORT', 'EADDRNOTAVAIL'])(
  'without IPv6 (%s) a listener without a host listens on IPv4',
  async (code) => {
    const http = listener('');
    http.routes.get('/here', () => 'here');
    forbidIPv6(http.routes.server, code);
    await http.start();
    const answer = await fetch(`http://127.0.0.1:${http.port}/here`);
    expect([await answer.text(), http.routes.server.address()]).toEqual([
      'here',
      expect.objectContaining({ address: '0.0.0.0' }),
    ]);
    await http.stop();
  },
);

test('an IPv6 address that was asked for, and a port that is taken, are no reason to', async () => {
  const asked = listener('::1');
  forbidIPv6(asked.routes.server, 'EAFNOSUPPORT');
  await expect(asked.start()).rejects.toMatchObject({ code: 'CANNOT_LISTEN' });
  await asked.stop();
  const taken = listener('');
  forbidIPv6(taken.routes.server, 'EADDRINUSE');
  await expect(taken.start()).rejects.toMatchObject({ code: 'PORT_IN_USE' });
  await taken.stop();
});
