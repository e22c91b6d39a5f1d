import { readFileSync } from 'node:fs';

/**
 * UDP datagrams that the kernel has thrown away so far for want of room in a receive buffer, of all
 * processes (Linux, /proc/net/snmp).
 */
export function datagramDrops(): number {
  const [names = [], values = []] = readFileSync('/proc/net/snmp', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Udp:'))
    .map((line) => line.split(' '));
  return Number(values[names.indexOf('RcvbufErrors')] ?? NaN);
}
