import type { Context, ContextSettings, Workspace, WorkspaceSettings } from '@agent-runtime/domain';
import { stringify } from 'yaml';
import { z } from 'zod';
import { readFrontMatter, splitFrontMatter } from '../workspace/index.ts';

const names = z.array(z.string().min(1).max(80)).max(200);
const whole = z.int().min(0);

const settingsShape = {
  title: z.string().min(1).max(120).optional(),
  guests: z.enum(['off', 'ask']).optional(),
  tools: names.optional(),
  models: z
    .strictObject({
      allowed: names.exactOptional(),
      temperature: z.number().min(0).max(2).exactOptional(),
      maxOutputTokens: whole.exactOptional(),
      maxPromptTokens: whole.exactOptional(),
    })
    .optional(),
  queue: z
    .strictObject({
      maxQueued: whole.exactOptional(),
      runDeadlineMs: whole.exactOptional(),
      maxSteps: whole.exactOptional(),
      idleRotationMs: whole.exactOptional(),
    })
    .optional(),
  budget: z
    .strictObject({ tokensPerDay: whole.optional(), tokensPerSenderPerDay: whole.optional() })
    .optional(),
  prompt: z.string().max(300).optional(),
  output: z.enum(['all', 'answers']).optional(),
  acknowledge: z.enum(['off', 'tasks', 'confirm']).optional(),
  messagesPerMinute: whole.min(1).optional(),
  maxPromptChars: whole.min(1).optional(),
};

/** Front matter of contexts/<id>/context.md. `kind` says who can read there; the place is named only where it cannot be guessed. */
const contextSchema = z.strictObject({
  ...settingsShape,
  kind: z.enum(['open', 'closed']).optional(),
  place: z
    .strictObject({
      type: z.enum(['channel', 'thread', 'group', 'direct', 'mailbox', 'http', 'cli', 'hub']),
      connector: z.string().min(1).max(60),
      account: z.string().min(1).max(120),
      channel: z.string().min(1).max(300),
      directWith: z.string().max(60).optional(),
    })
    .optional(),
});

/** Front matter of workspace.md. */
const workspaceSchema = z.strictObject({
  ...settingsShape,
  kind: z.enum(['community', 'private']).optional(),
  outside_edits: z.enum(['staff', 'review']).optional(),
  concurrency: z.int().min(1).max(100).optional(),
  approversForHigh: z.int().min(1).max(10).optional(),
  timeZone: z.string().max(60).optional(),
  bindings: z
    .array(
      z.strictObject({
        connector: z.string().min(1).max(40),
        account: z.string().min(1).max(120),
        group: z.string().min(1).max(200),
      }),
    )
    .max(50)
    .optional(),
});

export type ContextFile = z.output<typeof contextSchema>;
export type WorkspaceFile = z.output<typeof workspaceSchema>;

/** @throws AppError workspace.front_matter.invalid */
export function parseContextFile(text: string): ContextFile {
  return readFrontMatter(text, contextSchema) ?? {};
}

/** @throws AppError workspace.front_matter.invalid */
export function parseWorkspaceFile(text: string): WorkspaceFile {
  return readFrontMatter(text, workspaceSchema) ?? {};
}

/** What a context file says of settings alone. */
export function settingsOf(file: ContextFile): ContextSettings {
  const { kind: _kind, place: _place, ...settings } = file;
  return settings;
}

export function workspaceSettingsOf(file: WorkspaceFile): WorkspaceSettings {
  // The title has its own column; contexts do not inherit it.
  const { title: _title, kind: _kind, outside_edits: _edits, ...settings } = file;
  return settings;
}

/** The file of a context: its settings as front matter, the words below kept as they were. */
export function contextText(context: Context, before: string | undefined): string {
  const { type, ...place } = {
    type: context.kind,
    connector: context.connector,
    account: context.account,
    channel: context.channel,
    directWith: context.directWith,
  };
  return withFrontMatter({ ...context.settings, kind: context.openness, place: { type, ...place } }, before);
}

export function workspaceText(workspace: Workspace, before: string | undefined): string {
  const { settings, title, kind } = workspace;
  return withFrontMatter({ ...settings, title, kind, outside_edits: workspace.outsideEdits }, before);
}

function withFrontMatter(values: object, before: string | undefined): string {
  const body = before === undefined ? '' : splitFrontMatter(before).body;
  // Through JSON, so that members without a value are left out.
  return `---\n${stringify(JSON.parse(JSON.stringify(values)), { lineWidth: 0 })}---\n${body}`;
}
