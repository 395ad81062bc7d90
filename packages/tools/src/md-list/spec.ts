import type { ToolSpec } from '@agent-runtime/domain';
import { z } from 'zod';
import { MAX_PATH_CHARS, text } from '../arguments.ts';

/** Lists the Markdown files of the workspace, or of one folder of it. Carried out by the engine. */
export const mdList: ToolSpec = {
  name: 'md_list',
  description: 'List notes, all or of one folder.',
  class: 'R',
  runs: 'host',
  minRole: 'viewer',
  limits: { timeoutMs: 5_000, maxResultBytes: 12_000 },
  input: z.strictObject({ folder: text(MAX_PATH_CHARS).optional() }),
  target: () => ({ kind: 'workspace' }),
};
