import type { Config } from './config.js';
import type { Findings } from './source.js';

/**
 * Settings that this version cannot honour. What protects someone is a problem, for running without
 * it would be worse than not running; what only adds something is a warning.
 */
export function checkUnsupported({ grpc, backup, journal }: Config, findings: Findings): void {
  const { problems, warnings } = findings;
  if (grpc.registerAllow.length > 0) {
    problems.push('grpc.register_allow is not supported yet: remove it and use a firewall');
  }
  if (!grpc.allowInsecure) {
    problems.push(
      'grpc.allow_insecure: false is not supported yet: upstreams speak plaintext gRPC',
    );
  }
  if (backup.enabled) {
    warnings.push('backup.enabled has no effect yet: this gateway serves alone, without a standby');
  }
  if (journal.path !== null) {
    warnings.push('journal.path has no effect yet: a kill loses what memory held');
  }
}
