import { QuicServer } from '../../quic/quic-server.js';
import { silentLogger } from '../../telemetry/log.js';
import { Metrics } from '../../telemetry/metrics.js';
import { Audience } from './audience.js';
import type { Receiver } from './audience.js';
import { identityFromEnvironment, serveRequests } from './child-protocol.js';

// An echo server on our engine; a process of its own, started by compare.ts.
const { cert, key } = identityFromEnvironment();
const audience = new Audience();
const server = new QuicServer({
  host: '127.0.0.1',
  port: 0,
  identity: { cert: Buffer.from(cert), key: Buffer.from(key) },
  metrics: new Metrics().quic,
  log: silentLogger(),
  protocols: {
    gatesvr: (connection) => {
      let receiver: Receiver = () => undefined;
      connection.bind({
        onStream: (stream) => {
          receiver = (frame) => void stream.write(frame);
          audience.add(receiver);
          stream.bind({
            onReadable: () => {
              for (let bytes = stream.read(); bytes !== null; bytes = stream.read()) {
                const asked = audience.hear(bytes);
                if (asked.length > 0) stream.write(Buffer.from(asked));
              }
              if (stream.readEnded) stream.end();
            },
            onDrained: () => undefined,
            onAborted: () => undefined,
          });
        },
        onClosed: () => audience.delete(receiver),
      });
    },
  },
});
await server.start();
serveRequests(server.port, () => server.stop(), audience);
