const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The longest beginning of a text that has at most `most` bytes in UTF-8 (RFC 3629), whole characters only. */
export function textWithin(text: string, most: number): string {
  const bytes = encoder.encode(text);
  if (bytes.length <= most) return text;
  let end = most;
  // 10xxxxxx goes on with a character that began before it.
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end--;
  return decoder.decode(bytes.subarray(0, end));
}
