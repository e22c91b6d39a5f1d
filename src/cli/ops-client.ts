import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { messageOf } from '../base/errors.js';

/** Where the operators' API of a gateway is, and how it is asked. */
export interface OpsTarget {
  readonly url: URL;
  /** Goes into the Authorization header; null: none. */
  readonly token: string | null;
  /** PEM of the authorities to trust; null: those that Node trusts. */
  readonly ca: Buffer | null;
  /** Shown to a gateway that asks for a certificate; PEM. */
  readonly identity?: OpsIdentity | undefined;
}

/** A client certificate with its key, PEM. */
export interface OpsIdentity {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** A gateway that answers at all does so sooner, ms. */
const TIMEOUT_MS = 3_000;
/** Far above what one page of /stats or /health can be. */
const MAX_BYTES = 8 * 1024 * 1024;

/** The gateway understood, and will not. The message is one line. */
export class OpsRefusal extends Error {
  constructor(
    message: string,
    /** It may well be otherwise in a moment. */
    readonly passing: boolean,
  ) {
    super(message);
    this.name = 'OpsRefusal';
  }
}

/** Asks the operators' API for JSON, over one connection that is kept. */
export class OpsClient {
  private readonly agent: HttpAgent;
  private readonly secure: boolean;

  /** @param timeout how long a gateway may stay silent while an answer is due, ms. */
  constructor(
    private readonly target: OpsTarget,
    private readonly timeout = TIMEOUT_MS,
  ) {
    this.secure = target.url.protocol === 'https:';
    this.agent = this.secure
      ? new HttpsAgent({ keepAlive: true })
      : new HttpAgent({ keepAlive: true });
  }

  /** @throws {OpsRefusal} where the gateway will not; {Error} with one line where there is no answer. */
  get(path: string): Promise<unknown> {
    return this.ask('GET', path);
  }

  /** Has something done. @throws as get. */
  post(path: string): Promise<unknown> {
    return this.ask('POST', path);
  }

  private async ask(method: 'GET' | 'POST', path: string): Promise<unknown> {
    const response = await this.send(method, path);
    const text = await textOf(response);
    const status = response.statusCode ?? 0;
    if (status !== 200 && status !== 202) throw refusal(path, status, text);
    try {
      return JSON.parse(text);
    } catch {
      throw new Error(`${path} is no JSON; is it a gateway's HTTP address?`);
    }
  }

  /**
   * Opens an answer that goes on for ever; what comes of it is the caller's to read.
   * @param silence ms without a byte after which it is broken off.
   * @throws {OpsRefusal} where the gateway will not; {Error} with one line where there is no answer.
   */
  async open(path: string, silence: number, end: AbortSignal): Promise<IncomingMessage> {
    const response = await this.send('GET', path, end);
    const status = response.statusCode ?? 0;
    if (status === 200) {
      const quiet = new Error(`nothing came for ${silence / 1000} s`);
      response.socket.setTimeout(silence, () => response.destroy(quiet));
      return response;
    }
    throw refusal(path, status, await textOf(response));
  }

  close(): void {
    this.agent.destroy();
  }

  private send(method: string, path: string, end?: AbortSignal): Promise<IncomingMessage> {
    const { timeout } = this;
    const { url, token, ca, identity } = this.target;
    const headers = token === null ? {} : { authorization: `Bearer ${token}` };
    const signal = end === undefined ? {} : { signal: end };
    const shared = { method, agent: this.agent, headers, timeout, ...signal };
    return new Promise((resolve, reject) => {
      // A proxy may have the API below a path of its own.
      const at = new URL(`${url.origin}${url.pathname.replace(/\/+$/, '')}${path}`);
      const asked = this.secure
        ? httpsRequest(at, { ...shared, ...(ca === null ? {} : { ca }), ...identity }, resolve)
        : httpRequest(at, shared, resolve);
      asked.on('timeout', () => asked.destroy(new Error(`no answer within ${timeout / 1000} s`)));
      asked.on('error', (error) => reject(new Error(`${url.host}: ${messageOf(error)}`)));
      asked.end();
    });
  }
}

/** In the gateway's own words, where it gave any. */
function refusal(path: string, status: number, text: string): OpsRefusal {
  const said = wordsIn(text) ?? `${path} answers ${status}; is it a gateway's HTTP address?`;
  return new OpsRefusal(status === 401 ? `${said} (--token-file)` : said, status >= 500);
}

/** What a refusal says, null where it is no gateway's. */
function wordsIn(text: string): string | null {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    return typeof error === 'string' ? error : null;
  } catch {
    return null;
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_BYTES) throw new Error('the answer is larger than 8 MiB');
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}
