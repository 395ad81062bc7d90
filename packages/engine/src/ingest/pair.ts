import {
  isPairingLive,
  MAX_PAIRINGS,
  oneLine,
  PAIRING_BITS,
  PAIRING_LIFETIME_MS,
  type Pairing,
  pairingCode,
  pairingHash,
  principalKey,
  type StoreReader,
  type StoreTx,
} from '@agent-runtime/domain';
import type { Accepted, Arrival, EngineDeps } from '../api.ts';
import type { Words } from '../settle/tell.ts';
import { mayBeCommand } from './arrival.ts';
import { parseCommand } from './command.ts';
import { markOf } from './place.ts';
import { splitSource, type Whereabouts } from './who.ts';

/** Says words to a direct talk that no row may hold. */
export type Tell = (words: Words) => void;

/** Times that one sender may ask in a window; once more is answered with words, and then with nothing. */
const ASKS = 3;
const WINDOW_MS = 600_000;
const MAX_NAME_CHARS = 80;

/** `/pair`, or the one word `pair` in a direct talk: fresh words of chat, and none that are meant for another bot. */
export function wantsPairing(deps: Pick<EngineDeps, 'config'>, arrival: Arrival): boolean {
  if (!mayBeCommand(arrival)) return false;
  const { text, channel } = arrival.event;
  if (channel.kind === 'direct' && text.trim().toLowerCase() === 'pair') return true;
  const parsed = parseCommand(text, deps.config.botName ?? '');
  return parsed.kind === 'command' && parsed.command.name === 'pair';
}

/**
 * A stranger asks in a direct talk to be paired. The code is told to that talk alone and kept nowhere: in the row is its digest, in the
 * mark of the event what a repeat may read. Asking again replaces it.
 */
export async function askToPair(
  deps: EngineDeps,
  tell: Tell,
  arrival: Arrival,
  where: Whereabouts,
): Promise<Accepted> {
  const turn = await turnOf(deps, deps.store.read, arrival);
  if (turn.count > ASKS + 1) return { outcome: 'refused', isRepeat: false };
  const { source, externalId, channel } = arrival.event;
  const [connector, account] = splitSource(source);
  const words = { id: deps.ids.make('notice'), connector, account, channel: channel.id };
  const code = pairingCode(deps.ids.secret(PAIRING_BITS));
  const said = await deps.store.commit(
    {
      action: 'identity.pair_ask',
      actor: principalKey(where.principal),
      subject: `${source}:${externalId}`,
      data: { notice: words.id, channel: channel.id },
    },
    async (tx) => {
      await tx.insert('notify_notice', { key: turn.key, at: deps.clock.nowMs() });
      const answer = turn.count > ASKS ? TOO_OFTEN : await makePairing(deps, tx, arrival, code);
      const outcome = answer === CODE_SENT ? 'command' : 'refused';
      await tx.insert('ingest_event', markOf(deps, arrival, { outcome, reply: answer }));
      return { answer, outcome } as const;
    },
  );
  tell({ ...words, text: said.answer === CODE_SENT ? codeText(code) : said.answer });
  return { outcome: said.outcome, isRepeat: false, reply: said.answer };
}

/** Writes the one pairing of this sender, or says why not. */
async function makePairing(deps: EngineDeps, tx: StoreTx, arrival: Arrival, code: string): Promise<string> {
  const { source, sender, channel } = arrival.event;
  const [connector, account] = splitSource(source);
  const nowMs = deps.clock.nowMs();
  const pairing: Pairing = {
    id: deps.ids.make('pairing'),
    connector,
    account,
    externalId: sender.id,
    channel: channel.id,
    displayName: oneLine(sender.displayName, MAX_NAME_CHARS),
    codeHash: pairingHash(code),
    createdAt: nowMs,
    expiresAt: nowMs + PAIRING_LIFETIME_MS,
  };
  for (const old of await tx.find('identity_pairing', { connector }))
    if (old.externalId === sender.id || !isPairingLive(old, nowMs))
      await tx.remove('identity_pairing', { id: old.id });
  if ((await tx.count('identity_pairing', { connector })) >= MAX_PAIRINGS) return FULL;
  await tx.insert('identity_pairing', pairing);
  return CODE_SENT;
}

/** Which time in this window it is that this sender asks, and the key under which it is remembered. */
async function turnOf(
  deps: EngineDeps,
  reader: StoreReader,
  arrival: Arrival,
): Promise<{ readonly count: number; readonly key: string }> {
  const { source, sender } = arrival.event;
  const window = Math.floor(deps.clock.nowMs() / WINDOW_MS);
  const keyOf = (count: number): string => `pair:${window}:${count}:${splitSource(source)[0]}:${sender.id}`;
  let count = 1;
  while (count <= ASKS + 1 && (await reader.get('notify_notice', { key: keyOf(count) })) !== undefined)
    count += 1;
  return { count, key: keyOf(count) };
}

/** What a stranger hears who has said something else in a direct talk. */
export const HOW_TO_PAIR =
  'You are not paired here. Send the direct message "pair" and ask an admin to approve the code.';
const CODE_SENT = 'A pairing code was sent to this direct talk. Send "pair" again for a fresh one.';
const FULL = 'Too many people wait to be paired at the moment. Try again in ten minutes.';
const TOO_OFTEN = 'You have asked for a few codes already. Try again in ten minutes.';

/** Told before anybody is paired: whoever hands the code on has read it. */
const AGREEMENT =
  'If you are staff, or become it by this pairing (operator or above), you agree by it that the admin hub shows what is said in this direct talk, as far as an admin has cleared the hub for it. It ends when the account is unlinked.';

function codeText(code: string): string {
  return `Your pairing code, good for ten minutes and once:\n${code}\nGive it to an admin, who approves it at the command line (agent-runtime pair approve). It replaces every earlier code of yours.\n${AGREEMENT}`;
}
