import { duration, flag, list } from '../leaf.js';

/** Whose pages may connect, whatever the transport. */
export const origins = list(
  'Pages that may connect beside those of the same host: https://example.com, https://*.example.com, or * for all. Clients that are no browser send no origin and may.',
  /^(?:\*|[a-z][a-z0-9+.-]*:\/\/(?:\*\.)?[\w.[\]:-]+)$/i,
  'origins such as https://example.com, separated by commas, or *',
);

/** WebSocket clients; the address is server.ws_addr. */
export const websocket = {
  origins,
  compression: flag(
    'false',
    'Offer permessage-deflate: saves bytes of large messages, costs CPU and 50 KB per connection that uses it.',
  ),
  playground: flag(
    'false',
    'Serve a page to try the gateway with, https://HOST:PORT/ of server.ws_addr and of HTTP/3.',
  ),
  ping_interval: duration('25s', 'A quiet client is pinged so often.', { min: 100 }),
  pong_timeout: duration('10s', 'A client that sends nothing for so long after a ping is gone.', {
    min: 50,
  }),
  handshake_timeout: duration('10s', 'A connection that is no WebSocket by then is closed.', {
    min: 100,
  }),
};
