/** Everything that a demo plays stays on this machine. */
export const HOST = '127.0.0.1';
