import type { Command } from 'commander';
import { CodedError } from '../base/errors.js';

/** The command line makes no sense as a whole; the CLI prints the message and exits with 2. */
export class UsageError extends CodedError {
  constructor(message: string) {
    super('USAGE', message);
    this.name = 'UsageError';
  }
}

/**
 * What an option means nothing to, it must not seem to obey.
 * @param names attribute names of options; those that were not given are no matter.
 * @param why goes on from `--flag means nothing `, and says what to do.
 * @throws {UsageError} naming the first that was given.
 */
export function refuseGiven(command: Command, names: readonly string[], why: string): void {
  const given = command.options.find(
    (option) =>
      names.includes(option.attributeName()) &&
      command.getOptionValueSource(option.attributeName()) === 'cli',
  );
  if (given !== undefined) throw new UsageError(`${given.long} means nothing ${why}`);
}
