import Logger, { LogLevel } from '@matrixai/logger';
import { QUICServer, events } from '@matrixai/quic';
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { identityFromEnvironment, serveRequests } from './child-protocol.js';

// The same echo server on the classes of the library, as its documentation uses them.
const { cert, key } = identityFromEnvironment();
const mac = (secret: ArrayBuffer, data: ArrayBuffer): Buffer =>
  createHmac('sha256', Buffer.from(secret)).update(Buffer.from(data)).digest();
const server = new QUICServer({
  // Its default logger writes a dozen lines per connection, which would not be a fair comparison.
  logger: new Logger('library', LogLevel.SILENT),
  crypto: {
    key: new Uint8Array(randomBytes(32)).buffer,
    ops: {
      sign: (secret, data) => Promise.resolve(new Uint8Array(mac(secret, data)).buffer),
      verify: (secret, data, signature) =>
        Promise.resolve(timingSafeEqual(mac(secret, data), Buffer.from(signature))),
    },
  },
  config: {
    key,
    cert,
    verifyPeer: false,
    applicationProtos: ['gatesvr'],
    maxIdleTimeout: 60_000,
    initialMaxStreamsBidi: 4,
  },
});
server.addEventListener(events.EventQUICServerConnection.name, (event: Event) => {
  const connection = (event as events.EventQUICServerConnection).detail;
  connection.addEventListener(events.EventQUICConnectionStream.name, (opened: Event) => {
    const stream = (opened as events.EventQUICConnectionStream).detail;
    stream.readable.pipeTo(stream.writable).catch(() => undefined);
  });
});
await server.start({ host: '127.0.0.1', port: 0 });
serveRequests(server.port, () => server.stop({ force: true }));
