import {
  AppError,
  approvalOf,
  type Context,
  classifyPath,
  type Decision,
  type Digest,
  type JsonObject,
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

/**
 * Computes the whole new content of a file from what is there now; a file that may not be seen here counts as absent, and then the
 * write meets a conflict instead of overwriting it.
 * @throws AppError tool.write.invalid with what to change
 */
export async function planWrite(
  deps: EngineDeps,
  context: Context,
  path: string,
  args: JsonObject,
): Promise<PlannedWrite> {
  const mode = String(args.mode);
  const text = String(args.text ?? '');
  const file = await visibleFile(deps, context, path);
  if (mode === 'create' && file !== undefined)
    throw invalid(`${path} exists already; use replace or append.`);
  if (mode === 'replace' && file === undefined) throw invalid(`${path} does not exist; use create.`);
  const whole = mode === 'append' ? appended(file, text) : ended(text);
  if (whole.length > MAX_FILE_CHARS)
    throw invalid(`${path} would grow beyond ${MAX_FILE_CHARS} characters; begin another file.`);
  return { path, text: whole, expected: file?.hash ?? 'absent' };
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
  const { context, path, run } = input;
  if (approvalOf(input.decision) !== undefined)
    throw new AppError({ code: 'tool.write.bug', kind: 'bug', message: 'This write needs an approval.' });
  const stored = input.decision.obligations.find((one) => one.kind === 'store-label');
  const label = stored?.label ?? input.label;
  if (await isAppendDone(deps, input)) return plain(`Wrote ${path}.`);
  const plan = await planWrite(deps, context, path, input.args);
  const before = plan.expected === 'absent' ? '' : ((await visibleFile(deps, context, path))?.text ?? '');
  const isMemory = classifyPath(path, context.id) === 'context-memory';
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
      if (!isMemory) return;
      const at = deps.clock.nowMs();
      await tx.insert('memory_change', {
        id: deps.ids.make('entry'),
        workspace: context.workspace,
        path,
        before,
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
): Promise<boolean> {
  if (input.args.mode !== 'append') return false;
  const file = await visibleFile(deps, input.context, input.path);
  if (file === undefined) return false;
  const written = await deps.audit.tail(20, { subject: input.path, action: 'workspace.write' });
  const isOurs = written.some(
    (event) => event.data.run === input.run.id && event.workspace === input.context.workspace,
  );
  return isOurs && file.text.endsWith(ended(String(input.args.text ?? '')));
}

function appended(file: LabelledFile | undefined, text: string): string {
  if (file === undefined) return ended(text);
  return `${ended(file.text)}${ended(text)}`;
}

/** Files end with a line break. */
function ended(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

function invalid(message: string): AppError {
  return new AppError({ code: 'tool.write.invalid', kind: 'invalid', message });
}
