import { Http2Code } from '../status-mapping.js';
import { ConnectionError } from './connection-error.js';
import { HUFFMAN_LENGTHS } from './hpack-tables.js';

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
 * Decodes a Huffman-coded string of HPACK (RFC 7541 section 5.2) to Latin-1 text.
 * @throws {ConnectionError} where it ends in anything but at most seven ones.
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number): string {
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
        throw new ConnectionError(Http2Code.COMPRESSION_ERROR, 'EOS within a Huffman string');
      } else {
        node = next;
        padding++;
        onlyOnes &&= bit === 1;
      }
    }
  }
  if (padding > 7 || !onlyOnes) {
    throw new ConnectionError(Http2Code.COMPRESSION_ERROR, 'a Huffman string with wrong padding');
  }
  return text;
}
