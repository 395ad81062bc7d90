import type { ToolSpec } from '@agent-runtime/domain';
import { z } from 'zod';
import { text, whole } from '../arguments.ts';

/** Searches the notes and shows the best passages, each line as `path:line  text`. Carried out by the engine. */
export const qmdSearch: ToolSpec = {
  name: 'qmd_search',
  description: 'Search the notes. Returns passages as path:line.',
  class: 'R',
  runs: 'host',
  minRole: 'viewer',
  limits: { timeoutMs: 10_000, maxResultBytes: 12_000 },
  input: z.strictObject({ query: text(400), limit: whole(1, 20).optional() }),
  target: () => ({ kind: 'workspace' }),
};
