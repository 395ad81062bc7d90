// Copy this folder, rename the constant, change every field, add one line to ../all.ts, run the tests after each step.
import type { ToolSpec } from '@agent-runtime/domain';
import { z } from 'zod';
import { MAX_PATH_CHARS, text, textOf, whole } from '../arguments.ts';

/** Shows the first lines of a note. Say here what the tool does, what its result looks like, and who carries it out. */
export const template: ToolSpec = {
  // snake_case, unique. The model calls it by this name and contexts list it in `tools`.
  name: 'template_peek',
  // One short sentence: every prompt carries it. What it does and what comes back, not how.
  description: 'Show the first lines of a note.',
  // Decides whether a person is asked: R read, W1 and W2 write, F fetch, E1 leaves, K runs code.
  class: 'R',
  // host: the engine carries it out through ports. sandbox: add run.ts, executed in the tool runner only.
  runs: 'host',
  minRole: 'viewer',
  limits: { timeoutMs: 5_000, maxResultBytes: 4_000 },
  // Strict: an unknown argument is refused. Bound every text and number.
  input: z.strictObject({ path: text(MAX_PATH_CHARS), lines: whole(1, 50).optional() }),
  // Pure, and total: what the call touches, from its arguments alone. Policy decides on this and on nothing else.
  target: (args) => ({ kind: 'file', path: textOf(args, 'path'), access: 'read' }),
};
