import { open, readFile, rename, writeFile } from 'node:fs/promises';
import { AppError, type Clock, ERROR_KINDS, type InboundEvent, type Logger } from '@agent-runtime/domain';
import { z } from 'zod';
import { toInbound } from './event.ts';

export interface InboxOptions {
  readonly source: string;
  readonly inboxPath: string;
  /** Bytes of the inbox that were accepted, as a decimal number. */
  readonly ackPath: string;
  readonly clock: Clock;
  readonly pollMs: number;
  readonly log?: Logger | undefined;
  readonly accept: (event: InboundEvent) => Promise<unknown>;
}

const inboxLine = z.strictObject({
  id: z.string().min(1).max(200).optional(),
  channel: z.string().min(1).max(200),
  sender: z.string().min(1).max(200),
  text: z.string().optional(),
  name: z.string().optional(),
  button: z.string().optional(),
  message: z.string().optional(),
  replies_to: z.string().optional(),
  kind: z.enum(['message', 'edit', 'button', 'command', 'reaction', 'member', 'moved']).optional(),
  channel_kind: z.enum(['channel', 'thread', 'group', 'direct', 'mailbox', 'http', 'cli', 'hub']).optional(),
  title: z.string().optional(),
  group: z.string().optional(),
  parent: z.string().optional(),
  member: z.strictObject({ change: z.enum(['joined', 'left']), isSelf: z.boolean() }).optional(),
  moved_from: z.string().optional(),
  attachments: z
    .array(
      z.strictObject({
        kind: z.enum(['photo', 'voice', 'audio', 'video', 'document', 'sticker', 'other']),
        id: z.string(),
        name: z.string().optional(),
        mime: z.string().optional(),
        bytes: z.int().min(0).optional(),
      }),
    )
    .optional(),
  addressed: z.boolean().optional(),
  relayed: z.boolean().optional(),
  bot: z.boolean().optional(),
  at: z.number().optional(),
});

/** Reads a growing file line by line, in order. A line is acknowledged on disk after it was accepted; a crash offers it again. */
export function followInbox(options: InboxOptions): { readonly stop: () => Promise<void> } {
  const control = new AbortController();
  const ended = follow(options, control.signal);
  return {
    stop: async () => {
      control.abort();
      await ended;
    },
  };
}

async function follow(options: InboxOptions, signal: AbortSignal): Promise<void> {
  let offset = Number((await readFile(options.ackPath, 'utf8').catch(() => '0')).trim()) || 0;
  while (!signal.aborted) {
    const { text, size } = await readFrom(options.inboxPath, offset);
    // A shorter file is another file.
    if (size < offset) offset = 0;
    const end = text.lastIndexOf('\n');
    for (const line of end < 0 ? [] : text.slice(0, end).split('\n')) {
      if (!(await offer(line, offset, options, signal))) return;
      offset += Buffer.byteLength(line) + 1;
      await acknowledge(options.ackPath, offset);
    }
    await options.clock.sleep(options.pollMs, signal);
  }
}

/** @returns false when stopped before it was accepted */
async function offer(
  line: string,
  offset: number,
  options: InboxOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const event = eventOf(line, offset, options);
  while (event !== undefined && !signal.aborted) {
    try {
      await options.accept(event);
      return true;
    } catch (thrown) {
      const waitMs = waitAfter(thrown, options.pollMs);
      options.log?.warn({ room: 'connectors', cause: thrown, again_ms: waitMs }, 'an event was not accepted');
      if (waitMs === undefined) return true;
      await options.clock.sleep(waitMs, signal);
    }
  }
  return !signal.aborted;
}

/** Trouble that passes is waited for, in order; a lasting no is the end of that event. */
function waitAfter(thrown: unknown, pollMs: number): number | undefined {
  if (!(thrown instanceof AppError)) return undefined;
  const { retry } = ERROR_KINDS[thrown.kind];
  return retry === 'after' || retry === 'backoff' ? (thrown.retryAfterMs ?? pollMs * 10) : undefined;
}

function eventOf(line: string, offset: number, options: InboxOptions): InboundEvent | undefined {
  if (line.trim() === '') return undefined;
  const parsed = inboxLine.safeParse(parseJson(line));
  if (!parsed.success) {
    options.log?.warn({ room: 'connectors', offset }, 'a line of the inbox cannot be read; it is left out');
    return undefined;
  }
  const { id, name, button, replies_to, channel_kind, moved_from, addressed, relayed, bot, at, ...plain } =
    parsed.data;
  return toInbound(
    {
      ...plain,
      externalId: id,
      displayName: name,
      buttonId: button,
      repliesTo: replies_to,
      channelKind: channel_kind,
      movedFrom: moved_from,
      isAddressed: addressed,
      isRelayed: relayed,
      isBot: bot,
      sentAt: at,
    },
    { source: options.source, externalId: `line${offset}`, nowMs: options.clock.nowMs() },
  );
}

async function readFrom(
  path: string,
  offset: number,
): Promise<{ readonly text: string; readonly size: number }> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return { text: '', size: offset };
  try {
    const { size } = await file.stat();
    if (size <= offset) return { text: '', size };
    const bytes = Buffer.alloc(size - offset);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
    return { text: bytes.subarray(0, bytesRead).toString('utf8'), size };
  } finally {
    await file.close();
  }
}

async function acknowledge(path: string, offset: number): Promise<void> {
  await writeFile(`${path}.new`, String(offset));
  await rename(`${path}.new`, path);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
