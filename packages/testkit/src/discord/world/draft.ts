import type { Fields, Snowflake, WireUser } from './wire.ts';
import type { ChannelRecord, MessageRecord } from './world.ts';

/** A file that comes with a message. */
export interface NewFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly contentType?: string | undefined;
  readonly description?: string | undefined;
  /** Of a voice message, seconds. */
  readonly durationSecs?: number | undefined;
  /** Size to be claimed instead of that of the bytes. */
  readonly sizeBytes?: number | undefined;
}

/** Everything a new message is made of. */
export interface Draft {
  readonly channel: ChannelRecord;
  readonly author: WireUser;
  readonly content?: string;
  readonly type?: number;
  readonly flags?: number;
  readonly embeds?: readonly Fields[];
  readonly components?: readonly Fields[];
  readonly files?: readonly NewFile[];
  readonly allowedMentions?: Fields | undefined;
  /** Notified besides those whom the text names. */
  readonly alsoMentioned?: readonly Snowflake[];
  readonly repliesTo?: MessageRecord | undefined;
  readonly forwards?: MessageRecord | undefined;
  readonly nonce?: string | number | undefined;
  readonly webhookId?: Snowflake | undefined;
  readonly interaction?: Fields | undefined;
  readonly ephemeralFor?: Snowflake | undefined;
}
