import type { IncomingHttpHeaders } from 'node:http';
import type { PerMessageDeflateOptions } from 'ws';

const WINDOW_BITS = 11;

/**
 * Compression forgets everything between two messages and looks back 2 KiB: about 50 KB for a
 * connection that uses it, where the defaults would take 300 KB. Small messages are left alone.
 */
export const COMPRESSION: PerMessageDeflateOptions = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  serverMaxWindowBits: WINDOW_BITS,
  zlibDeflateOptions: { level: 3, memLevel: 4 },
  threshold: 1_024,
};

const OFFER = /^\s*permessage-deflate\s*(?:;|$)/i;

/** A parameter of an offer that can be met (RFC 7692 section 7.1), its value without quotes. */
const MET =
  /^(?:server_no_context_takeover|client_no_context_takeover|client_max_window_bits(?:=(?:[89]|1[0-5]))?|server_max_window_bits=(1[0-5]))$/;

/**
 * Takes those offers of permessage-deflate out of a request that cannot be met: they are to be declined, which leaves
 * a WebSocket without compression (RFC 7692 section 5), where the library refuses the request.
 */
export function declineUnmetOffers(headers: IncomingHttpHeaders): void {
  const offers = headers['sec-websocket-extensions'];
  if (offers === undefined) return;
  const kept = offers.split(',').filter((offer) => !OFFER.test(offer) || isMet(offer));
  if (kept.length > 0) headers['sec-websocket-extensions'] = kept.join(',').trim();
  else delete headers['sec-websocket-extensions'];
}

function isMet(offer: string): boolean {
  const [, ...parameters] = offer.split(';').map((part) => part.trim().replace(/="(.*)"$/, '=$1'));
  const names = new Set(parameters.map((parameter) => parameter.split('=', 1)[0]));
  if (names.size < parameters.length) return false;
  return parameters.every((parameter) => {
    const met = MET.exec(parameter);
    return met !== null && Number(met[1] ?? WINDOW_BITS) >= WINDOW_BITS;
  });
}
