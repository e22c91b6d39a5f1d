import { StartupError, messageOf } from '../base/errors.js';
import { checkKeyPair } from '../base/key-pair.js';
import {
  ACTIVE_CONNECTION_IDS,
  MAX_RECV_DATAGRAM_BYTES,
  MAX_SEND_DATAGRAM_BYTES,
} from './limits.js';
import type { TransportLimits } from './limits.js';
import { quiche } from './quiche.js';
import type { QuicheConfig } from './quiche.js';

/** A server's certificate chain and its private key, both PEM. */
export interface TlsIdentity {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Names for error messages, such as the files they were read from. */
  readonly certName?: string;
  readonly keyName?: string;
}

/** What a client trusts. */
export interface TlsTrust {
  /** PEM of the authorities; without it nothing but `verify: false` can succeed. */
  readonly ca?: Buffer;
  /** False accepts any certificate: for tests and development only. */
  readonly verify: boolean;
}

/** BoringSSL takes ticket keys of exactly this length. */
const TICKET_KEY_BYTES = 48;

/**
 * The quiche configuration of a server.
 * @param ticketKey 48 bytes that encrypt session tickets; the same key lets tickets survive a restart.
 * @throws {StartupError} where the identity or the ticket key cannot be used.
 */
export function serverConfig(
  identity: TlsIdentity,
  alpns: readonly string[],
  limits: TransportLimits,
  ticketKey?: Uint8Array,
): QuicheConfig {
  const config = configWith(identity);
  if (ticketKey !== undefined) {
    if (ticketKey.length !== TICKET_KEY_BYTES) {
      throw new StartupError(
        'BAD_TICKET_KEY',
        `the ticket key has ${ticketKey.length} bytes; it must have ${TICKET_KEY_BYTES}`,
      );
    }
    config.setTicketKey(ticketKey);
  }
  applyLimits(config, alpns, limits);
  return config;
}

/** @throws {StartupError} where quiche, which takes fewer kinds of keys than Node, cannot show it. */
export function checkIdentity(identity: TlsIdentity): void {
  configWith(identity);
}

function configWith(identity: TlsIdentity): QuicheConfig {
  const { cert, key, certName = 'identity.cert', keyName = 'identity.key' } = identity;
  // quiche silently accepts a certificate that it cannot read, and a key that does not belong to it.
  checkKeyPair({ cert, key, certName, keyName });
  try {
    return quiche.Config.withBoringSslCtx(false, false, null, [key], [cert], null);
  } catch (error) {
    throw new StartupError(
      'TLS_INVALID',
      `TLS refuses private key ${keyName} (${messageOf(error)}); use ECDSA P-256, Ed25519 or RSA`,
      { cause: error },
    );
  }
}

/** The quiche configuration of a client. */
export function clientConfig(
  trust: TlsTrust,
  alpns: readonly string[],
  limits: TransportLimits,
): QuicheConfig {
  const config = quiche.Config.withBoringSslCtx(
    trust.verify,
    false,
    trust.ca ?? null,
    null,
    null,
    null,
  );
  applyLimits(config, alpns, limits);
  return config;
}

/**
 * Not quiche's default. With Cubic and Reno quiche 0.18 takes the time at which a packet was sent from its
 * pacer, which without pacing stands still for up to `10 packets / (1.25 x congestion window)` round trips:
 * once losses have made the window small, every sample makes the round-trip time longer, up to the age of
 * the connection, and what is lost is repeated that late. BBR keeps the pacer's time going, and a lossy
 * path's window open: 900 KB took 0.3 s instead of more than 12 at 2 % loss (docs/PERFORMANCE-NOTES.md).
 */
const CONGESTION_CONTROL = 'bbr';

/** Early data stays off: a START in it could be replayed (REPLICATION.md, "What clients need"). */
function applyLimits(
  config: QuicheConfig,
  alpns: readonly string[],
  limits: TransportLimits,
): void {
  config.setApplicationProtos([...alpns]);
  config.setMaxIdleTimeout(limits.idleTimeout);
  config.setMaxRecvUdpPayloadSize(MAX_RECV_DATAGRAM_BYTES);
  config.setMaxSendUdpPayloadSize(MAX_SEND_DATAGRAM_BYTES);
  config.setInitialMaxData(limits.connectionWindow);
  config.setInitialMaxStreamDataBidiLocal(limits.streamWindow);
  config.setInitialMaxStreamDataBidiRemote(limits.streamWindow);
  config.setInitialMaxStreamDataUni(limits.streamWindow);
  config.setInitialMaxStreamsBidi(limits.maxStreamsBidi);
  config.setInitialMaxStreamsUni(limits.maxStreamsUni);
  config.setMaxStreamWindow(limits.maxStreamWindow);
  config.setMaxConnectionWindow(limits.maxConnectionWindow);
  config.setActiveConnectionIdLimit(ACTIVE_CONNECTION_IDS);
  // Packets leave when they are made: nobody here waits for the time that pacing would ask for.
  config.enablePacing(false);
  config.setCcAlgorithmName(CONGESTION_CONTROL);
  config.grease(false);
  if (limits.datagramQueue > 0) {
    config.enableDgram(true, limits.datagramQueue, limits.datagramQueue);
  }
}
