/** The peer broke HTTP/2: the connection ends with this code (RFC 9113 section 5.4.1). */
export class ConnectionError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
    this.name = 'ConnectionError';
  }
}
