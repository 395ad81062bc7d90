import type { AdminInput, AdminReply, AdminRouteName } from '@agent-runtime/domain';

/** A signature by this person's client key under a decision. */
export interface SignedDecision {
  readonly keyId: string;
  /** base64 */
  readonly signature: string;
}

/** One frame of a stream. */
export interface StreamEvent {
  readonly event: string;
  readonly data: string;
}

/** The admin API as commands use it. */
export interface AdminClient {
  /** @throws AppError of the server's envelope, tui.runtime.unavailable when nobody listens */
  call<N extends AdminRouteName>(name: N, input: AdminInput<N>): Promise<AdminReply<N>>;
  /** The same without a signature, for the few routes that the socket takes so. */
  callUnsigned<N extends AdminRouteName>(name: N, input: AdminInput<N>): Promise<AdminReply<N>>;
  /** Frames until the server ends the stream or the signal aborts. */
  stream(path: string, signal: AbortSignal): AsyncIterable<StreamEvent>;
  /** Of the runtime that is meant: by the enrolment, or as the local one says. */
  instanceId(): Promise<string>;
  /** What a person must know of this line, e.g. that TLS was refused and the socket stands in. */
  readonly notice?: string | undefined;
  /** Signs the canonical bytes of a decision. */
  signDecision(canonical: string): Promise<SignedDecision>;
}
