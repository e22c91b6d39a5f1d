import { streamFault } from './http3-fault.js';
import type { Field } from './qpack-static-table.js';

/** What a request asks for: its header section, checked (RFC 9114 section 4.3). */
export interface RequestHead {
  readonly method: string;
  /** Empty for CONNECT without a protocol. */
  readonly path: string;
  readonly authority: string;
  /** Of an extended CONNECT (RFC 9220), else empty. */
  readonly protocol: string;
  /** By name in lower case; several of a name are joined with a comma, cookies with a semicolon. */
  readonly headers: ReadonlyMap<string, string>;
  /** Bytes of the body, where it says so. */
  readonly contentLength: number | null;
}

const PSEUDO_HEADERS: readonly string[] = [
  ':method',
  ':scheme',
  ':authority',
  ':path',
  ':protocol',
];
/** Of HTTP/1.1 only (RFC 9114 section 4.2). */
const CONNECTION_HEADERS: readonly string[] = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
];
/** A token of RFC 9110 section 5.6.2 in lower case. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** What no value holds (RFC 9110 section 5.5), and blanks at its ends. */
// eslint-disable-next-line no-control-regex -- these very characters are looked for
const BAD_VALUE = /[\u0000\r\n]|^[ \t]|[ \t]$/;

/**
 * @param extendedConnect whether SETTINGS_ENABLE_CONNECT_PROTOCOL was announced.
 * @throws {Http3Fault} MESSAGE_ERROR, for the stream.
 */
export function requestHead(fields: readonly Field[], extendedConnect: boolean): RequestHead {
  const pseudo = new Map<string, string>();
  const headers = new Map<string, string>();
  for (const [name, value] of fields) {
    if (name.startsWith(':')) {
      if (headers.size > 0) throw malformed(`${name} behind the headers`);
      if (!PSEUDO_HEADERS.includes(name)) throw malformed(`pseudo-header ${name}`);
      if (pseudo.has(name)) throw malformed(`${name} twice`);
      if (BAD_VALUE.test(value)) throw malformed(`characters in ${name}`);
      pseudo.set(name, value);
    } else {
      addHeader(headers, name, value);
    }
  }
  const method = pseudo.get(':method') ?? '';
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(method)) throw malformed(':method is missing');
  return {
    method,
    ...target(method, pseudo, headers, extendedConnect),
    headers,
    contentLength: contentLength(headers),
  };
}

/**
 * Checks the fields behind a body.
 * @throws {Http3Fault} MESSAGE_ERROR, for the stream.
 */
export function trailersOf(fields: readonly Field[]): ReadonlyMap<string, string> {
  const trailers = new Map<string, string>();
  for (const [name, value] of fields) addHeader(trailers, name, value);
  return trailers;
}

function addHeader(headers: Map<string, string>, name: string, value: string): void {
  if (!NAME.test(name)) throw malformed('the name of a header');
  if (BAD_VALUE.test(value)) throw malformed(`the value of ${name}`);
  if (CONNECTION_HEADERS.includes(name)) throw malformed(`header ${name}`);
  if (name === 'te' && value.toLowerCase() !== 'trailers') throw malformed('header te');
  const former = headers.get(name);
  const glue = name === 'cookie' ? '; ' : ', ';
  headers.set(name, former === undefined ? value : former + glue + value);
}

function target(
  method: string,
  pseudo: ReadonlyMap<string, string>,
  headers: ReadonlyMap<string, string>,
  extendedConnect: boolean,
) {
  const protocol = pseudo.get(':protocol') ?? '';
  const authority = pseudo.get(':authority') ?? headers.get('host') ?? '';
  const path = pseudo.get(':path') ?? '';
  if (pseudo.has(':protocol') && (!extendedConnect || method !== 'CONNECT' || protocol === '')) {
    throw malformed(':protocol where none may be');
  }
  if (authority === '') throw malformed(':authority is missing');
  if (authority !== (headers.get('host') ?? authority)) throw malformed('host is not :authority');
  if (method === 'CONNECT' && protocol === '') {
    if (pseudo.has(':path') || pseudo.has(':scheme')) throw malformed('CONNECT with a path');
    return { protocol, authority, path };
  }
  if ((pseudo.get(':scheme') ?? '') === '') throw malformed(':scheme is missing');
  if (!path.startsWith('/') && !(method === 'OPTIONS' && path === '*')) {
    throw malformed(path === '' ? ':path is missing' : ':path is no path');
  }
  return { protocol, authority, path };
}

function contentLength(headers: ReadonlyMap<string, string>): number | null {
  const text = headers.get('content-length');
  if (text === undefined) return null;
  const [first = '', ...others] = text.split(', ');
  const length = Number(first);
  if (!/^\d+$/.test(first) || !Number.isSafeInteger(length)) throw malformed('content-length');
  if (others.some((other) => other !== first)) throw malformed('two content-lengths');
  return length;
}

function malformed(what: string) {
  return streamFault('MESSAGE_ERROR', `a malformed request: ${what}`);
}
