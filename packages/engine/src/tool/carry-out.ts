import { AppError, type Decision, type JsonObject, type Label, type ToolSpec } from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import type { RunPlace } from '../run/session.ts';
import { searchWorkspace } from '../search/index.ts';
import { grepNotes, listNotes, readNote } from './read.ts';
import { capped, type HostResult, plain } from './result.ts';
import { writeNote } from './write.ts';

export interface HostCall {
  readonly place: Pick<RunPlace, 'run' | 'context'>;
  readonly tool: ToolSpec;
  readonly args: JsonObject;
  readonly label: Label;
  readonly signal: AbortSignal;
  /** The permit, with its obligations. */
  readonly decision: Decision;
}

type HostTool = (deps: EngineDeps, call: HostCall) => Promise<HostResult>;

/** Host tools by name: what the engine carries out itself. One line per tool. */
const HOST_TOOLS: Readonly<Record<string, HostTool>> = {
  md_read: (deps, { place, args }) => readNote(deps, place.context, args),
  md_list: (deps, { place, args }) => listNotes(deps, place.context, args),
  md_glob: (deps, { place, args }) => listNotes(deps, place.context, args),
  md_grep: (deps, { place, args }) => grepNotes(deps, place.context, args),
  md_write: (deps, { place, args, label, decision }) =>
    writeNote(deps, {
      run: place.run,
      context: place.context,
      path: String(args.path),
      args,
      label,
      decision,
    }),
  qmd_search: searchNotes,
};

/**
 * Carries out a permitted host tool within its limits.
 * @throws AppError tool.name.rejected for a tool that does not run on the host · what the tool throws
 */
export async function carryOut(deps: EngineDeps, call: HostCall): Promise<HostResult> {
  const run =
    call.tool.runs === 'host' && Object.hasOwn(HOST_TOOLS, call.tool.name)
      ? HOST_TOOLS[call.tool.name]
      : undefined;
  if (run === undefined) {
    throw new AppError({
      code: 'tool.name.rejected',
      kind: 'rejected',
      message: `${call.tool.name} cannot be carried out here.`,
    });
  }
  const result = await within(deps, call, run(deps, call));
  return { ...result, text: capped(result.text, call.tool.limits.maxResultBytes) };
}

/**
 * Ends the wait for a reading tool at its limit. A write is waited for: what is being written cannot be called undone.
 * @throws AppError tool.time.unavailable, tool.call.cancelled
 */
async function within(deps: EngineDeps, call: HostCall, work: Promise<HostResult>): Promise<HostResult> {
  if (call.tool.class !== 'R') return work;
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, call.signal]);
  const late = deps.clock.sleep(call.tool.limits.timeoutMs, signal);
  try {
    const done = await Promise.race([work, late]);
    if (done !== undefined) return done;
  } finally {
    stop.abort();
    // Whoever stopped waiting does not care how it ends.
    work.catch(() => undefined);
  }
  throw call.signal.aborted
    ? new AppError({ code: 'tool.call.cancelled', kind: 'cancelled', message: 'The tool call was stopped.' })
    : new AppError({
        code: 'tool.time.unavailable',
        kind: 'unavailable',
        message: `${call.tool.name} took too long. Ask for less.`,
      });
}

async function searchNotes(deps: EngineDeps, { place, args, signal }: HostCall): Promise<HostResult> {
  const found = await searchWorkspace(
    deps,
    place.context,
    { text: String(args.query), limit: Number(args.limit ?? 6) },
    signal,
  );
  if (found.hits.length === 0) return plain(`Nothing found for "${String(args.query)}".`);
  const blocks = found.hits.map((hit) =>
    hit.snippet
      .split('\n')
      .map((line, index) => `${hit.path}:${hit.line + index}  ${line}`)
      .join('\n'),
  );
  return { text: blocks.join('\n\n'), label: found.label, sources: found.sources };
}
