import type { Leaf } from './leaf.js';
import type { schema } from './schema.js';

export type { Address } from './leaf.js';

type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

type Value<Entry> =
  Entry extends Leaf<infer T>
    ? T
    : { -readonly [Key in keyof Entry & string as CamelCase<Key>]: Value<Entry[Key]> };

type Settled<T> = {
  readonly [Key in keyof T]: Exclude<T[Key], undefined> extends infer Known
    ? Known extends string | number | boolean | null | readonly unknown[]
      ? Known
      : Settled<Known>
    : never;
};

/** What the sources say; keys whose default follows from others may still be undefined. */
export type Draft = Value<typeof schema>;

/**
 * The whole configuration, checked and frozen. Names are those of the YAML file in camel case
 * (`server.quic_addr` is `server.quicAddr`); durations are in milliseconds, sizes in bytes, a
 * listener that is off and a text that is empty are null.
 */
export type Config = Settled<Draft>;
