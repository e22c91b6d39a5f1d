// What a page does that speaks the gateway's protocol by hand: frames as base64 in, frames as base64 out.

/** One WebTransport session with one stream. */
class RawSession {
  constructor(url, hash) {
    const value = Uint8Array.from(atob(hash), (character) => character.charCodeAt(0));
    this.frames = [];
    this.closed = null;
    this.transport = new WebTransport(url, {
      serverCertificateHashes: [{ algorithm: 'sha-256', value }],
    });
    this.transport.closed.then(
      ({ closeCode, reason }) => (this.closed = { closeCode, reason }),
      (error) => (this.closed = { error: String(error) }),
    );
  }

  async open() {
    await this.transport.ready;
    const stream = await this.transport.createBidirectionalStream();
    this.writer = stream.writable.getWriter();
    this.reading = this.read(stream.readable);
  }

  send(base64) {
    return this.writer.write(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
  }

  /** Cuts what comes into frames, each a length of four bytes and so many more. */
  async read(readable) {
    let rest = new Uint8Array(0);
    try {
      for await (const chunk of readable) {
        const all = new Uint8Array(rest.length + chunk.length);
        all.set(rest);
        all.set(chunk, rest.length);
        rest = this.split(all);
      }
    } catch {
      // The session's close says why.
    }
    await this.writer.close().catch(() => undefined);
  }

  split(bytes) {
    let at = 0;
    while (bytes.length - at >= 4) {
      const length = new DataView(bytes.buffer).getUint32(at);
      if (bytes.length - at - 4 < length) break;
      const body = bytes.subarray(at + 4, at + 4 + length);
      this.frames.push(btoa(String.fromCharCode(...body)));
      at += 4 + length;
    }
    return bytes.slice(at);
  }
}

/** The session that the test speaks through. */
globalThis.connect = async (url, hash) => {
  globalThis.session = new RawSession(url, hash);
  await globalThis.session.open();
};

/** Tries what the gateway has no use for: how each ends, as text. */
globalThis.tryUnwanted = async () => {
  const { transport } = globalThis.session;
  const ends = {};
  const extra = await transport.createBidirectionalStream();
  await extra.writable
    .getWriter()
    .write(new Uint8Array(1))
    .catch(() => undefined);
  ends.bidi = await extra.readable
    .getReader()
    .read()
    .then(() => 'read', describe);
  // Chromium may tell only that a stream was aborted, where its end comes to the page before the reason.
  for (let tries = 0; tries < 10 && ends.uni !== 'stream 403'; tries++) {
    ends.uni = await refusalOf(await transport.createUnidirectionalStream());
  }
  const datagrams = transport.datagrams;
  const sender = (datagrams.writable ?? datagrams.createWritable()).getWriter();
  await sender.write(new Uint8Array(10));
  return ends;
};

/** What a stream says that the gateway has no use for. */
async function refusalOf(stream) {
  const writer = stream.getWriter();
  // Where the refusal comes while it writes, the write has the reason.
  const wrote = await writer.write(new Uint8Array(1)).catch((error) => error);
  const closed = await writer.closed.catch((error) => error);
  return describe(wrote?.source === undefined ? closed : wrote);
}

const describe = (error) => `${error?.source} ${error?.streamErrorCode}`;
