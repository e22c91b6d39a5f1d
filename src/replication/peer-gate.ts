import { isIP } from 'node:net';
import type { Clock } from '../base/clock.js';
import { LinePace } from '../telemetry/line-pace.js';
import type { LabelledTally } from '../telemetry/tally.js';
import type { Logger } from '../telemetry/log.js';
import { Identity } from '../wire/messages.js';
import type { Beat } from '../wire/messages.js';

/** Raised when nodes of the former version could misunderstand this one. */
export const PROTOCOL_VERSION = 1;

export interface PeerGateOptions {
  readonly serverId: string;
  /** What both gateways of a pair call it; another one's are refused. */
  readonly clusterId: string;
  /** Host of the configured peer, null where none is. */
  readonly peerHost: string | null;
  /** A cluster secret or mutual TLS proves the peer; else only its address admits it. */
  readonly proven: boolean;
}

/** Names to addresses; injected so that tests need no resolver. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** Decides who may talk on the replication ports, and says who was refused and why. */
export class PeerGate {
  private addresses: ReadonlySet<string> = new Set();
  private resolving = false;
  private heldPeer = (): string => '';
  private readonly pace: LinePace;

  constructor(
    private readonly options: PeerGateOptions,
    private readonly resolve: Resolve,
    clock: Clock,
    private readonly refused: LabelledTally,
    private readonly log: Logger,
  ) {
    this.pace = new LinePace(clock);
  }

  /** @param heldPeer server_id of the only gateway that may be the peer now; empty where any may. */
  holdTo(heldPeer: () => string): void {
    this.heldPeer = heldPeer;
  }

  /** Looks the peer up. Never throws: an unknown peer is refused, and looked up again. */
  async lookUp(): Promise<void> {
    const { peerHost } = this.options;
    if (peerHost === null || this.resolving) return;
    this.resolving = true;
    try {
      this.addresses = new Set(isIP(peerHost) !== 0 ? [peerHost] : await this.resolve(peerHost));
    } catch {
      // Said when the peer calls and is refused.
    } finally {
      this.resolving = false;
    }
  }

  /** @param peer the caller as grpc-js names it. @returns null, or why it is refused. */
  checkAddress(peer: string): string | null {
    if (this.options.proven) return null;
    const host = hostOf(peer);
    if (this.addresses.has(host)) return null;
    void this.lookUp();
    const advice = 'set backup.cluster_secret, or correct the peer_addr';
    return this.refuse('address', `${host} is not the configured peer; ${advice}`);
  }

  /** @returns null, or why a peer that proved itself is still the wrong one. */
  checkIdentity(identity: Beat['identity'], peer: string): string | null {
    const { serverId, clusterId } = this.options;
    const { protocolVersion: version, clusterId: cluster, serverId: id } = identity ?? {};
    if (version !== PROTOCOL_VERSION) {
      const text = `${peer} speaks version ${version ?? 0}, this gateway ${PROTOCOL_VERSION}`;
      return this.refuse('version', `${text}; upgrade the older one`);
    }
    if (cluster !== clusterId) {
      return this.refuse('cluster', `${peer} belongs to the pair "${cluster ?? ''}", not this one`);
    }
    if (!id || id === serverId) {
      const advice = 'give each its own backup.server_id';
      return this.refuse('cluster', `${peer} has the server_id "${id ?? ''}"; ${advice}`);
    }
    const held = this.heldPeer();
    if (held !== '' && id !== held) {
      const text = `${peer} has the server_id "${id}", but "${held}" is the peer`;
      return this.refuse('cluster', `${text}, and may serve; a pair has two gateways`);
    }
    return null;
  }

  /** A proof was wrong. */
  refuseProof(peer: string): string {
    return this.refuse('proof', `${peer} has another backup.cluster_secret`);
  }

  /** Bytes that are no message. */
  refuseGarbage(peer: string): string {
    return this.refuse('garbage', `${peer} sent what is no message of this protocol`);
  }

  /** How this gateway names itself. */
  identity(): Identity {
    const { serverId, clusterId } = this.options;
    return new Identity({
      protocolVersion: PROTOCOL_VERSION,
      clusterId: clusterId,
      serverId: serverId,
    });
  }

  private refuse(kind: string, reason: string): string {
    this.refused.add(kind);
    if (this.pace.take(kind) !== null) this.log.warn({ reason }, 'refused on a replication port');
    return reason;
  }
}

/** `127.0.0.1:5000`, `::1:5000` or `[::1]:5000` without the port; IPv4 also where it came mapped. */
function hostOf(peer: string): string {
  const host = peer.slice(0, Math.max(0, peer.lastIndexOf(':'))).replace(/^\[|\]$/g, '');
  return host.replace(/^::ffff:(?=\d+\.)/i, '');
}
