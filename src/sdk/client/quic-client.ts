import { rootCertificates } from 'node:tls';
import { separatePem } from '../../base/pem.js';
import type { TransportLimits } from '../../quic/limits.js';
import { QuicClient } from '../../quic/quic-client.js';
import { silentLogger } from '../../telemetry/log.js';
import { Metrics } from '../../telemetry/metrics.js';
import type { QuicMetrics } from '../../telemetry/quic-metrics.js';
import type { QuicClientSettings } from './quic-options.js';

/** The protocol name of the gateway (WIRE.md, "Client edge"). */
const ALPN = 'gatesvr';

/** The QuicClient behind a transport, also for one to share between many. */
export function createQuicClient(
  options: QuicClientSettings = {},
  metrics: QuicMetrics = new Metrics().quic,
): QuicClient {
  const { ca = rootCertificates.join('\n'), insecure = false } = options;
  const { idleTimeoutMs, handshakeTimeoutMs } = options;
  const limits: Partial<TransportLimits> = {
    ...(idleTimeoutMs === undefined ? {} : { idleTimeout: idleTimeoutMs }),
    ...(handshakeTimeoutMs === undefined ? {} : { handshakeTimeout: handshakeTimeoutMs }),
  };
  return new QuicClient({
    trust: { ca: separatePem(ca), verify: !insecure },
    alpns: [ALPN],
    metrics,
    log: silentLogger(),
    limits,
  });
}
