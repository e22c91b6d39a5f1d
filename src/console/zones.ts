import type { SampleBody, UpstreamBody, ZoneBody } from './bodies.js';
import { byId, setText } from './dom.js';
import { UNKNOWN, count, millis, rate } from './format.js';
import { LiveTable } from './live-table.js';

/** One upstream with its zone; the first of a zone tells of the zone, too. */
interface ZoneRow {
  readonly zone: ZoneBody;
  readonly upstream: UpstreamBody | null;
  readonly first: boolean;
  /** The configured upstream, `any`, has what this zone has none for. */
  readonly rescued: boolean;
  /** Per second since the sample before; null where that is not known. */
  readonly requests: number | null;
}

const ofZone = (text: (zone: ZoneBody) => string) => (row: ZoneRow) =>
  row.first ? text(row.zone) : '';
const ofUpstream = (text: (upstream: UpstreamBody) => string) => (row: ZoneRow) =>
  row.upstream === null ? '' : text(row.upstream);

/** Zones and their upstreams, with health, latency and what they are asked. */
export class Zones {
  private readonly table = new LiveTable<ZoneRow>(byId('zones-table', HTMLElement), {
    caption: 'Zones and upstreams',
    empty: 'No sessions and no upstreams yet.',
    keyOf: ({ zone, upstream }) => `${zone.zone} ${upstream?.address ?? ''}`,
    columns: [
      { title: 'Zone', text: ofZone(({ zone }) => zone) },
      { title: 'Sessions', figure: true, text: ofZone(({ sessions }) => count(sessions)) },
      {
        title: 'Unacked',
        figure: true,
        spare: 2,
        text: ofZone(({ pending_frames: frames }) => count(frames)),
      },
      {
        title: 'Upstream',
        mono: true,
        text: ({ upstream }) => upstream?.address ?? UNKNOWN,
      },
      { title: 'Service', spare: 2, text: ofUpstream(({ service_name: name }) => name) },
      {
        title: 'State',
        state: true,
        text: ({ upstream, rescued }) => upstream?.state ?? (rescued ? 'by any' : 'none'),
        hint: ofUpstream(({ last_error: error }) => error),
      },
      {
        title: 'Latency, ms',
        figure: true,
        text: ofUpstream(({ latency_ms: ms, requests }) => (requests === 0 ? UNKNOWN : millis(ms))),
      },
      {
        title: 'Requests/s',
        figure: true,
        spare: 1,
        text: ({ upstream, requests }) => (upstream === null ? '' : rate(requests)),
      },
      {
        title: 'In flight',
        figure: true,
        spare: 1,
        text: ofUpstream(({ in_flight: flight }) => count(flight)),
      },
      {
        title: 'Requests',
        figure: true,
        spare: 2,
        text: ofUpstream(({ requests }) => count(requests)),
      },
      {
        title: 'Failures',
        figure: true,
        spare: 1,
        text: ofUpstream(({ failures }) => count(failures)),
        tone: ({ upstream }) => (upstream !== null && upstream.failures > 0 ? 'warn' : null),
      },
      {
        title: 'Last error',
        spare: 2,
        long: true,
        text: ofUpstream(({ last_error: error }) => error),
        hint: ofUpstream(({ last_error: error }) => error),
      },
    ],
  });
  /** Requests of each upstream at the last sample, and at this one. */
  private before = new Map<string, number>();
  private now = new Map<string, number>();
  private at = 0;

  /** The zones there are, in order. */
  names: readonly string[] = [];

  show({ zones, point }: SampleBody): void {
    const at = point['at_ms'] ?? 0;
    const seconds = this.at === 0 ? 0 : (at - this.at) / 1000;
    const rescued = zones.some(({ zone }) => zone === 'any');
    const rows = zones.flatMap((zone) => this.rowsOf(zone, seconds, rescued));
    this.at = at;
    this.before = this.now;
    this.now = new Map();
    this.names = zones.map(({ zone }) => zone);
    this.table.show(rows);
    const upstreams = rows.filter(({ upstream }) => upstream !== null);
    const well = upstreams.filter(({ upstream }) => upstream?.state === 'ok').length;
    setText(
      byId('zones-sum', HTMLElement),
      `${well} of ${upstreams.length} upstreams well, ${zones.length} zones`,
    );
  }

  private rowsOf(zone: ZoneBody, seconds: number, rescued: boolean): ZoneRow[] {
    if (zone.upstreams.length === 0) {
      return [{ zone, upstream: null, first: true, rescued, requests: null }];
    }
    return zone.upstreams.map((upstream, index) => {
      const key = `${zone.zone} ${upstream.address}`;
      const before = this.before.get(key);
      this.now.set(key, upstream.requests);
      // One that was restarted counts from 0 again.
      const grown = before === undefined ? -1 : upstream.requests - before;
      const requests = seconds > 0 && grown >= 0 ? grown / seconds : null;
      return { zone, upstream, first: index === 0, rescued, requests };
    });
  }
}
