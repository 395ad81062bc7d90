import type { NewFile } from '../world/draft.ts';
import type { MessageChange } from '../world/messages.ts';
import { type Fields, MESSAGE_FLAGS } from '../world/wire.ts';
import type { DiscordCall } from './call.ts';
import { checkMessage, isEmpty } from './limits.ts';
import { Refusal, refusals } from './refusal.ts';
import type { RestContext } from './router.ts';

/** What a body says about a message, checked. */
export interface MessageParts {
  readonly content: string;
  readonly embeds: readonly Fields[];
  readonly components: readonly Fields[];
  readonly flags: number;
  readonly allowedMentions: Fields | undefined;
  readonly files: readonly NewFile[];
}

/** Flags that a bot may set itself. */
const OWN_FLAGS =
  MESSAGE_FLAGS.suppressEmbeds |
  MESSAGE_FLAGS.ephemeral |
  MESSAGE_FLAGS.suppressNotifications |
  MESSAGE_FLAGS.voice |
  MESSAGE_FLAGS.componentsV2;

/** The parts of a new message. @throws Refusal when a limit is passed or nothing is to be seen */
export function newMessage(body: Fields, call: DiscordCall, context: RestContext): MessageParts {
  const files = filesOf(body, call, context);
  refuse(body);
  if (isEmpty(body, files.length)) throw refusals.emptyMessage();
  return {
    content: textOf(body.content).trim(),
    embeds: listOf(body.embeds),
    components: listOf(body.components),
    flags: Number(body.flags ?? 0) & OWN_FLAGS,
    allowedMentions: (body.allowed_mentions ?? undefined) as Fields | undefined, // safe: an object, by the specification
    files,
  };
}

/** What an edit changes; members that the body leaves out stay as they are, null empties them. */
export function changedMessage(body: Fields, call: DiscordCall, context: RestContext): MessageChange {
  refuse(body);
  const kept = Array.isArray(body.attachments)
    ? listOf(body.attachments).map(({ id }) => String(id))
    : undefined;
  return {
    ...('content' in body ? { content: textOf(body.content).trim() } : {}),
    ...('embeds' in body ? { embeds: listOf(body.embeds) } : {}),
    ...('components' in body ? { components: listOf(body.components) } : {}),
    ...(body.flags == null ? {} : { flags: Number(body.flags) & OWN_FLAGS }),
    allowedMentions: (body.allowed_mentions ?? undefined) as Fields | undefined, // safe: an object, by the specification
    keptFiles: kept,
    newFiles: filesOf(body, call, context),
  };
}

function refuse(body: Fields): void {
  const problems = checkMessage(body);
  if (problems.length > 0) throw refusals.badBody(problems);
}

/** Files of the form, with what `attachments` says about them. */
function filesOf(body: Fields, call: DiscordCall, context: RestContext): readonly NewFile[] {
  if (call.files.some(({ bytes }) => bytes.byteLength > context.maxFileBytes)) {
    throw new Refusal(413, 40005, 'Request entity too large');
  }
  const notes = listOf(body.attachments);
  return call.files.map((file, index) => {
    const note = notes.find(({ id }) => String(id) === String(index));
    return {
      ...file,
      name: typeof note?.filename === 'string' ? note.filename : file.name,
      description: typeof note?.description === 'string' ? note.description : undefined,
    };
  });
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? (value as Fields[]) : []; // safe: lists of objects, by the specification
}
