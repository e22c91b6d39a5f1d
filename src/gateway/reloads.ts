import type { JwtAuthenticator } from '../auth/jwt-authenticator.js';
import { keysAwaitingRestart } from '../config/changes.js';
import type { Clock } from '../base/clock.js';
import type { Config } from '../config/config.js';
import type { ZoneRouter } from '../routing/zone-router.js';
import type { Logger } from '../telemetry/log.js';
import { certificateTerms, endWarning, firstToEnd } from './certificate-terms.js';
import type { CertificateTerm, CertificateSources } from './certificate-terms.js';
import { certificateFaults } from './certificate-files.js';
import type { Logging } from './logging.js';
import { routingRules } from './options.js';
import type { StandingWarnings } from './standing-warnings.js';

/** A part that shows or trusts certificates from files. */
export interface CertificateHolder {
  /** Reads them now; bad ones leave the old in use. */
  reloadCertificates(): void;
  /** Its files, by the section of the configuration that names them. */
  readonly sources: CertificateSources;
}

interface ReloadsParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly logging: Logging;
  readonly router: ZoneRouter;
  /** Null where every token is accepted. */
  readonly tokens: JwtAuthenticator | null;
  readonly standing: StandingWarnings;
  /** Null: not started yet. */
  readonly certificates: () => readonly (CertificateHolder | null)[];
}

/** What SIGHUP comes to: what is taken over, what waits, what went wrong; in the log and for /health. */
export class Reloads {
  /** @param config what the gateway was started with. */
  constructor(
    private readonly config: Config,
    private readonly parts: ReloadsParts,
  ) {}

  /**
   * Takes over what can change while the gateway serves: certificates, token keys, the log level,
   * routing rules. Other keys that differ are named in the log and /health, and wait for a restart.
   * @param warnings what loading this configuration found; to the log too.
   */
  async take(config: Config, warnings: readonly string[]): Promise<void> {
    const { log, logging, router, tokens, standing } = this.parts;
    for (const holder of this.parts.certificates()) holder?.reloadCertificates();
    await tokens?.reload();
    logging.reload(config);
    router.setRules(routingRules(config));
    const waiting = keysAwaitingRestart(this.config, config);
    if (waiting.length > 0) log.warn({ keys: waiting }, 'these keys wait for a restart');
    for (const warning of warnings) log.warn(warning);
    standing.reloaded(warnings, waiting);
    const faults = this.fileFaults();
    if (faults.length === 0) log.info('configuration reloaded');
    else log.warn({ faults }, 'configuration reloaded, but not all files that it names');
  }

  /**
   * A configuration with problems changes nothing. The log is opened again all the same: whoever has moved it away and
   * sent SIGHUP did not ask for more, and would have the lines in a file that is compressed and removed.
   * @param problems one line each.
   */
  refuse(problems: readonly string[]): void {
    const { log, logging, standing } = this.parts;
    logging.reopen();
    log.error({ problems }, 'configuration not reloaded, the old one stays in force');
    standing.refused();
  }

  /** What stands, one line each: of the configuration, and of the files that it names. */
  warnings(): string[] {
    return [...this.parts.standing.lines(), ...this.fileFaults(), ...this.endWarnings()];
  }

  /** Of each file of certificates in use, the term of the one that ends first. */
  certificateTerms(): CertificateTerm[] {
    const now = this.parts.clock.wallTime();
    const firsts = this.termsByFile().map((terms) => firstToEnd(terms, now));
    return firsts.filter((term) => term !== undefined);
  }

  private termsByFile(): (readonly CertificateTerm[])[] {
    return this.parts.certificates().flatMap((holder) => certificateTerms(holder?.sources ?? {}));
  }

  private endWarnings(): string[] {
    const now = this.parts.clock.wallTime();
    const terms = this.termsByFile().flat();
    const lines = terms.map((term) => endWarning(term.named, term, now));
    return lines.filter((line) => line !== null);
  }

  private fileFaults(): string[] {
    const { certificates, tokens } = this.parts;
    const faults = certificates().flatMap((holder) => certificateFaults(holder?.sources ?? {}));
    return [...faults, ...(tokens?.warnings() ?? [])];
  }
}
