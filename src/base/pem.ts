/** Whether these are the contents of a PEM file with a certificate (RFC 7468 section 5). */
export function holdsCertificate(pem: string | Uint8Array): boolean {
  return /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/.test(Buffer.from(pem).toString('latin1'));
}
