import type { ToolSpec } from '@agent-runtime/domain';
import { z } from 'zod';
import { MAX_PATH_CHARS, text, textOf, whole } from '../arguments.ts';

/** Shows a Markdown file, or some lines of it, with line numbers. Carried out by the engine. */
export const mdRead: ToolSpec = {
  name: 'md_read',
  description: 'Read a note with line numbers.',
  class: 'R',
  runs: 'host',
  minRole: 'viewer',
  limits: { timeoutMs: 5_000, maxResultBytes: 24_000 },
  input: z.strictObject({
    path: text(MAX_PATH_CHARS),
    from_line: whole(1, 1_000_000).optional(),
    lines: whole(1, 2_000).optional(),
  }),
  target: (args) => ({ kind: 'file', path: textOf(args, 'path'), access: 'read' }),
};
