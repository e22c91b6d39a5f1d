import protobuf from 'protobufjs';

/** The client edge as its .proto file says it, read anew: not through the generated codecs. */
const edge = new protobuf.Root()
  .loadSync('proto/message.proto', { keepCase: true })
  .lookup('gatesvr.proto') as protobuf.Namespace;

const PREFIX_BYTES = 4;
const BYTES_PER_LINE = 13;
const TEXT_COLUMN = 40;

const REQUEST_PAYLOADS: Readonly<Record<string, string>> = {
  REQUEST_START: 'StartRequest',
  REQUEST_STOP: 'StopRequest',
  REQUEST_HEARTBEAT: 'HeartbeatRequest',
  REQUEST_BUSINESS: 'BusinessRequest',
  REQUEST_ACK: 'ClientAck',
};
const PUSH_PAYLOADS: Readonly<Record<string, string>> = {
  PUSH_START_RESP: 'StartResponse',
  PUSH_HEARTBEAT_RESP: 'HeartbeatResponse',
  PUSH_BUSINESS_DATA: 'BusinessResponse',
  PUSH_ERROR: 'ErrorMessage',
};

/** A message of proto/message.proto, with its field numbers. */
export function messageType(name: string): protobuf.Type {
  return edge.lookupType(name);
}

/** Every message and enum of the client edge. */
export function edgeTypes(): readonly protobuf.ReflectionObject[] {
  return edge.nestedArray;
}

/** A frame as docs/PROTOCOL.md shows it: its bytes field by field, what each means beside them. */
export function annotateFrame(frame: Uint8Array, name: 'ClientRequest' | 'ServerPush'): string {
  const length = Buffer.from(frame).readUInt32BE(0);
  const body = frame.subarray(PREFIX_BYTES);
  if (body.length !== length) throw new Error(`length ${length}, but ${body.length} bytes follow`);
  return [
    ...lines(frame.subarray(0, PREFIX_BYTES), `length ${length}`),
    ...annotateMessage(body, messageType(name), ''),
  ].join('\n');
}

function annotateMessage(bytes: Uint8Array, type: protobuf.Type, indent: string): string[] {
  const reader = protobuf.Reader.create(bytes);
  const found: string[] = [];
  let payload = '';
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const field = type.fieldsById[reader.uint32() >>> 3];
    if (field === undefined) throw new Error(`${type.name}: unknown field`);
    field.resolve();
    const { value, nested } = readValue(reader, field, payload);
    if (field.name === 'type') payload = { ...REQUEST_PAYLOADS, ...PUSH_PAYLOADS }[value] ?? '';
    const text = `${indent}${field.name} ${value}`;
    if (nested === null) found.push(...lines(bytes.subarray(start, reader.pos), text));
    else {
      found.push(...lines(bytes.subarray(start, reader.pos - nested.bytes.length), text));
      found.push(...annotateMessage(nested.bytes, nested.type, `${indent}  `));
    }
  }
  return found;
}

interface Value {
  readonly value: string;
  readonly nested: { readonly bytes: Uint8Array; readonly type: protobuf.Type } | null;
}

function readValue(reader: protobuf.Reader, field: protobuf.Field, payload: string): Value {
  if (field instanceof protobuf.MapField) return plain(readEntry(reader));
  const { resolvedType } = field;
  if (resolvedType instanceof protobuf.Enum) {
    return plain(resolvedType.valuesById[reader.int32()] ?? '?');
  }
  if (resolvedType instanceof protobuf.Type) return inner(reader.bytes(), resolvedType);
  switch (field.type) {
    case 'string':
      return plain(JSON.stringify(reader.string()));
    case 'bytes':
      if (field.name === 'payload') return inner(reader.bytes(), messageType(payload));
      return plain(JSON.stringify(Buffer.from(reader.bytes()).toString('utf8')));
    case 'bool':
      return plain(String(reader.bool()));
    case 'uint32':
      return plain(String(reader.uint32()));
    default:
      // int32, int64 and uint64: none of the examples is negative.
      return plain(String(reader.uint64()));
  }
}

function plain(value: string): Value {
  return { value, nested: null };
}

function inner(bytes: Uint8Array, type: protobuf.Type): Value {
  return { value: `${type.name}, ${bytes.length} bytes`, nested: { bytes, type } };
}

function readEntry(reader: protobuf.Reader): string {
  const end = reader.uint32() + reader.pos;
  const texts: string[] = [];
  while (reader.pos < end) {
    reader.uint32();
    texts.push(JSON.stringify(reader.string()));
  }
  return `{${texts.join(': ')}}`;
}

function lines(bytes: Uint8Array, text: string): string[] {
  const pairs = [...bytes].map((byte) => byte.toString(16).padStart(2, '0'));
  const rows: string[] = [];
  for (let at = 0; at < pairs.length; at += BYTES_PER_LINE) {
    rows.push(pairs.slice(at, at + BYTES_PER_LINE).join(' '));
  }
  return rows.map((row, index) => (index === 0 ? `${row.padEnd(TEXT_COLUMN)}${text}` : row));
}

/** The bytes of an annotated frame: the two-digit groups at the beginning of each line. */
export function bytesOfAnnotated(text: string): Buffer {
  const digits = text.split('\n').map((line) => /^(?:[0-9a-f]{2}(?: |$))+/.exec(line)?.[0] ?? '');
  return Buffer.from(digits.join('').replaceAll(' ', ''), 'hex');
}
