import type { Field, Shape } from './ws-json-shapes.js';

/**
 * A decoded message as an object for JSON.stringify, by the proto3 JSON mapping: 64-bit numbers as
 * text, bytes as base64, enums by name. Fields with their default are written too, so that a reader
 * need not know the defaults; a message that is absent is left out.
 */
export function writeMessage(shape: Shape, message: object): Record<string, unknown> {
  const written: Record<string, unknown> = {};
  for (const field of shape.fields) {
    const value = writeField(field, message);
    if (value !== undefined) written[field.name] = value;
  }
  return written;
}

/** One field of a decoded message, undefined where it is an absent message. */
export function writeField({ name, type }: Field, message: object): unknown {
  const value = (message as Record<string, unknown>)[name];
  switch (type) {
    case 'uint64':
    case 'int64':
      return String(value);
    case 'bytes':
      return base64(value as Uint8Array);
    case 'string':
    case 'bool':
    case 'map':
    case 'uint32':
    case 'int32':
      return value;
    default:
      // A number that no name is known for stays a number.
      if ('names' in type) return type.names[String(value)] ?? value;
      return value === null || value === undefined
        ? undefined
        : writeMessage(type.shape, value as object);
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}
