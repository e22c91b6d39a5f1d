import type { Link, LinkClosed, LinkObserver } from '../../src/link/link.js';
import { memoryLinkPair } from './memory-link.js';
import type { MemoryScheduler } from './memory-link.js';
import type { Transport } from '../../src/sdk/client/core/transport.js';
import type { ErrorCode } from '../../src/wire/error-catalogue.js';
import { encodePushBody, encodePushFrame } from '../../src/wire/frame-encoder.js';
import {
  BusinessRequest,
  BusinessResponse,
  ClientAck,
  ClientRequest,
  ErrorMessage,
  HeartbeatRequest,
  HeartbeatResponse,
  PushType,
  RequestType,
  StartRequest,
  StartResponse,
  StopRequest,
  decodeMessage,
  encodeMessage,
} from '../../src/wire/messages.js';

type StartAnswer = Parameters<typeof StartResponse.encode>[0];
type Data = Parameters<typeof BusinessResponse.encode>[0];

/** One business request as the gateway read it; data copied. */
export interface ReceivedRequest {
  readonly msgId: number;
  readonly seqId: number;
  readonly action: string;
  readonly params: Record<string, string>;
  readonly data: string;
  readonly headers: Record<string, string>;
}

/** The gateway's end of one connection: records what came, sends what the test says. */
export class FakeConnection implements LinkObserver {
  readonly starts: StartRequest[] = [];
  readonly requests: ReceivedRequest[] = [];
  readonly acks: number[] = [];
  readonly stops: StopRequest[] = [];
  heartbeats = 0;
  closed: LinkClosed | null = null;
  badFrame: number | null = null;

  constructor(
    readonly link: Link,
    readonly address: string,
    private readonly gateway: FakeGateway,
  ) {
    link.bind(this);
  }

  onFrame(frame: Uint8Array): void {
    const request = decodeMessage(ClientRequest, frame);
    const payload = request.payload;
    switch (request.type) {
      case RequestType.REQUEST_START:
        this.starts.push(decodeMessage(StartRequest, Buffer.from(payload)));
        this.gateway.onStart(this, request.msgId);
        return;
      case RequestType.REQUEST_BUSINESS:
        this.onBusiness(request);
        return;
      case RequestType.REQUEST_HEARTBEAT:
        this.heartbeats++;
        this.gateway.onHeartbeat(this, request.msgId, decodeMessage(HeartbeatRequest, payload));
        return;
      case RequestType.REQUEST_ACK:
        this.acks.push(decodeMessage(ClientAck, payload).ackedSeqId);
        return;
      case RequestType.REQUEST_STOP:
        this.stops.push(decodeMessage(StopRequest, payload));
        this.gateway.onStop(this);
        return;
      default:
        throw new Error(`fake gateway: unexpected type ${request.type}`);
    }
  }

  onBadFrame(code: ErrorCode): void {
    this.badFrame = code;
  }

  onWritable(): void {
    // The scripts of tests send little.
  }

  onClosed(closed: LinkClosed): void {
    this.closed = closed;
  }

  /** Any frame; `payload` already encoded. */
  raw(msgId: number, seqId: number, type: PushType, payload: Uint8Array): void {
    this.link.send(encodePushFrame(msgId, seqId, encodePushBody(type, payload)));
  }

  startResponse(msgId: number, answer: StartAnswer): void {
    this.raw(msgId, 0, PushType.PUSH_START_RESP, encodeMessage(StartResponse, answer));
  }

  /** BUSINESS_DATA: an answer where msgId is above 0, else a push. */
  data(msgId: number, seqId: number, response: Data, headers?: Record<string, string>): void {
    const payload = encodeMessage(BusinessResponse, { code: 200, ...response });
    const body = encodePushBody(PushType.PUSH_BUSINESS_DATA, payload, headers);
    this.link.send(encodePushFrame(msgId, seqId, body));
  }

  push(seqId: number, title: string): void {
    this.data(0, seqId, { message: `[test] ${title}`, data: Buffer.from(title) });
  }

  error(msgId: number, seqId: number, errorCode: number, errorMessage = '', detail = ''): void {
    const payload = encodeMessage(ErrorMessage, { errorCode, errorMessage, detail });
    this.raw(msgId, seqId, PushType.PUSH_ERROR, payload);
  }

  private onBusiness(request: ClientRequest): void {
    const { action, params, data } = decodeMessage(BusinessRequest, request.payload);
    const { msgId, seqId, headers } = request;
    const received = { msgId, seqId, action, params, data: Buffer.from(data).toString(), headers };
    this.requests.push(received);
    this.gateway.onBusiness(this, received);
  }
}

/** A Link that lingers does so until its peer closes, however long this process stands still. */
const PATIENT: MemoryScheduler = {
  soon: (run) => void setImmediate(run),
  after: () => undefined,
};

/**
 * A gateway that does what the test scripts. Unless told otherwise it accepts every START as
 * session `s-1`, echoes requests and answers heartbeats; it keeps no session: `nextPush` is its
 * only memory, so numbers go on over connections.
 */
export class FakeGateway {
  readonly connections: FakeConnection[] = [];
  /** Every address that a client tried, refused ones included. */
  readonly tried: string[] = [];
  /** The number of the next sequenced frame. */
  nextPush = 1;
  heartbeatSeconds = 30;
  /** While set, opening fails with it. */
  openError: Error | null = null;
  /** While set, opening hangs until its signal fires. */
  openHangs = false;
  /** Addresses at which opening hangs until its signal fires. */
  readonly silent = new Set<string>();
  /** Addresses at which opening was given up. */
  readonly givenUp: string[] = [];
  /** How long opening takes at an address: resolved by the test's clock. */
  opening: (address: string) => Promise<unknown> = () => Promise.resolve();

  onStart: (connection: FakeConnection, msgId: number) => void = (connection, msgId) =>
    this.accept(connection, msgId, {});
  onBusiness: (connection: FakeConnection, request: ReceivedRequest) => void = (
    connection,
    request,
  ) => this.echo(connection, request);
  onHeartbeat: (connection: FakeConnection, msgId: number, beat: HeartbeatRequest) => void = (
    connection,
    msgId,
    { clientTimestamp },
  ) => {
    const payload = encodeMessage(HeartbeatResponse, { clientTimestamp, serverTimestamp: 1 });
    connection.raw(msgId, 0, PushType.PUSH_HEARTBEAT_RESP, payload);
  };
  onStop: (connection: FakeConnection) => void = (connection) =>
    connection.link.close(0, 'stopped');

  /** The client's way to this gateway, in memory. */
  readonly transport: Transport & { probe?: Transport['probe'] } = {
    name: 'memory',
    open: async (address, signal) => {
      this.tried.push(address);
      if (this.openError !== null) throw this.openError;
      if (this.openHangs || this.silent.has(address)) {
        await new Promise((_, reject) =>
          signal.addEventListener('abort', () => {
            this.givenUp.push(address);
            reject(signal.reason as Error);
          }),
        );
      }
      await this.opening(address);
      const [client, server] = memoryLinkPair(PATIENT);
      this.serve(server, address);
      return client;
    },
  };

  /** Serves a Link of whatever transport. */
  serve(link: Link, address = ''): FakeConnection {
    const connection = new FakeConnection(link, address, this);
    this.connections.push(connection);
    return connection;
  }

  /** The newest connection. */
  get last(): FakeConnection {
    const connection = this.connections.at(-1);
    if (connection === undefined) throw new Error('nobody has connected to the fake gateway');
    return connection;
  }

  accept(connection: FakeConnection, msgId: number, answer: StartAnswer): void {
    const before = connection.starts.at(-1)?.resumeSessionId ?? '';
    connection.startResponse(msgId, {
      success: true,
      heartbeatInterval: this.heartbeatSeconds,
      connectionId: 's-1',
      resumed: before === 's-1',
      recovered: true,
      nextPushSeq: this.nextPush,
      ...answer,
    });
  }

  refuse(connection: FakeConnection, msgId: number, errorCode: number, detail = ''): void {
    const error = { errorCode, errorMessage: `refused ${errorCode}`, detail };
    connection.startResponse(msgId, { success: false, error });
    connection.link.finish(errorCode as ErrorCode, 'refused');
  }

  echo(connection: FakeConnection, request: ReceivedRequest): void {
    const data = Buffer.from(request.data);
    connection.data(request.msgId, this.nextPush++, { message: request.action, data });
  }
}

/** Lets promises and the queues of memory links run: enough turns for any exchange of a few frames. */
export async function turns(count = 12): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
