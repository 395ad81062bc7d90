import { z } from 'zod';
import type { DiscordPayload } from './payload.ts';
import type { Api } from './rest.ts';
import type { SentLately } from './sent.ts';
import { instantOf, isNewer, isSnowflake, nonceOf, snowflakeAt } from './snowflake.ts';
import { type WireMessage, wireMessage } from './wire.ts';

export interface LookDeps {
  readonly api: Api;
  readonly account: string;
  readonly sent: SentLately;
}

export interface Sought {
  readonly channel: string;
  readonly nonce: string;
  readonly body: DiscordPayload['body'];
  /** When its effect was made; without it nothing can be ruled out. */
  readonly createdAt: number | undefined;
}

export type Seen =
  | { readonly kind: 'there'; readonly message: string }
  /** The history from before the effect until now was read, and it is not in it. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'unknown' };

const PAGE = 100;
const MAX_PAGES = 5;
/** Our clock and Discord's differ. */
const SLACK_MS = 60_000;

/**
 * Looks through a channel for a message of ours. By its nonce where Discord shows it, else by author, words and time.
 * @throws AppError when Discord does not answer
 */
export async function lookFor(deps: LookDeps, sought: Sought, signal?: AbortSignal): Promise<Seen> {
  const { createdAt } = sought;
  let after = createdAt === undefined ? undefined : snowflakeAt(createdAt - SLACK_MS);
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const messages = await history(deps.api, sought.channel, after, signal);
    const found = messages.find((message) => isSought(message, sought, deps));
    if (found !== undefined) return { kind: 'there', message: found.id };
    if (createdAt === undefined) return { kind: 'unknown' };
    if (messages.length < PAGE) return { kind: 'absent' };
    after = messages.reduce((newest, { id }) => (isNewer(id, newest) ? id : newest), after ?? '0');
  }
  return { kind: 'unknown' };
}

/**
 * One page of a channel, oldest first.
 * @param after only what came after this id; the newest page when undefined
 */
export async function history(
  api: Api,
  channel: string,
  after: string | undefined,
  signal?: AbortSignal,
): Promise<readonly WireMessage[]> {
  const query = new URLSearchParams({ limit: String(PAGE), ...(after === undefined ? {} : { after }) });
  const said = await api.call({ method: 'GET', route: `/channels/${channel}/messages`, query, signal });
  const list = z.array(z.unknown()).parse(said);
  // One message that cannot be read must not hide the others.
  const messages = list.flatMap((one) => wireMessage.safeParse(one).data ?? []);
  return messages.filter(({ id }) => isSnowflake(id)).sort((a, b) => (isNewer(a.id, b.id) ? 1 : -1));
}

export const HISTORY_PAGE = PAGE;

export function soughtOf(
  payload: DiscordPayload,
  to: { readonly effectId: string; readonly part: number; readonly createdAt?: number | undefined },
): Sought {
  const { channel, body } = payload;
  return { channel, body, nonce: nonceOf(to.effectId, to.part), createdAt: to.createdAt };
}

function isSought(message: WireMessage, sought: Sought, { account, sent }: LookDeps): boolean {
  if (message.author?.id !== account || sent.isOther(sought.nonce, message.id)) return false;
  if (message.nonce !== null && message.nonce !== undefined) return String(message.nonce) === sought.nonce;
  if (sought.createdAt === undefined || instantOf(message.id) < sought.createdAt - SLACK_MS) return false;
  return isSameBody(message, sought.body);
}

/** The words as people see them; Discord trims them. */
export function isSameBody(message: WireMessage, body: DiscordPayload['body']): boolean {
  const [embed] = Array.isArray(body.embeds) ? body.embeds : [];
  const wanted =
    typeof embed === 'object' && embed !== null && 'description' in embed ? embed.description : '';
  const hasFile = Array.isArray(body.attachments) && body.attachments.length > 0;
  return (
    same(message.content, body.content) &&
    same(message.embeds?.[0]?.description, wanted) &&
    (message.attachments?.length ?? 0) > 0 === hasFile
  );
}

function same(seen: unknown, wanted: unknown): boolean {
  return String(seen ?? '').trim() === String(wanted ?? '').trim();
}
