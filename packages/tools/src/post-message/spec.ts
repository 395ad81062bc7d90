import type { ToolSpec } from '@agent-runtime/domain';
import { z } from 'zod';
import { text, textOf } from '../arguments.ts';

/**
 * Proposes a message to another channel; a person approves it before it leaves. Without `connector` it is the one of the origin,
 * which the target says as an empty name. Carried out by the engine as an effect.
 */
export const postMessage: ToolSpec = {
  name: 'post_message',
  description: 'Post to another channel, after approval. Not for your answer.',
  class: 'E1',
  runs: 'host',
  minRole: 'member',
  limits: { timeoutMs: 10_000, maxResultBytes: 2_000 },
  input: z.strictObject({
    channel: text(200),
    text: text(20_000),
    connector: text(60).optional(),
  }),
  target: (args) => ({
    kind: 'message',
    connector: textOf(args, 'connector'),
    channel: textOf(args, 'channel'),
  }),
};
