import type { ToolSpec } from '@agent-runtime/domain';
import { z } from 'zod';
import { MAX_PATH_CHARS, text } from '../arguments.ts';

/**
 * Finds the lines that hold a text, as `path:line  text`. Carried out by the engine.
 * The text is literal and its case does not matter. No regular expressions: a model could write one that never ends.
 */
export const mdGrep: ToolSpec = {
  name: 'md_grep',
  description: 'Find lines that contain a text. Literal, any case, no regex.',
  class: 'R',
  runs: 'host',
  minRole: 'viewer',
  limits: { timeoutMs: 5_000, maxResultBytes: 12_000 },
  input: z.strictObject({ pattern: text(200), folder: text(MAX_PATH_CHARS).optional() }),
  target: () => ({ kind: 'workspace' }),
};
