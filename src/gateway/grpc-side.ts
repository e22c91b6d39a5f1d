import { formatAddress, isLoopbackHost } from '../base/address.js';
import type { Clock } from '../base/clock.js';
import type { Address, Config } from '../config/config.js';
import { callersOf } from '../grpc/caller-kinds.js';
import type { TlsSource } from '../grpc/caller-tls.js';
import type { CertificateSource } from '../grpc/certificate-source.js';
import type { GrpcServer } from '../grpc/grpc-server.js';
import { HandshakeLog } from '../grpc/handshake-log.js';
import { grpcServer } from '../grpc/server-kinds.js';
import type { GrpcServerOptions } from '../grpc/grpc-server.js';
import type { StreamMethod, UnaryMethod } from '../grpc/server-method.js';
import type { CallerFactory } from '../grpc/unary-caller.js';
import {
  MAX_BEAT_BYTES,
  MAX_FROM_PRIMARY_BYTES,
  MAX_FROM_STANDBY_BYTES,
} from '../replication/message-limits.js';
import type { Logger } from '../telemetry/log.js';
import type { ClientDirectory } from '../upstream/client-directory.js';
import { ClientService } from '../upstream/client-service.js';
import { deregisterMethod } from '../upstream/deregistration.js';
import type { DeregistrationSink } from '../upstream/deregistration.js';
import { GatewayService } from '../upstream/gateway-service.js';
import { HealthService } from '../upstream/health-service.js';
import { pushBatchMethod } from '../upstream/push-batch.js';
import { PushStreams } from '../upstream/push-stream.js';
import type { PushSink } from '../upstream/push-sink.js';
import type { RegistrationSink } from '../upstream/registration-sink.js';
import type { CertificateSources } from './certificate-terms.js';
import { certificateSource } from './certificate-files.js';
import type { CertificateHolder } from './reloads.js';

/** What upstreams reach through the gateway's gRPC port. */
export interface UpstreamFacing {
  readonly pushes: PushSink;
  readonly clients: ClientDirectory;
  readonly router: RegistrationSink & DeregistrationSink;
}

/** A stream to the standby never finishes by itself. */
const REPLICATION_GRACE_MS = 100;
/** First pause before the peer is dialled again, ms. */
const RECONNECT_MS = 50;
/** The peer of a pair is not taken for gone, nor asked whether it lives, after less silence than this, ms. */
const SHORTEST_SILENCE_MS = 1_000;

const REFLECTED = ['gatesvr.proto.GatewayService', 'grpc.health.v1.Health'];

/** Both directions of gRPC as the configuration wants them, with their certificates. */
export class GrpcSide implements CertificateHolder {
  readonly health = new HealthService();
  /** How upstreams are called. */
  readonly callers: CallerFactory;
  private pushStreams: PushStreams | null = null;
  private readonly listenTls: CertificateSource | null;
  private readonly callTls: CertificateSource | null;
  private readonly callTrust: TlsSource = () => {
    const { serverName } = this.config.upstreamTls;
    return this.callTls === null ? null : { ...this.callTls.current, serverName };
  };

  /** @throws {StartupError} where a certificate or key cannot be used. */
  constructor(
    private readonly config: Config,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {
    const { certFile, keyFile, clientCaFile } = config.grpc.tls;
    const { upstreamTls } = config;
    this.listenTls =
      certFile === null
        ? null
        : certificateSource({ certFile, keyFile, caFile: clientCaFile }, clock, log);
    this.callTls = Object.values(upstreamTls).every((value) => value === null)
      ? null
      : certificateSource(upstreamTls, clock, log);
    const { caller, maxMessageBytes } = config.grpc;
    this.callers = callersOf(caller, { maxMessageBytes }, this.callTrust);
  }

  /** What an operator should know, one line each. */
  warnings(): string[] {
    const { grpc, server } = this.config;
    if (isLoopbackHost(server.grpcAddr.host)) return [];
    const found: string[] = [];
    if (this.listenTls === null && grpc.allowInsecure !== 'true') {
      found.push(
        'server.grpc_addr is plaintext: set grpc.tls, or grpc.allow_insecure: true where the network is trusted',
      );
    }
    if (grpc.secret === null && grpc.registerAllow.length === 0 && grpc.tls.clientCaFile === null) {
      found.push(
        'anyone who reaches server.grpc_addr may register as an upstream and push: set grpc.secret, grpc.register_allow or grpc.tls.client_ca_file',
      );
    }
    return found;
  }

  /** The server of the gateway's gRPC port. */
  server({ pushes, clients, router }: UpstreamFacing): GrpcServer {
    const { config, log } = this;
    const { host, port } = config.server.grpcAddr;
    const { maxMessageBytes, secret, reflection } = config.grpc;
    const options = {
      address: formatAddress(host, port),
      maxMessageBytes,
      ...(secret === null ? {} : { secret }),
      ...(reflection ? { reflect: REFLECTED } : {}),
      ...this.listenTerms('server.grpc_addr'),
    };
    const methods = [
      ...new GatewayService(pushes, router, log).methods(),
      ...new ClientService(clients, log).methods(),
      pushBatchMethod(pushes, log),
      deregisterMethod(router, log),
      ...this.health.methods(),
    ];
    this.pushStreams = new PushStreams(pushes, log);
    const streams = [...this.health.streams(), this.pushStreams.method()];
    return grpcServer(options, methods, this.clock, streams);
  }

  /** The server of the pair's heartbeat port. Like the other one under the TLS of the gRPC port. */
  heartbeatServer(address: Address, methods: readonly UnaryMethod[]): GrpcServer {
    const limits = { maxMessageBytes: MAX_BEAT_BYTES };
    return this.replicationServer(address, 'backup.heartbeat.listen_addr', limits, methods, []);
  }

  /** The server of the pair's sync port. */
  syncServer(address: Address, streams: readonly StreamMethod[]): GrpcServer {
    const limits = {
      maxMessageBytes: MAX_FROM_STANDBY_BYTES,
      maxSentBytes: MAX_FROM_PRIMARY_BYTES,
    };
    return this.replicationServer(address, 'backup.sync.listen_addr', limits, [], streams);
  }

  private replicationServer(
    address: Address,
    addressKey: string,
    limits: Pick<GrpcServerOptions, 'maxMessageBytes' | 'maxSentBytes'>,
    methods: readonly UnaryMethod[],
    streams: readonly StreamMethod[],
  ): GrpcServer {
    const options = {
      address: formatAddress(address.host, address.port),
      ...limits,
      graceMs: REPLICATION_GRACE_MS,
      ...this.listenTerms(addressKey),
    };
    return grpcServer(options, methods, this.clock, streams);
  }

  /** What all of our gRPC servers have in common. */
  private listenTerms(addressKey: string): Partial<GrpcServerOptions> {
    const { listenTls } = this;
    const kind = this.config.grpc.server;
    if (listenTls === null) return { kind, addressKey };
    const faults = new HandshakeLog(addressKey, this.clock, this.log);
    const onHandshakeFailed = faults.note.bind(faults);
    return { kind, addressKey, tls: listenTls, onHandshakeFailed };
  }

  /**
   * How the peer of the pair is called. A connection may die without a word, at a firewall that forgot it: one that
   * does not answer for `timeout` is dialled anew, or a backup would follow nothing for minutes.
   */
  replicationCallers({
    interval: reconnectMs,
    timeout,
  }: Config['backup']['heartbeat']): CallerFactory {
    const silenceMs = Math.max(SHORTEST_SILENCE_MS, timeout);
    const tuning = {
      maxMessageBytes: MAX_FROM_PRIMARY_BYTES,
      initialReconnectMs: Math.min(RECONNECT_MS, reconnectMs),
      maxReconnectMs: reconnectMs,
      keepaliveMs: silenceMs,
      pingTimeoutMs: silenceMs,
    };
    return callersOf(this.config.grpc.caller, tuning, this.callTrust);
  }

  /** Watches the certificate files. */
  start(): void {
    for (const warning of this.warnings()) this.log.warn(warning);
    this.listenTls?.start();
    this.callTls?.start();
  }

  /** Ends what would hold up the server's stop. */
  stop(): void {
    this.health.close();
    this.pushStreams?.close();
    this.listenTls?.stop();
    this.callTls?.stop();
  }

  reloadCertificates(): void {
    this.listenTls?.reload();
    this.callTls?.reload();
  }

  get sources(): CertificateSources {
    return { 'grpc.tls': this.listenTls, upstream_tls: this.callTls };
  }
}
