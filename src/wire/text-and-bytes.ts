/** What text and bytes fields of messages take. Runs in browsers too. */

const HALF_PAIR = /\p{Surrogate}/gu;
const utf8 = new TextEncoder();

/** Makes the error for a field that is of another kind than the types say. */
export type WrongKind = (where: string, value: unknown, wanted: string) => Error;

/** @throws what `wrongKind` makes, unless it is text. */
export function checkText(where: string, value: unknown, wrongKind: WrongKind): void {
  if (typeof value !== 'string') throw wrongKind(where, value, 'text');
}

/** @param name of the map. @throws what `wrongKind` makes, of the first value that is no text. */
export function checkTexts(
  name: string,
  map: Readonly<Record<string, unknown>>,
  wrongKind: WrongKind,
): void {
  for (const key of Object.keys(map)) checkText(`${name}["${key}"]`, map[key], wrongKind);
}

/** @throws what `wrongKind` makes, unless it is what a field `data` may be. */
export function checkData(data: unknown, wrongKind: WrongKind): void {
  if (typeof data !== 'string' && !isBytes(data)) {
    throw wrongKind('data', data, 'text or a Uint8Array');
  }
}

/** Text in UTF-8; bytes as they are. */
export function bytesOf(data: string | Uint8Array): Uint8Array {
  return typeof data === 'string' ? utf8.encode(data) : data;
}

/**
 * Text that UTF-8 can carry: half of a surrogate pair, as `slice` leaves of an emoji, becomes U+FFFD, as
 * TextEncoder has it. Encoded as it is, it would make the whole message one that nobody reads.
 */
export function wellFormed(text: string): string {
  return text.replace(HALF_PAIR, '\ufffd');
}

/** A copy of a map whose keys and values are all well-formed. */
export function wellFormedEntries(map: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(map).map(([key, value]) => [wellFormed(key), wellFormed(value)]),
  );
}

/** Whether it is a Uint8Array, of any realm: an iframe's is no instance of this page's. */
export function isBytes(data: unknown): boolean {
  return ArrayBuffer.isView(data) && (data as Uint8Array).BYTES_PER_ELEMENT === 1;
}

/** What a value is, for messages about one of the wrong kind: `Undefined`, `Number`, `ArrayBuffer`. */
export function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}
