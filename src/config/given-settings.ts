import { leaves } from './schema.js';
import type { Settings } from './source.js';

/** A key that a source gave another value than its default. */
export interface GivenSetting {
  /** As in YAML: `server.quic_addr`. */
  readonly path: string;
  /** As it was written; null where it is a secret. */
  readonly text: string | null;
  /** `gatesvr.yaml:12`, `GATESVR_QUIC_ADDR`, `--quic-addr`. */
  readonly where: string;
}

/** What the sources changed, in the order of the schema. Every text must be valid. */
export function givenSettings(settings: Settings): GivenSetting[] {
  return leaves().flatMap(([path, leaf]) => {
    const setting = settings.get(path);
    if (setting === undefined) return [];
    const value = (text: string) => JSON.stringify(leaf.schema.safeParse(text).data);
    if (leaf.fallback !== null && value(setting.text) === value(leaf.fallback)) return [];
    return [{ path, text: leaf.secret ? null : setting.text, where: setting.where }];
  });
}
