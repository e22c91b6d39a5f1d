import { flag } from '../leaf.js';
import { origins } from './websocket.js';

/** WebTransport clients, which come to server.quic_addr where quic.http3 is on. */
export const webtransport = {
  enabled: flag('true', 'Take WebTransport sessions of browsers, https://HOST:PORT/gatesvr.'),
  origins: origins.following('websocket.origins'),
};
