import type { AskResult, RunEventWire } from '@agent-runtime/domain';
import { useEffect, useState } from 'react';
import { useApp } from './context.ts';

/** What is known of a run while it goes. */
export interface LiveRun {
  readonly text: string;
  /** At most MOST_STEPS, newest last. */
  readonly steps: readonly LiveStep[];
  readonly end: AskResult | undefined;
}

export type LiveStep = Extract<RunEventWire, { readonly type: 'step' }>;

export const NOTHING_YET: LiveRun = { text: '', steps: [], end: undefined };

const MOST_STEPS = 100;
/** Words that come together are drawn together. */
const BATCH_MS = 80;

/** The run after one more event. The same rule as `applyTextEvent` of the contract, without its schemas. */
export function afterEvent(run: LiveRun, event: RunEventWire): LiveRun {
  switch (event.type) {
    case 'text':
      return { ...run, text: run.text.slice(0, event.offset) + event.text };
    case 'step':
      return { ...run, steps: [...run.steps, event].slice(-MOST_STEPS) };
    case 'end':
      return { ...run, end: event.run, text: event.run.output ?? run.text };
    case 'state':
      return run;
    default:
      return event satisfies never;
  }
}

/** Follows a run as long as the component is there; undefined follows nothing. */
export function useLiveRun(id: string | undefined): LiveRun {
  const { services, clock, fail } = useApp();
  const [run, setRun] = useState<LiveRun>(NOTHING_YET);
  // A new run begins anew; the functions of the app are made anew at every drawing and are no reason.
  useEffect(() => {
    setRun(NOTHING_YET);
    if (id === undefined) return undefined;
    const stop = new AbortController();
    void followRun({ services, clock, id, signal: stop.signal, onRun: setRun }).catch(fail);
    return () => stop.abort();
  }, [id]);
  return run;
}

/** Follows a run and tells its state, at most once per batch, and at the end. */
export async function followRun(input: {
  readonly services: ReturnType<typeof useApp>['services'];
  readonly clock: ReturnType<typeof useApp>['clock'];
  readonly id: string;
  readonly signal: AbortSignal;
  onRun(run: LiveRun): void;
}): Promise<void> {
  const { watchRun } = await import('../client/run-watch.ts');
  let run = NOTHING_YET;
  let isDue = false;
  const tell = (): void => {
    isDue = false;
    if (!input.signal.aborted) input.onRun(run);
  };
  const end = await watchRun({
    client: await input.services.connect(),
    id: input.id,
    signal: input.signal,
    sleep: (ms, signal) => input.clock.sleep(ms, signal),
    onEvent: (event) => {
      run = afterEvent(run, event);
      if (isDue) return;
      isDue = true;
      void input.clock.sleep(BATCH_MS, input.signal).then(tell);
    },
  });
  if (end === undefined) return;
  run = { ...run, end, text: end.output ?? run.text };
  tell();
}
