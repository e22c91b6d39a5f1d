/** The key of the token in the tab's own storage, which ends with the tab. */
const TOKEN_KEY = 'gatesvr-ops-token';

/** An answer that is no success; the message is the gateway's, or says what went wrong on the way. */
export class ApiError extends Error {
  /** @param status 0: there was no answer. */
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

/** Calls of the operators' API, which is where this page came from. */
export class Api {
  get token(): string {
    return sessionStorage.getItem(TOKEN_KEY) ?? '';
  }

  /** Kept until the tab is closed; empty forgets it. */
  set token(token: string) {
    if (token === '') sessionStorage.removeItem(TOKEN_KEY);
    else sessionStorage.setItem(TOKEN_KEY, token);
  }

  /** @throws {ApiError} */
  async get<Body>(path: string): Promise<Body> {
    return (await (await this.ask(path)).json()) as Body;
  }

  /** @param body goes as JSON; undefined: none. @throws {ApiError} */
  async send<Body>(method: 'POST' | 'PUT', path: string, body?: object): Promise<Body> {
    const content =
      body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    return (await (await this.ask(path, { method, ...content })).json()) as Body;
  }

  /** The answer as a stream of text. @throws {ApiError} */
  async stream(path: string, signal: AbortSignal): Promise<ReadableStreamDefaultReader<string>> {
    const { body } = await this.ask(path, { signal });
    if (body === null) throw new ApiError(0, 'the answer is empty');
    // The types of the platform disagree about the kind of buffer.
    const decoder = new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>;
    return body.pipeThrough(decoder).getReader();
  }

  private async ask(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.token !== '') this.show(headers);
    // Relative to the page, so that it works below any path of a proxy.
    const request = { ...init, headers, cache: 'no-store', credentials: 'same-origin' } as const;
    const response = await fetch(path, request).catch((error: unknown) => {
      if (init.signal?.aborted === true) throw error;
      throw new ApiError(0, 'the gateway does not answer');
    });
    if (response.ok) return response;
    throw new ApiError(response.status, await reasonIn(response));
  }

  private show(headers: Headers): void {
    try {
      headers.set('authorization', `Bearer ${this.token}`);
    } catch {
      // No header can have it: a quote of a word processor was copied along, for example.
      throw new ApiError(401, 'the token has characters that no token has');
    }
  }
}

async function reasonIn(response: Response): Promise<string> {
  try {
    const { error } = (await response.json()) as { error?: unknown };
    if (typeof error === 'string') return error;
  } catch {
    // Not the gateway answered, but something before it.
  }
  return `the answer is ${response.status}`;
}
