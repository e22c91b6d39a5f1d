import { CallError, GatewayCaller } from '../../sdk/upstream/gateway-caller.js';
import type { GatewayAccess } from '../../sdk/upstream/index.js';

/** The kind of the pushes of a bench; sessions ignore what anyone else pushes meanwhile. */
export const BENCH_PUSH = 'gatesvr-bench';

/** How long the gateway may take to accept a push, ms. */
const CALL_TIMEOUT_MS = 15_000;

const CONTENT = { msgType: BENCH_PUSH, title: '', content: '', metadata: {} };

/** What a bench asks of the gateway's gRPC side: what upstreams do, without being one. */
export interface PushGateway {
  /** @throws {Error} where the gateway does not accept it. */
  push(openid: string, data: Uint8Array): Promise<void>;
  /**
   * @param sessionIds null: every session of the gateway.
   * @returns how many sessions it was sent to. @throws {Error} as push.
   */
  broadcast(sessionIds: readonly string[] | null, data: Uint8Array): Promise<number>;
  close(): void;
}

/** GatewayService of a gateway at host:port. */
export class GrpcPushGateway implements PushGateway {
  private readonly caller: GatewayCaller;

  /** @param unary a call for each push, as by upstreams that are not built with the SDK; else over PushStream. */
  constructor(
    address: string,
    access: GatewayAccess = {},
    private readonly unary = false,
  ) {
    this.caller = new GatewayCaller(address, CALL_TIMEOUT_MS, access);
  }

  async push(openid: string, data: Uint8Array): Promise<void> {
    const request = { ...CONTENT, targetType: 'openid', targetId: openid, data };
    const answer = this.unary ? this.caller.pushAlone(request) : this.caller.push(request);
    const { success, errorCode, message } = await answer.catch(toOneLine);
    if (!success) throw new Error(`a push was refused: ${errorCode} ${message}`);
  }

  async broadcast(sessionIds: readonly string[] | null, data: Uint8Array): Promise<number> {
    const request = { ...CONTENT, data, sessionIds: sessionIds === null ? [] : [...sessionIds] };
    const { sentCount, message } = await this.caller.broadcast(request).catch(toOneLine);
    if (sentCount === 0) throw new Error(`a broadcast reached nobody: ${message}`);
    return sentCount;
  }

  close(): void {
    this.caller.close();
  }
}

function toOneLine(error: unknown): never {
  if (!(error instanceof CallError)) throw error;
  throw new Error(`a push failed: ${error.message}; is --gateway its gRPC address?`);
}
