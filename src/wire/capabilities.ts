/** What an upstream registers with to be called over ProcessStream (WIRE.md). */
export const PROCESS_STREAM = 'process_stream';

/** What one registers with that may be asked again after a promotion or restart (docs/UPSTREAMS.md). */
export const DEDUPE = 'dedupe';
