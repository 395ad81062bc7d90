import { AppError, type Digest, digestOf } from '@agent-runtime/domain';
import type { Arrival, EngineDeps } from '../api.ts';

const MAX_ID_CHARS = 300;
const MAX_NAME_CHARS = 200;

/**
 * Checks what a door hands in, whatever it was built from.
 * @throws AppError ingest.event.invalid with what to change
 */
export function checkArrival(deps: Pick<EngineDeps, 'config'>, arrival: Arrival): void {
  const { event } = arrival;
  const { channel, sender, movedFrom, message, repliesTo } = event;
  const named = [channel.group, channel.parent, movedFrom, message, repliesTo];
  const ids = [event.source, event.externalId, channel.id, sender.id, arrival.conversationKey].concat(
    named.filter((id) => id !== undefined),
  );
  if (ids.some((id) => id.length === 0 || id.length > MAX_ID_CHARS || !id.isWellFormed())) {
    throw invalid(`ids have 1 to ${MAX_ID_CHARS} characters`);
  }
  if (sender.displayName.length > MAX_NAME_CHARS)
    throw invalid(`names have at most ${MAX_NAME_CHARS} characters`);
  if (!event.text.isWellFormed()) throw invalid('the text is not valid Unicode');
  const hasWords = event.text.trim() !== '' || (event.attachments ?? []).length > 0;
  if (!hasWords && (event.kind === 'message' || event.kind === 'command')) throw invalid('the text is empty');
  if (event.text.length > deps.config.maxPromptChars)
    throw invalid(
      `a message has at most ${deps.config.maxPromptChars} characters; send it in parts or as a note`,
    );
}

function invalid(what: string): AppError {
  return new AppError({
    code: 'ingest.event.invalid',
    kind: 'invalid',
    message: `This message cannot be taken: ${what}.`,
  });
}

/** What makes two deliveries of one key the same: channel, sender, kind and words. Times may differ between deliveries. */
export function arrivalDigest(arrival: Arrival): Digest {
  const { event } = arrival;
  return digestOf({
    kind: event.kind,
    channel: event.channel.id,
    sender: event.sender.id,
    text: event.text,
    button: event.buttonId,
    moved: event.movedFrom,
    member: event.member?.change,
    conversation: arrival.conversationKey,
    task: arrival.taskKind,
  });
}

const SPOKEN: ReadonlySet<string> = new Set(['message', 'edit', 'command', 'button', 'reaction']);

/**
 * Our own words come back to us on some platforms. They are in the log already, and an answer to them would be a talk with ourselves;
 * the id says so, whatever else the event says about its sender.
 */
export function isEcho({ event, authenticated }: Arrival): boolean {
  const account = event.source.slice(event.source.indexOf(':') + 1);
  return authenticated === undefined && SPOKEN.has(event.kind) && event.sender.id === account;
}

const FRESH: ReadonlySet<string> = new Set(['message', 'command']);

/** A person's own fresh words: what else arrives is never a command. */
export function mayBeCommand(arrival: Arrival): boolean {
  const { event, door } = arrival;
  return door === 'chat' && FRESH.has(event.kind) && !event.isRelayed && !event.sender.isBot;
}
