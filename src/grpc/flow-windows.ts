/** What the peer of a connection may send us unread on all streams together, bytes. */
export const CONNECTION_WINDOW = 8 * 1_048_576;

/** The same of one stream: a message of the usual size passes without a word from us. */
export const STREAM_WINDOW = 1_048_576;
