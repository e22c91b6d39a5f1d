/** Whether this gateway may serve at this instant. The backup of a pair, and a primary without lease, may not. */
export interface ServingGate {
  /** Whether anything new is taken in: frames, pushes, registrations. */
  readonly accepts: boolean;
  /** Whether what was taken in has its effects: dispatch, success, START_RESP. */
  readonly serves: boolean;
  /**
   * Whether sessions may number anything. Not from an offer of the role to its end: whoever takes it goes on
   * with the next numbers at once, before this gateway hears of it.
   */
  readonly numbers: boolean;
  /** `server.advertise_addr` of the gateway that serves instead; empty where none is known. */
  readonly primaryAddress: string;
}

/** Of a gateway without a peer. */
export const ALWAYS_SERVING: ServingGate = Object.freeze({
  accepts: true,
  serves: true,
  numbers: true,
  primaryAddress: '',
});

/** What upstreams are told that ask the wrong gateway of a pair. */
export function notPrimaryReason({ primaryAddress }: ServingGate): string {
  if (primaryAddress === '') return 'this gateway is not the primary, try the other one';
  return `this gateway is not the primary, clients reach that at ${primaryAddress}`;
}
