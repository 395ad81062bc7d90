import type { Journal, Json, RunId } from '@agent-runtime/domain';
import { z } from 'zod';
import type { StepFact } from './run-facts.ts';

const stepSchema = z.object({
  kind: z.enum(['llm', 'tool']),
  name: z.string().optional(),
  outcome: z.enum(['done', 'failed', 'proposed', 'denied']).optional(),
});

/**
 * The steps of a run that people may know of: which model, which tool, how it came out. Texts, arguments and labels stay in the journal.
 * @returns oldest first; bookkeeping steps are left out
 */
export function journalSteps(journal: Pick<Journal, 'steps'>): (run: RunId) => Promise<readonly StepFact[]> {
  return async (run) => [...(await journal.steps(run)).values()].flatMap(factOf);
}

function factOf(value: Json): readonly StepFact[] {
  const parsed = stepSchema.safeParse(value);
  return parsed.success ? [parsed.data] : [];
}
