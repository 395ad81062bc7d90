import { isFinalRun, type Run, type RunEventWire } from '@agent-runtime/domain';

/** One journalled move of a run. */
export interface StepFact {
  readonly kind: 'llm' | 'tool';
  readonly name?: string | undefined;
  readonly outcome?: 'done' | 'failed' | 'proposed' | 'denied' | undefined;
}

/** A fact with its place in the stream, from 1. */
export interface NumberedEvent {
  readonly id: number;
  readonly event: Extract<RunEventWire, { type: 'state' | 'step' }>;
}

/**
 * Everything durable that a run has to tell, oldest first. Computed from its row and its journalled steps alone, so that the same
 * facts get the same numbers after a reconnect and after a restart. `aborting` is on its way to an end and has no number of its own.
 * @param steps oldest first
 */
export function runFacts(
  run: Pick<Run, 'id' | 'state' | 'startedAt'>,
  steps: readonly StepFact[],
): readonly NumberedEvent[] {
  const run_id = run.id;
  const events: NumberedEvent['event'][] = [{ type: 'state', run_id, status: 'queued' }];
  const hasStarted = run.startedAt !== undefined || steps.length > 0;
  if (hasStarted || run.state === 'running') events.push({ type: 'state', run_id, status: 'running' });
  steps.forEach(({ kind, name, outcome }, index) => {
    events.push({
      type: 'step',
      run_id,
      step: index + 1,
      kind,
      ...(name === undefined ? {} : { name }),
      ...(outcome === undefined ? {} : { outcome }),
    });
  });
  if (isFinalRun(run.state)) events.push({ type: 'state', run_id, status: run.state });
  return events.map((event, index) => ({ id: index + 1, event }));
}
