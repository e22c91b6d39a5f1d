import { native } from '@matrixai/quic';

/** The native bindings of quiche 0.18; the only place that names the package (QUIC-NOTES.md). */
export const quiche = native.quiche;

/** One QUIC connection as quiche knows it: the bytes of packets in and out, no sockets, no clock. */
export type QuicheConnection = ReturnType<typeof quiche.Connection.accept>;

/** TLS identity and transport parameters that connections are made from. */
export type QuicheConfig = ReturnType<typeof quiche.Config.withBoringSslCtx>;

const HERE = Object.freeze({ host: '127.0.0.1', port: 1 });
const THERE = Object.freeze({ host: '127.0.0.1', port: 2 });

/**
 * The one path that quiche is ever shown. Its own path handling hangs the process on crafted
 * retirements (CVE-2025-7054, QUIC-NOTES.md), so addresses are entirely ours: quiche sees every
 * datagram come from the same place, and what it says about destinations is ignored.
 */
export const SOLE_PATH = Object.freeze({
  local: HERE,
  peer: THERE,
  recvInfo: Object.freeze({ from: THERE, to: HERE }),
});

/** The number in an error such as `StreamReset(7)`, or 0 where there is none. */
export function codeInError(message: string): number {
  const match = /\((\d+)\)/.exec(message);
  return match === null ? 0 : Number(match[1]);
}
