import type { Channel, Metadata } from '@grpc/grpc-js';
import { SystemClock } from '../base/clock.js';
import { messageOf } from '../base/errors.js';
import type { CallerTls, TlsSource } from './caller-tls.js';
import { DEFAULT_MAX_MESSAGE_BYTES, channelOptions } from './channel-options.js';
import type { CallerCredentials, ChannelTuning } from './channel-options.js';
import { ChannelWatch } from './channel-watch.js';
import { grpcJs } from './grpc-js-library.js';
import type { GrpcJsCall } from './grpc-js-library.js';
import { GrpcJsStream, asBuffer } from './grpc-js-stream.js';
import type { ClientStream, StreamObserver, StreamOpener } from './message-stream.js';
import { statusLine } from './status-mapping.js';
import { GrpcStatus } from './unary-caller.js';
import type { CallHandle, CallObserver, UnaryCaller } from './unary-caller.js';

/** setTimeout fires at once above this; 24 days are no deadline. */
const MAX_DEADLINE_MS = 2_147_483_647;

interface Status {
  readonly code: number;
  readonly details: string;
}

/**
 * Unary and bidirectional calls over a grpc-js channel. It uses the channel's own calls, below the generated-client
 * layer, which would make an Error with a stack and five closures for every call.
 */
export class GrpcJsCaller implements UnaryCaller, StreamOpener {
  readonly maxMessageBytes: number;
  private readonly channel: Channel;
  private readonly watch: ChannelWatch;
  private readonly metadata: Metadata;
  private readonly clock = new SystemClock();
  private closed = false;

  /** @param address `host:port`, IPv6 in brackets. Nothing is dialled before the first call. */
  constructor(
    address: string,
    tuning: ChannelTuning = {},
    callerCredentials: CallerCredentials = grpcJs().credentials.createInsecure(),
  ) {
    this.maxMessageBytes = tuning.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES;
    // Without a scheme a host called `unix` would name a socket file.
    this.metadata = metadataOf(tuning);
    const { Channel } = grpcJs();
    this.channel = new Channel(`dns:${address}`, callerCredentials, channelOptions(tuning));
    this.watch = new ChannelWatch(this.channel);
  }

  call(method: string, request: Uint8Array, deadline: number, observer: CallObserver): CallHandle {
    const call = new UnaryCall(this.watch, this.metadata, observer);
    try {
      const until = this.clock.wallTime() + Math.min(deadline, MAX_DEADLINE_MS);
      call.start(this.channel.createCall(method, until, null, null, null), request);
    } catch (error) {
      call.failLater(messageOf(error));
    }
    return call;
  }

  open(method: string, observer: StreamObserver): ClientStream {
    const stream = new GrpcJsStream(this.watch, observer);
    try {
      stream.start(this.channel.createCall(method, Infinity, null, null, null), this.metadata);
    } catch (error) {
      stream.failLater(messageOf(error));
    }
    return stream;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.channel.close();
  }
}

/**
 * Makes grpc-js callers that share their settings.
 * @param tls asked for every caller whether there is TLS, and for every connection for its certificates.
 */
export function grpcJsCallers(
  tuning: ChannelTuning = {},
  tls: TlsSource = () => null,
): (address: string) => GrpcJsCaller {
  return (address) => {
    const material = tls();
    if (material === null) return new GrpcJsCaller(address, tuning);
    const { serverName } = material;
    const named = serverName === null ? tuning : { ...tuning, serverName };
    return new GrpcJsCaller(
      address,
      named,
      currentCredentials(() => tls() ?? material),
    );
  };
}

/** grpc-js keeps for all connections of a channel what it began with: so each is given a connector of its own. */
function currentCredentials(tls: () => CallerTls): CallerCredentials {
  const make = (): CallerCredentials => {
    const { ca, cert, key } = tls();
    return grpcJs().credentials.createSsl(ca, key, cert);
  };
  const first = make();
  const begin = first._createSecureConnector.bind(first);
  first._createSecureConnector = (...terms) => {
    const connector = begin(...terms);
    connector.connect = (socket) =>
      make()
        ._createSecureConnector(...terms)
        .connect(socket);
    return connector;
  };
  return first;
}

/** One call: handle to its caller, listener to grpc-js. */
class UnaryCall implements CallHandle {
  private readonly mark: number;
  private call: GrpcJsCall | null = null;
  private response: Buffer | null = null;
  private finished = false;

  constructor(
    private readonly watch: ChannelWatch,
    private readonly metadata: Metadata,
    private readonly observer: CallObserver,
  ) {
    this.mark = watch.mark();
  }

  start(call: GrpcJsCall, request: Uint8Array): void {
    this.call = call;
    call.start(this.metadata, this);
    call.startRead();
    call.sendMessageWithContext({}, asBuffer(request));
    call.halfClose();
  }

  /** Nothing was started: the channel is closed. */
  failLater(message: string): void {
    queueMicrotask(() => this.finish({ code: GrpcStatus.UNAVAILABLE, details: message }));
  }

  cancel(): void {
    this.call?.cancelWithStatus(GrpcStatus.CANCELLED, 'cancelled by the gateway');
  }

  onReceiveMetadata(): void {
    // Response headers carry nothing that the gateway uses.
  }

  onReceiveMessage(message: Buffer): void {
    if (this.response !== null) {
      this.call?.cancelWithStatus(GrpcStatus.INTERNAL, 'more than one response to a unary call');
    }
    this.response = message;
  }

  onReceiveStatus(status: Status): void {
    this.finish(status);
  }

  private finish(status: Status): void {
    if (this.finished) return;
    this.finished = true;
    if (status.code === GrpcStatus.OK && this.response !== null) {
      this.observer.onResponse(this.response);
      return;
    }
    const answered = status.code === GrpcStatus.OK;
    this.observer.onFailure({
      status: answered ? GrpcStatus.INTERNAL : status.code,
      message: answered ? 'status OK without a response' : statusLine(status.details),
      neverSent: !answered && !this.watch.connectedSince(this.mark),
    });
  }
}

/** What every call carries; grpc-js copies it, so that one serves all. */
function metadataOf({ secret }: ChannelTuning): Metadata {
  const { Metadata } = grpcJs();
  const metadata = new Metadata();
  if (secret !== undefined) metadata.set('authorization', `Bearer ${secret}`);
  return metadata;
}
