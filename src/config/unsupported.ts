import type { Config } from './config.js';
import type { Findings } from './source.js';

/**
 * Settings that this version cannot honour. What only adds something is a warning; what protects
 * someone would be a problem, for running without it is worse than not running.
 */
export function checkUnsupported({ backup }: Config, findings: Findings): void {
  const { warnings } = findings;
  if (backup.enabled) {
    warnings.push('backup.enabled has no effect yet: this gateway serves alone, without a standby');
  }
}
