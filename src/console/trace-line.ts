import { count, millis } from './format.js';
import type { Tone } from './tones.js';

/** One event of GET /trace as a line for people (docs/OPERATIONS.md, "Live trace"). */
export interface TraceLine {
  /** ms since 1970. */
  readonly at: number;
  /** Towards the gateway, from it, or within. */
  readonly way: 'in' | 'out' | '';
  readonly what: string;
  readonly detail: string;
  readonly tone: Tone | null;
}

type Fields = Readonly<Record<string, unknown>>;

/** @param data as it came: a field that is not there is left out of the line. */
export function traceLine(name: string, data: Fields): TraceLine {
  const at = typeof data['at'] === 'number' ? data['at'] : 0;
  const line = (
    what: string,
    detail: string,
    tone: Tone | null = null,
    way: TraceLine['way'] = '',
  ) => ({ at, what, detail, tone, way });
  switch (name) {
    case 'frame':
      return frameLine(line, data);
    case 'request':
      return requestLine(line, data);
    case 'session':
      return line(
        `session ${text(data, 'what')}`,
        some(data, 'kind', 'reason', 'transport', 'remote', 'zone'),
      );
    case 'connection':
      return line(
        `connection ${text(data, 'what')}`,
        some(data, 'by', 'code', 'name', 'reason'),
        'warn',
      );
    case 'dropped':
      return line('events dropped', `${text(data, 'count')}: this page was too slow`, 'warn');
    case 'open':
      return line('trace begins', '');
    default:
      return line(name, '');
  }
}

type MakeLine = (
  what: string,
  detail: string,
  tone?: Tone | null,
  way?: TraceLine['way'],
) => TraceLine;

function frameLine(line: MakeLine, data: Fields): TraceLine {
  const way = data['dir'] === 'in' ? 'in' : 'out';
  const size = typeof data['bytes'] === 'number' ? `${count(data['bytes'])} B` : '';
  const seq = data['seq'] === 0 ? '' : `seq ${text(data, 'seq')}`;
  const error = data['error'] as Fields | undefined;
  const failed =
    error === undefined
      ? ''
      : `${text(error, 'code')} ${text(error, 'name')} ${text(error, 'detail')}`;
  const flags = ['push', 'replay', 'resumed', 'recovered'].filter((flag) => data[flag] === true);
  const more = some(data, 'action', 'acked', 'code', 'reason');
  const detail = [seq, more, failed.trim(), ...flags, size].filter((part) => part !== '');
  return line(text(data, 'type'), detail.join(', '), failed === '' ? null : 'bad', way);
}

function requestLine(line: MakeLine, data: Fields): TraceLine {
  const phase = text(data, 'phase');
  const timing = (data['timing_ms'] ?? {}) as Fields;
  const stages = Object.entries(timing).map(
    ([stage, ms]) => `${stage} ${typeof ms === 'number' ? millis(ms) : '–'}`,
  );
  const bad = phase === 'failed' || phase === 'refused';
  const tone: Tone | null = bad ? 'bad' : phase === 'attempt_failed' ? 'warn' : null;
  const facts = some(data, 'action', 'upstream', 'zone', 'attempt', 'kind', 'code', 'reason');
  const took = stages.length === 0 ? '' : `ms: ${stages.join(', ')}`;
  const detail = [facts, took].filter((part) => part !== '').join('; ');
  return line(`request ${phase.replaceAll('_', ' ')}`, detail, tone);
}

function some(data: Fields, ...names: string[]): string {
  return names
    .filter((name) => ['string', 'number'].includes(typeof data[name]) && data[name] !== '')
    .map((name) => `${name} ${text(data, name)}`)
    .join(', ');
}

function text(data: Fields, name: string): string {
  const value = data[name];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
