/** What of a response's headers or trailers matters to a call. */
export class HeaderFields {
  /** 0 in trailers. */
  httpStatus = 0;
  contentType: string | undefined;
  encoding: string | undefined;
  grpcStatus: string | undefined;
  grpcMessage: string | undefined;

  /** For HpackDecoder.decode. */
  readonly add = (name: string, value: string): void => {
    switch (name) {
      case ':status':
        this.httpStatus = Number(value) || 0;
        break;
      case 'content-type':
        this.contentType ??= value;
        break;
      case 'grpc-encoding':
        this.encoding ??= value;
        break;
      case 'grpc-status':
        this.grpcStatus ??= value;
        break;
      case 'grpc-message':
        this.grpcMessage ??= value;
        break;
      default:
    }
  };

  clear(): void {
    this.httpStatus = 0;
    this.contentType = this.encoding = this.grpcStatus = this.grpcMessage = undefined;
  }
}
