import { createHash } from 'node:crypto';

/** Every zone there is (WIRE.md, "Zones"). */
export const ZONES = ['001', '002', '003', '004', '005', '006'] as const;
export type Zone = (typeof ZONES)[number];

export function isZone(text: string): text is Zone {
  return (ZONES as readonly string[]).includes(text);
}

/** As the configuration allows it (routing.services); a letter first, so that none looks like a zone. */
const SERVICE_NAME = /^[a-z][a-z0-9_-]{0,31}$/;

/** Whether a text can be the name of a zone or a service. */
export function isPoolName(text: string): boolean {
  return isZone(text) || SERVICE_NAME.test(text);
}

/** `zone 001`, `service login`. */
export function describePool(name: string): string {
  return `${isZone(name) ? 'zone' : 'service'} ${name}`;
}

/** Where an openid belongs by its hash: its zone, and the number by which instances of that zone are ranked. */
export interface Placement {
  readonly zone: Zone;
  /** Unsigned 32 bits, independent of the zone. */
  readonly seed: number;
}

/**
 * The zone is the first 4 bytes of MD5(openid as UTF-8), big-endian, mod 6, plus 1 (WIRE.md,
 * "Zones"; golden vectors in test/unit/routing/zones.tsv). The seed is the next 4 bytes.
 */
export function placementOf(openid: string): Placement {
  const digest = createHash('md5').update(openid, 'utf8').digest();
  const zone = ZONES[digest.readUInt32BE(0) % ZONES.length] as Zone;
  return { zone, seed: digest.readUInt32BE(4) };
}

/** The zone of an openid, `001` to `006`. */
export function zoneOf(openid: string): Zone {
  return placementOf(openid).zone;
}

/** The number of an instance that rendezvous hashing mixes with the seed of an openid. */
export function seedOfAddress(address: string): number {
  return createHash('md5').update(address, 'utf8').digest().readUInt32BE(0);
}

/**
 * Rendezvous (highest random weight) hashing: an openid goes to the instance with the highest
 * weight, so that an instance that leaves moves only its own openids and one that comes takes only
 * its share. The mixing is the finaliser of MurmurHash3.
 */
export function rendezvousWeight(openidSeed: number, addressSeed: number): number {
  let mixed = openidSeed ^ addressSeed;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
