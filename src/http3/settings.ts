import { FrameType, encodeFrame } from './frames.js';
import { connectionFault } from './http3-fault.js';
import { encodeVarints, readVarint, varintLength } from './varint.js';

/** Settings that mean something here (RFC 9114 section 7.2.4.1, RFC 9204, 9220, 9297). */
export const SettingId = {
  QPACK_MAX_TABLE_CAPACITY: 0x01,
  MAX_FIELD_SECTION_SIZE: 0x06,
  QPACK_BLOCKED_STREAMS: 0x07,
  ENABLE_CONNECT_PROTOCOL: 0x08,
  H3_DATAGRAM: 0x33,
  /** WebTransport, draft 02. */
  ENABLE_WEBTRANSPORT: 0x2b603742,
  /** WebTransport, drafts 07 to 12. */
  WEBTRANSPORT_MAX_SESSIONS: 0xc671706a,
} as const;

export type Settings = ReadonlyMap<number, number>;

/** Settings of HTTP/2 that have no place here (RFC 9114 section 11.2.2). */
const HTTP2_SETTINGS: ReadonlySet<number> = new Set([0x00, 0x02, 0x03, 0x04, 0x05]);
const SWITCHES: readonly number[] = [SettingId.ENABLE_CONNECT_PROTOCOL, SettingId.H3_DATAGRAM];

/** A SETTINGS frame. */
export function encodeSettings(settings: Settings): Buffer {
  return encodeFrame(FrameType.SETTINGS, encodeVarints(...[...settings].flat()));
}

/**
 * Reads the payload of a SETTINGS frame; ids that are not known are kept and mean nothing.
 * @throws {Http3Fault} SETTINGS_ERROR or FRAME_ERROR, for the connection.
 */
export function decodeSettings(payload: Uint8Array): Settings {
  const settings = new Map<number, number>();
  let at = 0;
  const next = (): number => {
    const start = at;
    if (start < payload.length) at += varintLength(payload[start] as number);
    if (start >= payload.length || at > payload.length) {
      throw connectionFault('FRAME_ERROR', 'SETTINGS are cut short');
    }
    return readVarint(payload, start);
  };
  while (at < payload.length) {
    const id = next();
    const value = next();
    if (HTTP2_SETTINGS.has(id)) throw fault(id, 'belongs to HTTP/2');
    if (settings.has(id)) throw fault(id, 'comes twice');
    if (SWITCHES.includes(id) && value > 1) throw fault(id, 'is neither 0 nor 1');
    settings.set(id, value);
  }
  return settings;
}

function fault(id: number, what: string) {
  return connectionFault('SETTINGS_ERROR', `setting 0x${id.toString(16)} ${what}`);
}
