import {
  AppError,
  approvalOf,
  type Context,
  classifyPath,
  type Decision,
  type Digest,
  type JsonObject,
  join,
  type Label,
  type LabelledFile,
  type Run,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { type HostResult, plain } from './result.ts';
import { visibleFile } from './visible.ts';

/** Longest file that a model may leave behind, characters. */
const MAX_FILE_CHARS = 400_000;

export interface PlannedWrite {
  readonly path: string;
  readonly text: string;
  readonly expected: Digest | 'absent';
}

/** What a write builds on. */
interface Base {
  readonly file: LabelledFile;
  /** Holds entries that the people here may not read. */
  readonly isPartial: boolean;
}

/**
 * Computes the whole new content of a file from what is there now, for people to approve. A file that may not be seen here counts as
 * absent, and then the write meets a conflict instead of overwriting it.
 * Entries of a memory file that are hidden here stay in the file: it can be appended to, not replaced.
 * @throws AppError tool.write.invalid with what to change
 */
export async function planWrite(
  deps: EngineDeps,
  context: Context,
  path: string,
  args: JsonObject,
): Promise<PlannedWrite> {
  const base = await baseOf(deps, context, path);
  // The question would show entries to people whom nobody cleared for them.
  if (base?.isPartial === true) throw hiddenEntries(path);
  return planOn(base, path, args);
}

/**
 * Label of what a write leaves standing: an appended file keeps the integrity and the readers of its old words. Entries of memory
 * files have labels of their own.
 * @returns undefined when nothing old stays
 */
export async function keptLabel(
  deps: EngineDeps,
  context: Context,
  path: string,
  args: JsonObject,
): Promise<Label | undefined> {
  if (args.mode !== 'append' || isMemory(path, context)) return undefined;
  return (await visibleFile(deps, context, path))?.label;
}

function planOn(base: Base | undefined, path: string, args: JsonObject): PlannedWrite {
  const mode = String(args.mode);
  const text = String(args.text ?? '');
  // The very bytes that would be created: a repeat after a crash, or a wish that is fulfilled already.
  if (mode === 'create' && base?.isPartial === false && base.file.text === ended(text))
    return { path, text: base.file.text, expected: 'absent' };
  if (mode === 'create' && base !== undefined)
    throw invalid(`${path} exists already; use replace or append.`);
  if (mode === 'replace' && base === undefined) throw invalid(`${path} does not exist; use create.`);
  if (mode === 'replace' && base?.isPartial === true) throw hiddenEntries(path);
  const whole = mode === 'append' ? appended(base?.file, text) : ended(text);
  if (whole.length > MAX_FILE_CHARS)
    throw invalid(`${path} would grow beyond ${MAX_FILE_CHARS} characters; begin another file.`);
  return { path, text: whole, expected: base?.file.hash ?? 'absent' };
}

/** The file as it is on disk: an append to memory keeps entries that are not shown here, and shows none of them. */
async function baseOf(deps: EngineDeps, context: Context, path: string): Promise<Base | undefined> {
  const visible = await visibleFile(deps, context, path);
  if (!isMemory(path, context)) {
    if (visible !== undefined) return { file: visible, isPartial: false };
    await refuseGuarded(deps, context, path);
    return undefined;
  }
  try {
    const file = await deps.files.read(context.workspace, path);
    return { file, isPartial: visible?.text !== file.text };
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.kind === 'missing') return undefined;
    throw thrown;
  }
}

/**
 * A path that the guards refuse (a link on the way, a special file) can never be written: it is refused now, not after people were asked.
 * What merely may not be seen here goes on looking like nothing.
 * @throws AppError of the guard
 */
async function refuseGuarded(deps: EngineDeps, context: Context, path: string): Promise<void> {
  try {
    await deps.files.read(context.workspace, path);
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.kind === 'denied') throw thrown;
  }
}

function isMemory(path: string, context: Context): boolean {
  const kind = classifyPath(path, context.id);
  return kind === 'context-memory' || kind === 'workspace-memory';
}

/** `md_write` where policy permits it at once (notes and memory of the context). A repeat after a crash finds its own bytes there. */
export async function writeNote(
  deps: EngineDeps,
  input: {
    readonly run: Run;
    readonly context: Context;
    readonly path: string;
    readonly args: JsonObject;
    readonly label: Label;
    readonly decision: Decision;
  },
): Promise<HostResult> {
  const { context, path, run, args } = input;
  if (approvalOf(input.decision) !== undefined)
    throw new AppError({ code: 'tool.write.bug', kind: 'bug', message: 'This write needs an approval.' });
  const stored = input.decision.obligations.find((one) => one.kind === 'store-label')?.label ?? input.label;
  const kept = await keptLabel(deps, context, path, args);
  const label = kept === undefined ? stored : join(stored, kept);
  const base = await baseOf(deps, context, path);
  if (await isAppendDone(deps, input, base)) return plain(`Wrote ${path}.`);
  const plan = planOn(base, path, args);
  await deps.files.write({
    ...plan,
    workspace: context.workspace,
    label,
    audit: {
      action: 'workspace.write',
      actor: `service:${context.id}`,
      subject: path,
      workspace: context.workspace,
      context: context.id,
      data: { run: run.id, bytes: Buffer.byteLength(plan.text), integrity: label.integrity },
    },
    also: async (tx) => {
      if (!isMemory(path, context)) return;
      const at = deps.clock.nowMs();
      await tx.insert('memory_change', {
        id: deps.ids.make('entry'),
        workspace: context.workspace,
        path,
        before: base?.file.text ?? '',
        after: plan.text,
        by: `service:${context.id}`,
        run: run.id,
        at,
      });
    },
  });
  return plain(`Wrote ${path}.`);
}

/** After a crash between the write and its record the same words would be appended again. */
async function isAppendDone(
  deps: EngineDeps,
  input: { readonly run: Run; readonly context: Context; readonly path: string; readonly args: JsonObject },
  base: Base | undefined,
): Promise<boolean> {
  if (input.args.mode !== 'append' || base === undefined) return false;
  const written = await deps.audit.tail(20, { subject: input.path, action: 'workspace.write' });
  const isOurs = written.some(
    (event) => event.data.run === input.run.id && event.workspace === input.context.workspace,
  );
  return isOurs && base.file.text.endsWith(ended(String(input.args.text ?? '')));
}

function appended(file: LabelledFile | undefined, text: string): string {
  if (file === undefined) return ended(text);
  return `${ended(file.text)}${ended(text)}`;
}

/** Files end with a line break. */
function ended(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

function hiddenEntries(path: string): AppError {
  return invalid(`${path} holds more than may be shown here; append to the memory of this place instead.`);
}

function invalid(message: string): AppError {
  return new AppError({ code: 'tool.write.invalid', kind: 'invalid', message });
}
