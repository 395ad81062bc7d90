import type { Run } from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';

/** Tells those who follow this run, and those who watch its place, that its state is another now. They look for themselves. */
export function publishState(
  deps: Pick<EngineDeps, 'live'>,
  run: Pick<Run, 'id' | 'workspace' | 'context'>,
): void {
  const { id, workspace, context } = run;
  deps.live.publish({ topic: id, kind: 'state', data: { run: id } });
  deps.live.publish({ topic: 'runs', kind: 'run.state', data: { id, workspace, context } });
}
