/**
 * Bits of the Huffman code of every byte (RFC 7541 appendix B). The code is canonical: in order of
 * length, then of byte, each code is the last one plus one. EOS, 30 ones, ends it.
 */
// prettier-ignore
export const HUFFMAN_LENGTHS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
  28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
  5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
  6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
  24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
  21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
  26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
];

/** Node of the code's tree: two entries, for bit 0 and 1; a child above 0, a byte as -1 - byte, else 0. */
const TREE = buildTree();

function buildTree(): Int16Array {
  const tree: number[] = [0, 0];
  const bytes = [...HUFFMAN_LENGTHS.keys()].sort(
    (one, other) => lengthOf(one) - lengthOf(other) || one - other,
  );
  let code = 0;
  let length = 0;
  for (const byte of bytes) {
    code <<= lengthOf(byte) - length;
    length = lengthOf(byte);
    let node = 0;
    for (let bit = length - 1; bit > 0; bit--) {
      const at = node + ((code >>> bit) & 1);
      if (tree[at] === 0) {
        tree[at] = tree.length;
        tree.push(0, 0);
      }
      node = tree[at] as number;
    }
    tree[node + (code & 1)] = -1 - byte;
    code++;
  }
  return Int16Array.from(tree);
}

function lengthOf(byte: number): number {
  return HUFFMAN_LENGTHS[byte] as number;
}

/**
 * Decodes a Huffman-coded string of HPACK and QPACK (RFC 7541 section 5.2) to Latin-1 text.
 * @returns null where it holds EOS, or ends in anything but at most seven ones: the string is invalid.
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number): string | null {
  let text = '';
  let node = 0;
  let padding = 0;
  let onlyOnes = true;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    for (let shift = 7; shift >= 0; shift--) {
      const bit = (byte >>> shift) & 1;
      const next = TREE[node + bit] as number;
      if (next < 0) {
        text += String.fromCharCode(-1 - next);
        node = padding = 0;
        onlyOnes = true;
      } else if (next === 0) {
        // Only EOS runs off the tree.
        return null;
      } else {
        node = next;
        padding++;
        onlyOnes &&= bit === 1;
      }
    }
  }
  return padding > 7 || !onlyOnes ? null : text;
}
