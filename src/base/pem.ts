/** Whether these are the contents of a PEM file with a certificate (RFC 7468 section 5). */
export function holdsCertificate(pem: string | Uint8Array): boolean {
  return /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/.test(Buffer.from(pem).toString('latin1'));
}

/**
 * The same, with a line of its own for the beginning of each block. TLS libraries pass over one behind a
 * byte order mark, or behind a block that no line end closes (as `cat` leaves it), and say nothing.
 */
export function separatePem(pem: string | Uint8Array): Buffer {
  const text = Buffer.from(pem).toString('latin1');
  const unmarked = text.replace(/\xef\xbb\xbf(?=-----BEGIN )/g, '');
  return Buffer.from(unmarked.replace(/[^\r\n](?=-----BEGIN )/g, '$&\n'), 'latin1');
}

/** The certificates of a PEM file one by one, in their order; whatever else it holds is left out. */
export function splitCertificates(pem: Buffer): string[] {
  const begin = '-----BEGIN CERTIFICATE-----';
  const [, ...blocks] = pem.toString('latin1').split(begin);
  return blocks.map((block) => begin + block);
}
