import type { ToolSpec } from '@agent-runtime/domain';
import { z } from 'zod';
import { MAX_PATH_CHARS, text, textOf } from '../arguments.ts';

/** Longest text of one write, characters. */
export const MAX_WRITE_CHARS = 60_000;

/**
 * Writes a Markdown file through store and policy. Whether it happens, is asked or is refused follows from the path.
 * `create` needs the file to be absent, `replace` needs it to exist, `append` takes both. Carried out by the engine.
 */
export const mdWrite: ToolSpec = {
  name: 'md_write',
  description: 'Write a note: create, replace whole, or append. May need approval.',
  class: 'W1',
  runs: 'host',
  minRole: 'member',
  limits: { timeoutMs: 10_000, maxResultBytes: 2_000 },
  input: z.strictObject({
    path: text(MAX_PATH_CHARS),
    text: text(MAX_WRITE_CHARS, 'can-be-empty'),
    mode: z.enum(['create', 'replace', 'append']),
  }),
  target: (args) => ({ kind: 'file', path: textOf(args, 'path'), access: 'write' }),
};
