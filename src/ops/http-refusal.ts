/** A refusal of one request; the message is shown. */
export class HttpRefusal extends Error {
  constructor(
    readonly status: 400 | 401 | 404 | 409 | 414 | 503,
    message: string,
  ) {
    super(message);
    this.name = 'HttpRefusal';
  }
}
