import { ACCEPTED_ENCODINGS } from '../message-encoding.js';
import { encodeGrpcMessage } from '../status-mapping.js';
import { GrpcStatus } from '../unary-caller.js';
import type { FrameWriter } from './frame-writer.js';
import { Flag, FrameType } from './frames.js';
import { HeaderEncoder } from './header-encoder.js';

const STATUS_200 = Buffer.of(0x80 | 8);

/** A block and the state of the table that it was encoded in. */
interface KeptBlock {
  readonly bytes: Buffer;
  readonly changes: number;
}

/** Encodes headers and trailers of gRPC answers; those of a success take four bytes and one. */
export class ResponseHeaders {
  private readonly encoder = new HeaderEncoder();
  private keptHeaders: KeptBlock | null = null;
  private keptSuccess: KeptBlock | null = null;

  constructor(private readonly writer: FrameWriter) {}

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. */
  limitTable(bytes: number): void {
    this.encoder.limitTable(bytes);
  }

  /** What an answer begins with. */
  headers(streamId: number): void {
    const { encoder } = this;
    let block = this.keptHeaders;
    if (block?.changes !== encoder.changes) {
      const changes = encoder.changes;
      block = { bytes: this.opening(), changes };
      this.keptHeaders = block;
    }
    this.write(streamId, block.bytes, 0);
  }

  /** What an answer ends with. */
  trailers(streamId: number, status: number, details: string): void {
    if (status !== GrpcStatus.OK) {
      this.write(streamId, this.ending(status, details), Flag.END_STREAM);
      return;
    }
    const { encoder } = this;
    let block = this.keptSuccess;
    if (block?.changes !== encoder.changes) {
      const changes = encoder.changes;
      block = { bytes: this.ending(status, ''), changes };
      this.keptSuccess = block;
    }
    this.write(streamId, block.bytes, Flag.END_STREAM);
  }

  /** A status instead of an answer. */
  trailersOnly(streamId: number, status: number, details: string): void {
    const block = Buffer.concat([this.opening(), this.ending(status, details)]);
    this.write(streamId, block, Flag.END_STREAM);
  }

  /** For whoever does not speak gRPC. */
  httpStatus(streamId: number, status: number): void {
    const { encoder } = this;
    const block = Buffer.concat([encoder.opening(), encoder.field(':status', String(status))]);
    this.write(streamId, block, Flag.END_STREAM);
  }

  private opening(): Buffer {
    const { encoder } = this;
    return Buffer.concat([
      encoder.opening(),
      STATUS_200,
      encoder.field('content-type', 'application/grpc'),
      encoder.field('grpc-accept-encoding', ACCEPTED_ENCODINGS),
    ]);
  }

  private ending(status: number, details: string): Buffer {
    const { encoder } = this;
    return Buffer.concat([
      encoder.opening(),
      encoder.field('grpc-status', String(status)),
      ...(details === '' ? [] : [encoder.once('grpc-message', encodeGrpcMessage(details))]),
    ]);
  }

  private write(streamId: number, block: Buffer, flags: number): void {
    this.writer.head(block.length, FrameType.HEADERS, flags | Flag.END_HEADERS, streamId);
    this.writer.bytes(block);
  }
}
