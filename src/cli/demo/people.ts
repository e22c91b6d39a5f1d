import { createHash } from 'node:crypto';

const ZONES = 6;
const NAMES =
  'alice bob carol dave erin frank grace heidi ivan judy kim leo mallory nina oscar peggy quinn ' +
  'rupert sybil trent uma victor wendy xavier yara zoe';

/** The zones, `001` to `006`. */
export const zones: readonly string[] = Array.from({ length: ZONES }, (_, n) => `00${n + 1}`);

/** The zone of an openid, worked out here from WIRE.md's formula and not by the gateway's code. */
export function zoneOf(openid: string): string {
  const hash = createHash('md5').update(openid, 'utf8').digest().readUInt32BE(0);
  return zones[hash % ZONES] as string;
}

/** One name per zone, in the order of the zones: the first of the list that falls into it. */
export function onePersonPerZone(): string[] {
  const names = NAMES.split(' ');
  return zones.map((zone) => {
    const name = names.find((candidate) => zoneOf(candidate) === zone);
    if (name === undefined) throw new Error(`no name falls into zone ${zone}`);
    return name;
  });
}
