import type { TracedEvent } from './event-reader.js';

type Data = TracedEvent['data'];

/** Longest payload that one line shows, in characters. */
const MAX_SHOWN = 160;
const TYPE_WIDTH = 15;
const NUMBER_WIDTH = 12;
const SIZE_WIDTH = 9;

/** Fields that have a column of their own, or say what every line says. */
const PLACED = new Set(
  'at openid session connection dir type msg_id seq bytes phase what payload timing_ms error'.split(
    ' ',
  ),
);

/** An event as one aligned line without its end. What clients and upstreams wrote cannot break out of it. */
export function eventLine({ event, data }: TracedEvent): string {
  const [mark, name, details] = columns(event, data);
  const size = event === 'frame' ? `${plain(data['bytes'])} B` : '';
  return [
    timeOf(data['at']),
    mark,
    name.padEnd(TYPE_WIDTH),
    numbers(data).padEnd(NUMBER_WIDTH),
    size.padStart(SIZE_WIDTH),
    details,
  ]
    .join('  ')
    .trimEnd();
}

function columns(event: string, data: Data): readonly [string, string, string] {
  switch (event) {
    case 'open':
      return ['**', 'watching', opened(data)];
    case 'frame':
      return [data['dir'] === 'in' ? '->' : '<-', plain(data['type']), frameDetails(data)];
    case 'request':
      return ['  ', plain(data['phase']), requestDetails(data)];
    case 'dropped':
      return ['!!', 'dropped', `${plain(data['count'])} events: this listener was too slow`];
    default:
      return ['--', plain(data['what'] ?? event), `${place(event, data)}${pairs(data)}`];
  }
}

function opened(data: Data): string {
  const [session] = Array.isArray(data['sessions']) ? (data['sessions'] as Data[]) : [];
  const whom = plain(data['openid']);
  if (session === undefined) return `${whom}, who has no session`;
  return `${whom}  ${pairs(session)}`;
}

function frameDetails(data: Data): string {
  const { code, name, detail } = record(data['error']);
  const error =
    data['error'] === undefined ? '' : `${plain(code)} ${plain(name)}: ${plain(detail)}  `;
  return `${error}${pairs(data)}${payload(data['payload'])}`.trimEnd();
}

function requestDetails(data: Data): string {
  const timing = Object.entries(record(data['timing_ms'])).map(
    ([stage, ms]) => `${stage} ${typeof ms === 'number' ? ms.toFixed(2) : plain(ms)}`,
  );
  const times = timing.length === 0 ? '' : ` ms: ${timing.join(', ')}`;
  return `${pairs(data)}${times}`.trimStart();
}

/** `session 3f0c...`, `connection 2`: what it happened to. */
function place(event: string, { session, connection }: Data): string {
  const which = event === 'session' ? session : connection;
  return `${plain(event)} ${plain(which ?? '')} `.replace('  ', ' ');
}

/** All other fields that say something, `name=value`. */
function pairs(data: Data): string {
  return (
    Object.entries(data)
      .filter(([name, value]) => !PLACED.has(name) && value !== '' && value !== false)
      .filter(([name, value]) => name !== 'unsent_bytes' || value !== 0)
      // Beside its BUSINESS line a request needs no name.
      .filter(([name]) => name !== 'action' || data['phase'] === undefined)
      .map(([name, value]) => `${plain(name)}=${plain(value)}`)
      .join(' ')
  );
}

function payload(value: unknown): string {
  const { base64, bytes, truncated } = record(value);
  if (typeof base64 !== 'string') return '';
  const content = Buffer.from(base64, 'base64').toString('utf8');
  const cut = truncated === true || content.length > MAX_SHOWN ? '...' : '';
  return ` data (${plain(bytes)} B)=${quoted(content.slice(0, MAX_SHOWN))}${cut}`;
}

/** `m7 #3`: msg_id and number, where there are any. */
function numbers({ msg_id: msgId, seq }: Data): string {
  const parts = [msgId ? `m${plain(msgId)}` : '', seq ? `#${plain(seq)}` : ''];
  return parts.filter((part) => part !== '').join(' ');
}

function timeOf(at: unknown): string {
  const date = new Date(typeof at === 'number' ? at : 0);
  const two = (value: number) => String(value).padStart(2, '0');
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${clock}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** A value as it is where that is one plain word, else quoted: it may come from a client. */
function plain(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') return value === undefined ? '' : escaped(JSON.stringify(value));
  return /^[\p{L}\p{N}\p{P}\p{S} ]*$/u.test(value) ? value : quoted(value);
}

function quoted(text: string): string {
  return escaped(JSON.stringify(text));
}

/** Everything that could move a terminal's cursor is written as its number. */
function escaped(text: string): string {
  return text.replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
