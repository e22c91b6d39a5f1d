import { QuicServer } from '../../quic/quic-server.js';
import { silentLogger } from '../../telemetry/log.js';
import { Metrics } from '../../telemetry/metrics.js';
import { identityFromEnvironment, serveRequests } from './child-protocol.js';

// An echo server on our engine; a process of its own, started by compare.ts.
const { cert, key } = identityFromEnvironment();
const server = new QuicServer({
  host: '127.0.0.1',
  port: 0,
  identity: { cert: Buffer.from(cert), key: Buffer.from(key) },
  metrics: new Metrics().quic,
  log: silentLogger(),
  protocols: {
    gatesvr: (connection) =>
      connection.bind({
        onStream: (stream) =>
          stream.bind({
            onReadable: () => {
              for (let bytes = stream.read(); bytes !== null; bytes = stream.read()) {
                stream.write(Buffer.from(bytes));
              }
              if (stream.readEnded) stream.end();
            },
            onDrained: () => undefined,
            onAborted: () => undefined,
          }),
        onClosed: () => undefined,
      }),
  },
});
await server.start();
serveRequests(server.port, () => server.stop());
