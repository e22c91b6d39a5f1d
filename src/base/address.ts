/** Writes host and port as one text, an IPv6 host in brackets: `127.0.0.1:80`, `[::1]:80`. */
export function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Splits `host:port`, `[v6]:port` or `:port` at its last colon.
 * @returns null where the port is missing or outside 0-65535, an IPv6 host has no brackets, or the host is `*`, which
 * no system resolves.
 */
export function parseAddress(text: string): { host: string; port: number } | null {
  const match = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^:[\]\s/*]*)):(\d{1,5})$/.exec(text);
  if (match === null) return null;
  const port = Number(match[3]);
  if (port > 65535) return null;
  return { host: match[1] ?? match[2] ?? '', port };
}

/** Whether a listener on this host is reached from this machine only. @param host as configured. */
export function isLoopbackHost(host: string): boolean {
  return /^(?:127\.|::1$|localhost$)/.test(host);
}

/** Whether a listener on this host takes every address of its machine, so that nobody can dial it as written. */
export function isAnyHost(host: string): boolean {
  // Of IPv6 every spelling: `::`, `::0`, `0:0:0:0:0:0:0:0`.
  return host === '' || host === '0.0.0.0' || /^[0:]*:[0:]*$/.test(host);
}
