import {
  ADMIN_STREAMS,
  AppError,
  type AskResult,
  isFinalRun,
  type RunEventWire,
  runEventSchema,
} from '@agent-runtime/domain';
import type { AdminClient } from './client.ts';

/** Pause between looks at a run whose stream broke. */
const LOOK_AGAIN_MS = 1_000;

/**
 * Follows a run to its end. A stream that breaks is no failure of the run: it is looked at until the line is back.
 * @returns its end; undefined when the signal aborted
 * @throws AppError what the server refuses
 */
export async function watchRun(input: {
  readonly client: AdminClient;
  readonly id: string;
  readonly signal: AbortSignal;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  onEvent(event: RunEventWire): void;
}): Promise<AskResult | undefined> {
  const { client, id, signal } = input;
  while (!signal.aborted) {
    try {
      const end = await followOnce(input);
      if (end !== undefined) return end;
      const run = await client.call('run.show', { id });
      if (isFinalRun(run.status)) return run;
    } catch (thrown) {
      if (signal.aborted) return undefined;
      if (!(thrown instanceof AppError && ['unavailable', 'cancelled'].includes(thrown.kind))) throw thrown;
    }
    await input.sleep(LOOK_AGAIN_MS, signal);
  }
  return undefined;
}

async function followOnce(input: {
  readonly client: AdminClient;
  readonly id: string;
  readonly signal: AbortSignal;
  onEvent(event: RunEventWire): void;
}): Promise<AskResult | undefined> {
  for await (const frame of input.client.stream(ADMIN_STREAMS.run.replace(':id', input.id), input.signal)) {
    const parsed = runEventSchema.safeParse(readJson(frame.data));
    if (!parsed.success) continue;
    if (parsed.data.type === 'end') return parsed.data.run;
    input.onEvent(parsed.data);
  }
  return undefined;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
