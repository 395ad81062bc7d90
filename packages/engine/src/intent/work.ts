import type { Intent, Work } from '@agent-runtime/domain';

/** Name of the workflow that asks a small model what was understood. */
export const INTENT_WORKFLOW = 'intent';

/** The durable work of a wish; in a lane of its own, for it must not wait behind the work that it announces. */
export function workOf(intent: Pick<Intent, 'id' | 'workspace'>): Work {
  return {
    id: intent.id,
    workflow: INTENT_WORKFLOW,
    key: intent.id,
    lane: `intent/${intent.workspace}`,
    input: { intent: intent.id },
    notBefore: 0,
  };
}
