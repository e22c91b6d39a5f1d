/**
 * What the client uses of a browser, and no more: no type of the DOM library, so that programs for
 * Node compile with this package too, and tests give doubles.
 */

/** https://www.w3.org/TR/webtransport/#web-transport */
export interface PlatformWebTransport {
  readonly ready: Promise<unknown>;
  /** Fulfilled where either side closed the session, rejected where it broke. */
  readonly closed: Promise<{ readonly closeCode?: number; readonly reason?: string }>;
  createBidirectionalStream(): Promise<PlatformStream>;
  close(info?: { closeCode?: number; reason?: string }): void;
}

/** Both directions of a stream, as byte streams. */
export interface PlatformStream {
  readonly readable: { getReader(): PlatformReader };
  readonly writable: { getWriter(): PlatformWriter };
}

export interface PlatformReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
}

export interface PlatformWriter {
  write(chunk: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export interface CertificateHash {
  readonly algorithm: 'sha-256';
  readonly value: Uint8Array;
}

export type WebTransportConstructor = new (
  url: string,
  options?: { serverCertificateHashes?: readonly CertificateHash[] },
) => PlatformWebTransport;

/** https://websockets.spec.whatwg.org/#the-websocket-interface */
export interface PlatformWebSocket {
  binaryType: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
  onerror: (() => void) | null;
  send(data: Uint8Array): void;
  close(code?: number, reason?: string): void;
}

export type WebSocketConstructor = new (url: string, protocols: string[]) => PlatformWebSocket;

/** A part of https://html.spec.whatwg.org/#the-storage-interface; each call may throw. */
export interface PlatformStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** A part of https://www.w3.org/TR/web-locks/: locks that all pages of an origin share. */
export interface PlatformLocks {
  request(
    name: string,
    options: { signal?: AbortSignal },
    holding: (lock: unknown) => Promise<unknown>,
  ): Promise<unknown>;
}

export interface PlatformEvents {
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
}

/** What there is of all that: a worker has no document, a page that is not secure no WebTransport. */
export interface Platform {
  readonly WebTransport?: WebTransportConstructor | undefined;
  readonly WebSocket?: WebSocketConstructor | undefined;
  readonly document?: (PlatformEvents & { readonly visibilityState: string }) | undefined;
  readonly navigator?: { readonly locks?: PlatformLocks | undefined } | undefined;
  readonly sessionStorage?: PlatformStorage | undefined;
  readonly localStorage?: PlatformStorage | undefined;
  readonly addEventListener?: PlatformEvents['addEventListener'] | undefined;
  readonly removeEventListener?: PlatformEvents['removeEventListener'] | undefined;
}

/** The browser that this runs in. */
export function thisPlatform(): Platform {
  return globalThis as unknown as Platform;
}

/** A storage of the browser, or undefined where the user forbids it: the property itself throws then. */
export function storageOf(
  platform: Platform,
  name: 'sessionStorage' | 'localStorage',
): PlatformStorage | undefined {
  try {
    return platform[name];
  } catch {
    return undefined;
  }
}
