const MS_BY_UNIT: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** What of a request's headers matters to a server. */
export class RequestFields {
  method = '';
  path = '';
  contentType: string | undefined;
  encoding: string | undefined;
  private timeout: string | undefined;
  authorization: string | undefined;

  /** For HpackDecoder.decode. Of a field that comes twice the first one counts. */
  readonly add = (name: string, value: string): void => {
    switch (name) {
      case ':method':
        this.method = value;
        break;
      case ':path':
        this.path = value;
        break;
      case 'content-type':
        this.contentType ??= value;
        break;
      case 'grpc-encoding':
        this.encoding ??= value;
        break;
      case 'grpc-timeout':
        this.timeout ??= value;
        break;
      case 'authorization':
        this.authorization ??= value;
        break;
      default:
    }
  };

  clear(): void {
    this.method = this.path = '';
    this.contentType = this.encoding = this.timeout = this.authorization = undefined;
  }

  /**
   * The time that the caller gives the call, ms; Infinity where it says nothing, NaN where it is none
   * (grpc/grpc, doc/PROTOCOL-HTTP2.md, "Timeout").
   */
  get timeoutMs(): number {
    const { timeout } = this;
    if (timeout === undefined) return Infinity;
    if (!/^\d{1,8}[HMSmun]$/.test(timeout)) return NaN;
    return Number.parseInt(timeout, 10) * (MS_BY_UNIT[timeout.at(-1) as string] as number);
  }
}
