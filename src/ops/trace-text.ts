import type { TraceContent, TraceEvent, TraceFields } from '../session/trace/trace-event.js';

/** Of a message's data, as much as is shown. */
export const MAX_PAYLOAD_BYTES = 1_024;
/** Of a header, a parameter or a message. */
const MAX_VALUE_CHARACTERS = 256;
/** Of the headers, or parameters, of one message. */
const MAX_VALUES = 32;

/** The data of an event. @param withContent whether contents of messages may be shown. */
export function traceData(event: TraceEvent, withContent: boolean): object {
  const { at, openid, session, connection, fields, content } = event;
  const shown = withContent && content !== null ? contentFields(content) : {};
  return { at: Math.round(at * 1000) / 1000, openid, session, connection, ...fields, ...shown };
}

function contentFields({ data, headers, params, message }: TraceContent): TraceFields {
  const cut = Buffer.from(data.buffer, data.byteOffset, Math.min(data.length, MAX_PAYLOAD_BYTES));
  return {
    payload: {
      base64: cut.toString('base64'),
      bytes: data.length,
      truncated: cut.length < data.length,
    },
    headers: shorten(headers),
    ...(params === undefined ? {} : { params: shorten(params) }),
    ...(message === undefined ? {} : { message: message.slice(0, MAX_VALUE_CHARACTERS) }),
  };
}

function shorten(values: Readonly<Record<string, string>>): TraceFields {
  const some = Object.entries(values).slice(0, MAX_VALUES);
  return Object.fromEntries(
    some.map(([name, value]) => [
      name.slice(0, MAX_VALUE_CHARACTERS),
      value.slice(0, MAX_VALUE_CHARACTERS),
    ]),
  );
}
