import { parseAddress } from '../base/address.js';
import { StartupError } from '../base/errors.js';
import { listenEverywhere } from '../base/listen-everywhere.js';
import { listenFailure } from '../base/listen-failure.js';
import type { CertificateSource } from './certificate-source.js';

/** The interchangeable implementations of GrpcServer (configuration key grpc.server). */
export type ServerKind = 'framed' | 'grpc-js';

export interface GrpcServerOptions {
  /** Which implementation; default `framed`. */
  readonly kind?: ServerKind;
  /** `host:port`, or `:port` for every address of the machine; port 0 takes a free one. */
  readonly address: string;
  /** The configuration key that the address came from, for the message about a port in use. */
  readonly addressKey?: string;
  /**
   * What the server shows, and whose certificates it asks of callers, where it has a `ca`; must have certificate and
   * key. Plaintext by default. Connections that are open keep the certificate they began with.
   */
  readonly tls?: CertificateSource;
  /** Hears why TLS handshakes fail, and with whom. Of `framed` only: grpc-js does not say. */
  readonly onHandshakeFailed?: (reason: string, remote: string | undefined) => void;
  /** What callers of guarded methods must give; none by default. */
  readonly secret?: string;
  /** Tells callers such as grpcurl which methods there are (of these services, by full name). */
  readonly reflect?: readonly string[];
  /** Largest message received, bytes; larger ones get RESOURCE_EXHAUSTED. */
  readonly maxMessageBytes?: number;
  /** Largest message sent, bytes; default maxMessageBytes. */
  readonly maxSentBytes?: number;
  /** How long `stop` lets calls under way finish, ms. */
  readonly graceMs?: number;
}

/** A gRPC server of unary and streaming methods. `start`, `drain` and `stop` are idempotent. */
export interface GrpcServer {
  /** Binds the port. @throws {StartupError} PORT_IN_USE, BAD_ADDRESS or CANNOT_LISTEN, in one line. */
  start(): Promise<void>;
  /** Takes no new connection and no new call; resolves when the calls under way have finished. */
  drain(): Promise<void>;
  /** As drain, but ends what has not finished after the grace time, ms. */
  stop(graceMs?: number): Promise<void>;
  /** The port that was bound; 0 before `start`. */
  readonly port: number;
}

export const DEFAULT_GRACE_MS = 2_000;
/** Per connection; an upstream with more calls than this under way waits for the first answers. */
export const MAX_CONCURRENT_STREAMS = 1_000;

/**
 * Binds the address of a server.
 * @param bind listens on one address; resolves with the port.
 * @returns the port.
 * @throws {StartupError} PORT_IN_USE, BAD_ADDRESS or CANNOT_LISTEN, in one line.
 */
export async function bindAddress(
  { address, addressKey = 'gRPC address' }: GrpcServerOptions,
  bind: (host: string, port: number) => Promise<number>,
): Promise<number> {
  const parsed = parseAddress(address);
  if (parsed === null) {
    throw new StartupError('BAD_ADDRESS', `${addressKey} ${address} is not host:port`);
  }
  const { host, port } = parsed;
  const listen = (each: string) => bind(each, port);
  try {
    return await (host === '' ? listenEverywhere(listen) : listen(host));
  } catch (error) {
    throw listenFailure(addressKey, host, port, error);
  }
}
