import type { ChannelCredentials, ChannelOptions } from '@grpc/grpc-js';
import { PING_TIMEOUT_MS } from './keepalive.js';

/** How the gateway proves itself to upstreams and checks them; made in this folder only. */
export type CallerCredentials = ChannelCredentials;

/**
 * What a Go server refuses by default above this (grpc-go, defaultServerMaxReceiveMessageSize), and
 * four times the largest client frame, so that an oversize push gets its own error code.
 */
export const DEFAULT_MAX_MESSAGE_BYTES = 4 * 1_048_576;

/** What can be tuned about the channel to an upstream. */
export interface ChannelTuning {
  /** Largest message sent or received, bytes. */
  readonly maxMessageBytes?: number;
  /**
   * Ping after so many ms without traffic while a call is under way. Not below five minutes: a Go
   * server with default settings answers more frequent pings with GOAWAY `too_many_pings`
   * (grpc-go, keepalive.EnforcementPolicy.MinTime). Health probes find dead peers much earlier.
   */
  readonly keepaliveMs?: number;
  /** How long the answer to a ping may take, ms. */
  readonly pingTimeoutMs?: number;
  /** First pause before connecting again, ms: short, for an upstream restarts within a second. */
  readonly initialReconnectMs?: number;
  /** Longest pause, ms: a returned upstream is used again within this; the only one of its zone. */
  readonly maxReconnectMs?: number;
  /** Given with every call as `authorization: Bearer SECRET`; none by default. */
  readonly secret?: string;
  /** The name that the peer's certificate must have, where it is not the host dialled. */
  readonly serverName?: string;
}

export const DEFAULT_KEEPALIVE_MS = 310_000;
/** Defaults of the pauses between attempts to connect; the factor is that of all gRPC libraries. */
export const RECONNECT = { initialMs: 200, maxMs: 2_000, factor: 1.6 } as const;
/** A name is looked up again at most so often; a moved upstream is found within it. */
const DNS_PAUSE_MS = 2_000;

/** The grpc-js options of the channel to one upstream. */
export function channelOptions(tuning: ChannelTuning): ChannelOptions {
  const maxMessageBytes = tuning.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES;
  return {
    'grpc.max_send_message_length': maxMessageBytes,
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.keepalive_time_ms': tuning.keepaliveMs ?? DEFAULT_KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': tuning.pingTimeoutMs ?? PING_TIMEOUT_MS,
    'grpc.initial_reconnect_backoff_ms': tuning.initialReconnectMs ?? RECONNECT.initialMs,
    'grpc.max_reconnect_backoff_ms': tuning.maxReconnectMs ?? RECONNECT.maxMs,
    'grpc.dns_min_time_between_resolutions_ms': DNS_PAUSE_MS,
    // A retry policy from a DNS TXT record would repeat requests that may have been executed.
    'grpc.service_config_disable_resolution': 1,
    // Upstreams are dialled, never reached through the proxy of the environment.
    'grpc.enable_http_proxy': 0,
    // A shared pool would hand a new channel the old one's backoff.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_channelz': 0,
    ...(tuning.serverName === undefined
      ? {}
      : { 'grpc.ssl_target_name_override': tuning.serverName }),
  };
}
