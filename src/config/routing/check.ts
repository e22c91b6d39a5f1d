import type { Config } from '../config.js';
import { nearest } from '../nearest.js';
import type { Findings } from '../source.js';
import { coverageWarnings } from './coverage.js';
import { isZoneTarget } from './rule.js';

/** Each is a pool of instances that are probed for ever, as a zone is. */
const MAX_SERVICES = 32;

/** Whether the routing rules fit the services, and each other. */
export function checkRouting({ routing }: Config, { problems, warnings }: Findings): void {
  const { rules, services } = routing;
  if (services.length > MAX_SERVICES) {
    problems.push(`routing.services has ${services.length} services, above ${MAX_SERVICES}`);
  }
  for (const { number, target } of rules) {
    if (isZoneTarget(target) || services.includes(target)) continue;
    const near = nearest(target, services);
    const advice = near === null ? `add it there` : `did you mean ${near}?`;
    problems.push(
      `routing.rules: rule ${number} names service ${JSON.stringify(target)}, which is not in routing.services; ${advice}`,
    );
  }
  warnings.push(...coverageWarnings(rules));
}
