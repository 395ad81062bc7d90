import type { ToolSpec } from '@agent-runtime/domain';
import { z } from 'zod';
import { text } from '../arguments.ts';

/** Lists the Markdown files whose path fits a pattern of `*`, `**` and `?`. Carried out by the engine. */
export const mdGlob: ToolSpec = {
  name: 'md_glob',
  description: 'List notes by path pattern, e.g. meetings/**/2026-*.md',
  class: 'R',
  runs: 'host',
  minRole: 'viewer',
  limits: { timeoutMs: 5_000, maxResultBytes: 12_000 },
  input: z.strictObject({ pattern: text(200) }),
  target: () => ({ kind: 'workspace' }),
};
