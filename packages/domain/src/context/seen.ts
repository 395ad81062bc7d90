import type { ContextKind } from './context.ts';

/** A place that was seen and is bound to nothing: nobody is answered there until staff binds it. */
export interface SeenPlace {
  readonly connector: string;
  readonly account: string;
  readonly channel: string;
  readonly kind: ContextKind;
  /** As shown by the platform; never trusted. */
  readonly title: string;
  /** Platform id of the guild or group that it lies in. */
  readonly within?: string | undefined;
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
  /** The appliance's account was removed from it. */
  readonly isGone: boolean;
}
