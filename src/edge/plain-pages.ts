import type { IncomingMessage, ServerResponse } from 'node:http';

/** What a browser is given for a path. */
export interface PlainPage {
  readonly type: string;
  readonly body: Buffer;
  /** Beside type and length; names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The pages for people that a clients' port has beside its sessions; null where there is none.
 * @param path without query.
 * @param authority host and port as the browser knows them (RFC 9110 section 7.2), empty if it said none.
 */
export type PlainPages = (path: string, authority: string) => PlainPage | null;

/** Answers GET and HEAD over HTTP/1.1, and ends the connection: browsers keep it open else. */
export function answerPage(
  page: PlainPage,
  { method }: IncomingMessage,
  response: ServerResponse,
): void {
  const { type, body, headers } = page;
  response.writeHead(200, {
    ...headers,
    'content-type': type,
    'content-length': body.length,
    connection: 'close',
  });
  response.end(method === 'HEAD' ? undefined : body);
}
