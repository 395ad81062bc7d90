import {
  ADMIN_STREAMS,
  AppError,
  type AskResult,
  applyTextEvent,
  ERROR_KINDS,
  isFinalRun,
  type RunEventWire,
  runEventSchema,
  showHidden,
} from '@agent-runtime/domain';
import { type CommandHandler, type CommandRun, textArg, textOption } from '../cli/command.ts';
import { unnamedCitations } from '../client/citations.ts';
import type { AdminClient } from '../client/client.ts';
import { mistyped, numberOption } from './input.ts';

const NOT_FINISHED_EXIT = 75;
const ABORTED_EXIT = 130;
const LOOK_AGAIN_MS = 500;
/** A restart of the runtime takes seconds; after this many looks in vain the trouble is shown. */
const MAX_VAIN_LOOKS = 60;

/** Asks, follows the answer, and says what waits for approval. */
export const ask: CommandHandler = async (run) => {
  const text = textArg(run, 0).trim();
  if (text === '') throw mistyped('Ask something: agent-runtime ask "How do I get a refund?"');
  const timeout = numberOption(run, 'timeout', '--timeout');
  if (timeout !== undefined && timeout < 0) throw mistyped('--timeout takes seconds, 0 or more.');
  const client = await run.client();
  const { run_id, taken } = await client.call('ask.post', {
    text,
    idempotency_key: run.world.newKey(),
    ...optional('context', textOption(run, 'context')),
    ...optional('workspace', textOption(run, 'workspace')),
    ...optional('conversation', textOption(run, 'conversation')),
  });
  if (taken !== undefined && !run.json)
    run.world.err(`In the workspace ${taken}; --workspace chooses another one.\n`);
  const printer = makePrinter(run);
  const result = await waitFor(run, client, {
    id: run_id,
    timeoutMs: timeout === undefined ? undefined : timeout * 1000,
    printer,
  });
  report(run, result, printer);
  return exitOf(result);
};

function optional<K extends string>(name: K, value: string | undefined): { [key in K]?: string } {
  return value === undefined ? {} : ({ [name]: value } as { [key in K]?: string }); // safe: exactly the named member
}

/** Follows the stream until the end or the timeout; when the stream breaks it looks at the run instead. */
async function waitFor(
  run: CommandRun,
  client: AdminClient,
  what: { readonly id: string; readonly timeoutMs: number | undefined; readonly printer: Printer },
): Promise<AskResult> {
  const stop = new AbortController();
  const finished = new AbortController();
  const timer =
    what.timeoutMs === undefined
      ? undefined
      : run.world.sleep(what.timeoutMs, finished.signal).then(() => {
          if (!finished.signal.aborted) stop.abort();
        });
  try {
    const streamed = await follow(client, what, stop.signal);
    if (streamed !== undefined) return streamed;
    return await poll(run, client, what.id, stop.signal);
  } finally {
    finished.abort();
    await timer;
  }
}

async function follow(
  client: AdminClient,
  what: { readonly id: string; readonly printer: Printer },
  signal: AbortSignal,
): Promise<AskResult | undefined> {
  try {
    for await (const frame of client.stream(ADMIN_STREAMS.run.replace(':id', what.id), signal)) {
      const parsed = runEventSchema.safeParse(readJson(frame.data));
      if (!parsed.success) continue;
      if (parsed.data.type === 'end') return parsed.data.run;
      what.printer.event(parsed.data);
    }
  } catch (thrown) {
    // A stream that breaks is no failure of the run: what became of it is asked for below.
    if (!isPassing(thrown)) throw thrown;
  }
  return undefined;
}

async function poll(
  run: CommandRun,
  client: AdminClient,
  id: string,
  signal: AbortSignal,
): Promise<AskResult> {
  let vain = 0;
  for (;;) {
    try {
      const result = await client.call('run.show', { id });
      if (signal.aborted || isFinalRun(result.status)) return result;
      vain = 0;
    } catch (thrown) {
      vain += 1;
      if (!isPassing(thrown) || vain >= MAX_VAIN_LOOKS || signal.aborted) throw thrown;
    }
    await run.world.sleep(LOOK_AGAIN_MS, signal);
  }
}

function isPassing(thrown: unknown): boolean {
  return thrown instanceof AppError && (thrown.kind === 'unavailable' || thrown.kind === 'cancelled');
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What of the answer is on the screen already. */
interface Printer {
  event(event: RunEventWire): void;
  /** Prints what is missing of the finished answer. */
  finish(output: string): void;
}

/** Streams text to a terminal. Elsewhere nothing is printed before the end, so that no half answer is piped on. */
function makePrinter(run: CommandRun): Printer {
  const isLive = run.world.isTty && !run.json;
  let answer = '';
  let printed = '';
  return {
    event(event) {
      if (!isLive || event.type !== 'text') return;
      answer = applyTextEvent(answer, event);
      if (!answer.startsWith(printed)) return;
      run.world.out(showHidden(answer.slice(printed.length)));
      printed = answer;
    },
    finish(output) {
      if (printed !== '' && output.startsWith(printed))
        run.world.out(`${showHidden(output.slice(printed.length))}\n`);
      // The filter of shown text changed words that were already out: the whole answer again, so that nobody keeps the old one.
      else run.world.out(`${printed === '' ? '' : '\n\n(corrected)\n'}${showHidden(output)}\n`);
    },
  };
}

function report(run: CommandRun, result: AskResult, printer: Printer): void {
  const { world } = run;
  if (run.json) {
    world.out(`${JSON.stringify(result)}\n`);
    return;
  }
  if (result.output !== undefined) printer.finish(result.output);
  for (const { path, line } of unnamedCitations(result)) world.out(`  ${showHidden(path)}:${line}\n`);
  for (const id of result.pending_approvals ?? [])
    world.out(`Waits for approval: ${id} (agent-runtime approval show ${id})\n`);
  if (result.error !== undefined) world.err(`${showHidden(result.error.message)}\n`);
  if (result.status === 'aborted') world.err('It was aborted.\n');
  if (!isFinalRun(result.status))
    world.err(`Not finished yet (${result.status}). It goes on: agent-runtime task list\n`);
}

/** Exit code of a run: 0 succeeded, the kind's when failed, 130 aborted, 75 not finished. */
function exitOf(result: AskResult): number {
  switch (result.status) {
    case 'succeeded':
      return 0;
    case 'aborted':
      return ABORTED_EXIT;
    case 'failed':
      return ERROR_KINDS[result.error?.kind ?? 'bug'].exit;
    default:
      return NOT_FINISHED_EXIT;
  }
}
