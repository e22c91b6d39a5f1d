import { SettingId } from './settings.js';
import type { Settings } from './settings.js';
import { encodeVarints } from './varint.js';

/**
 * WebTransport over HTTP/3, drafts 02 to 12 (draft-ietf-webtrans-http3): what Chromium and aioquic speak.
 * Later drafts want RESET_STREAM_AT, which our QUIC library has not.
 */
export const WEBTRANSPORT_PROTOCOL = 'webtransport';

/** The bytes that tell whose a stream is: the first of a bidirectional one, the type of a unidirectional one. */
export const WebTransportSignal = { BIDI: 0x41, UNI: 0x54 } as const;

/** Codes of resets beside those of HTTP/3. */
export const WebTransportCode = {
  /** A stream came before its session, and there was no room to keep it. */
  BUFFERED_STREAM_REJECTED: 0x3994bd84,
  /** The session of a stream has ended, or never began. */
  SESSION_GONE: 0x170d7b68,
} as const;

/**
 * Settings of clients that mean WebTransport: of draft 02, of 07 to 12, of 13 and 14, and datagrams, which all
 * of them want: from draft 09 on clients need announce no more, and webtransport-go never did before draft 15.
 */
const CLIENT_SETTINGS: readonly number[] = [
  SettingId.ENABLE_WEBTRANSPORT,
  SettingId.WEBTRANSPORT_MAX_SESSIONS,
  0x14e9cd29,
  SettingId.H3_DATAGRAM,
];

/** What a connection announces that takes WebTransport sessions: one, which is what a client of ours needs. */
export const WEBTRANSPORT_SETTINGS: Settings = new Map([
  [SettingId.ENABLE_CONNECT_PROTOCOL, 1],
  [SettingId.H3_DATAGRAM, 1],
  [SettingId.ENABLE_WEBTRANSPORT, 1],
  [SettingId.WEBTRANSPORT_MAX_SESSIONS, 1],
]);

/** Whether a client with these settings may begin sessions. */
export function announcesWebTransport(settings: Settings): boolean {
  return CLIENT_SETTINGS.some((id) => (settings.get(id) ?? 0) > 0);
}

/** What a client's bidirectional stream of a session begins with. */
export function bidiHeader(sessionId: number): Buffer {
  return encodeVarints(WebTransportSignal.BIDI, sessionId);
}

/** The first of the HTTP/3 error codes that stand for the 2^32 of applications. */
const FIRST_APPLICATION_CODE = 0x52e4a40fa8db;

/** The code on the wire of an application's stream error; codes kept for grease are left out. */
export function streamErrorCode(applicationCode: number): number {
  return FIRST_APPLICATION_CODE + applicationCode + Math.floor(applicationCode / 0x1e);
}
