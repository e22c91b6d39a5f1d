import { expect, it } from '@jest/globals';
import { SettingId, encodeSettings } from '../../src/http3/settings.js';
import { Http3Harness } from '../support/http3-harness.js';
import { eventually } from '../support/quic-harness.js';
import { RecordingObserver } from '../compliance/recording-observer.js';

// From draft 09 on a client need not name WebTransport in its settings; webtransport-go did not for years.
it('takes the session of a client that announces H3_DATAGRAM alone', async () => {
  const links: RecordingObserver[] = [];
  const harness = await Http3Harness.start({
    accept: (link) => void links.push(new RecordingObserver(link)),
  });
  try {
    const client = await harness.connect(encodeSettings(new Map([[SettingId.H3_DATAGRAM, 1]])));
    const end = client.webTransport();
    end.link.send(Buffer.from('\0\0\0\x01a'));
    await eventually(() => end.answer !== null || end.aborted !== null, 'an answer');
    expect(end.answer?.get(':status')).toBe('200');
    await eventually(() => links[0]?.frames.length === 1, 'its frame');
  } finally {
    await harness.close();
  }
});
