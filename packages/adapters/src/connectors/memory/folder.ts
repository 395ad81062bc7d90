import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Clock, Connector, InboundEvent, Logger } from '@agent-runtime/domain';
import { z } from 'zod';
import { deliveryError } from '../errors.ts';
import { followInbox } from './inbox.ts';
import { type MemoryOptions, talking } from './memory.ts';
import { type Delivered, type MemoryFault, makeReceiver, type Receiver } from './receiver.ts';

export interface FolderOptions extends MemoryOptions {
  /** Holds `inbox.jsonl`, `outbox.jsonl`, `inbox.ack` and, for trouble, `fault.json` and `chat.json`. Made when it is not there. */
  readonly folder: string;
  /** How often the inbox is looked at, 50 unless said. */
  readonly pollMs?: number | undefined;
  readonly log?: Logger | undefined;
}

/**
 * The memory chat between processes. People speak by appending a line to `inbox.jsonl`:
 * `{"id","channel","sender","text", "name"?,"button"?,"message"?,"replies_to"?,"kind"?,"channel_kind"?,"title"?,"group"?,"parent"?,"member"?,"moved_from"?,"attachments"?,"addressed"?,"relayed"?,"bot"?,"at"?}`.
 * Each message that leaves is one line of `outbox.jsonl`, on disk before it counts as sent:
 * `{"id","address","effect_id","part","payload","at"}`. So a test can count what left, also across kill -9.
 * `chat.json`, `{"dropsRepeats"?,"canReconcile"?,"limitChars"?}`, read once, makes the other side as unhelpful as real chats are.
 */
export function folderConnector(given: FolderOptions): Connector {
  const options = { ...given, ...traitsIn(join(given.folder, 'chat.json')) };
  const account = options.account ?? 'demo';
  const paths = {
    inbox: join(options.folder, 'inbox.jsonl'),
    ack: join(options.folder, 'inbox.ack'),
    outbox: join(options.folder, 'outbox.jsonl'),
    fault: join(options.folder, 'fault.json'),
  };
  let receiver: Receiver | undefined;
  // Opened at the first use, so that a runtime that never talks here makes no files.
  const far = (): Receiver => {
    receiver ??= openReceiver(options, paths.outbox);
    return receiver;
  };
  let following: { readonly stop: () => Promise<void> } | undefined;

  return {
    ...talking(
      {
        receive: (payload, target, signal) => {
          const fault = takeFault(paths.fault);
          if (fault !== undefined) far().addFault(fault);
          return far().receive(payload, target, signal);
        },
        find: (target) => far().find(target),
      },
      account,
      options,
    ),
    start: async (accept: (event: InboundEvent) => Promise<unknown>) => {
      mkdirSync(options.folder, { recursive: true });
      await following?.stop();
      following = followInbox({
        source: `memory:${account}`,
        inboxPath: paths.inbox,
        ackPath: paths.ack,
        clock: options.clock,
        pollMs: options.pollMs ?? 50,
        log: options.log,
        accept,
      });
    },
    stop: async () => {
      await following?.stop();
      following = undefined;
    },
  };
}

const chatFile = z.strictObject({
  dropsRepeats: z.boolean().optional(),
  canReconcile: z.boolean().optional(),
  limitChars: z.int().min(100).optional(),
});

/** @throws ZodError when the file says something else: a chat that is kinder than was asked for would prove nothing */
function traitsIn(path: string): z.output<typeof chatFile> {
  const text = readOr(path, '');
  return text === '' ? {} : chatFile.parse(parseJson(text));
}

const outboxLine = z.object({
  id: z.string(),
  address: z.string(),
  effect_id: z.string(),
  part: z.number(),
  payload: z.record(z.string(), z.json()),
});

function openReceiver(options: FolderOptions, outboxPath: string): Receiver {
  mkdirSync(options.folder, { recursive: true });
  const before = readOr(outboxPath, '');
  // A torn last line is closed, or the next message would grow into it.
  if (before !== '' && !before.endsWith('\n')) appendDurably(outboxPath, '\n');
  return makeReceiver({
    dropsRepeats: options.dropsRepeats ?? true,
    earlier: before.split('\n').flatMap(earlierOf),
    keep: (one) => appendDurably(outboxPath, `${JSON.stringify(lineOf(one, options.clock))}\n`),
  });
}

function lineOf({ externalId, address, effectId, part, payload }: Delivered, clock: Clock): object {
  return { id: externalId, address, effect_id: effectId, part, payload, at: clock.nowMs() };
}

function earlierOf(text: string): readonly Delivered[] {
  const parsed = outboxLine.safeParse(parseJson(text));
  if (!parsed.success) return [];
  const { id, address, effect_id, part, payload } = parsed.data;
  return [{ externalId: id, address, effectId: effect_id, part, payload }];
}

/** @throws AppError connectors.delivery.unavailable when nothing could be written */
function appendDurably(path: string, text: string): void {
  let file: number | undefined;
  try {
    file = openSync(path, 'a');
    writeSync(file, text);
    fsyncSync(file);
  } catch {
    throw deliveryError('unavailable', 'The outbox of the memory chat cannot be written.');
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

const faultFile = z.strictObject({
  kind: z.enum(['unavailable', 'exhausted', 'rejected', 'uncertain', 'hang']),
  part: z.int().optional(),
  address: z.string().optional(),
  times: z.int().min(1).optional(),
  doesArrive: z.boolean().optional(),
  retryAfterMs: z.int().optional(),
});

/** Takes the planned trouble out of its file, once per delivery; `times` counts down in the file, also across restarts. */
function takeFault(path: string): MemoryFault | undefined {
  const parsed = faultFile.safeParse(parseJson(readOr(path, '')));
  if (!parsed.success) return undefined;
  const { times = 1, ...fault } = parsed.data;
  if (times > 1) writeFileSync(path, JSON.stringify({ ...fault, times: times - 1 }));
  else rmSync(path, { force: true });
  return { ...fault, times: 1 };
}

function readOr(path: string, fallback: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return fallback;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
