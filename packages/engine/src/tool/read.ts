import {
  AppError,
  type Context,
  type JsonObject,
  join,
  type Label,
  type LabelledFile,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { matchesGlob } from './glob.ts';
import { type HostResult, lineCount, plain } from './result.ts';
import { visibleFile, visibleFiles } from './visible.ts';

type Deps = Pick<EngineDeps, 'files' | 'log'>;

const DEFAULT_LINES = 200;
const MAX_LISTED = 300;
const MAX_MATCHES = 60;
const MAX_LINE_CHARS = 400;

/** `md_read`: `path:line  text` for each line asked for. @throws AppError tool.file.missing, also for files that may not be seen here */
export async function readNote(deps: Deps, context: Context, args: JsonObject): Promise<HostResult> {
  const path = String(args.path);
  const file = await visibleFile(deps, context, path);
  if (file === undefined) throw missing(path);
  const lines = file.text.split('\n').slice(0, lineCount(file.text));
  const from = Number(args.from_line ?? 1);
  const to = Math.min(lines.length, from - 1 + Number(args.lines ?? DEFAULT_LINES));
  if (from > lines.length) return { ...shown(file), text: `${path} has ${lines.length} lines.` };
  const body = lines.slice(from - 1, to).map((line, index) => `${path}:${from + index}  ${line}`);
  const rest = to < lines.length ? [`[${lines.length - to} more lines; ask with from_line ${to + 1}]`] : [];
  return { ...shown(file), text: [...body, ...rest].join('\n') };
}

/** `md_list` and `md_glob`: paths, one a line; only of files that may be seen here, so that not even a name leaks. */
export async function listNotes(deps: Deps, context: Context, args: JsonObject): Promise<HostResult> {
  const folder = typeof args.folder === 'string' ? args.folder.replace(/\/+$/, '') : '';
  const pattern = typeof args.pattern === 'string' ? args.pattern : undefined;
  const fits =
    pattern === undefined
      ? (path: string) => folder === '' || path.startsWith(`${folder}/`)
      : (path: string) => matchesGlob(path, pattern);
  const files = await visibleFiles(deps, context, fits);
  if (files.length === 0) return plain('No notes there.');
  const rest =
    files.length > MAX_LISTED ? [`[${files.length - MAX_LISTED} more; name a folder or a pattern]`] : [];
  return {
    text: [...files.slice(0, MAX_LISTED).map((file) => file.path), ...rest].join('\n'),
    label: namesLabel(files),
    sources: [],
  };
}

/** `md_grep`: `path:line  text` of lines that hold a text, any case. */
export async function grepNotes(deps: Deps, context: Context, args: JsonObject): Promise<HostResult> {
  const needle = String(args.pattern).toLowerCase();
  const folder = typeof args.folder === 'string' ? `${args.folder.replace(/\/+$/, '')}/` : '';
  const found: string[] = [];
  const files: LabelledFile[] = [];
  for (const file of await visibleFiles(
    deps,
    context,
    (path) => path.startsWith(folder) && !isRecord(path),
  )) {
    const hits = file.text
      .split('\n')
      .flatMap((line, index) =>
        line.toLowerCase().includes(needle)
          ? [`${file.path}:${index + 1}  ${line.slice(0, MAX_LINE_CHARS)}`]
          : [],
      );
    if (hits.length === 0) continue;
    files.push(file);
    found.push(...hits);
    if (found.length > MAX_MATCHES) break;
  }
  if (found.length === 0) return plain(`No line holds "${needle}".`);
  const rest = found.length > MAX_MATCHES ? ['[more lines; name a folder or a longer text]'] : [];
  return {
    text: [...found.slice(0, MAX_MATCHES), ...rest].join('\n'),
    label: namesLabel(files),
    sources: files.map((file) => ({ path: file.path, lines: lineCount(file.text) })),
  };
}

/** Logs, tasks, approvals and mail are found only when asked for by name. */
function isRecord(path: string): boolean {
  return /^(?:logs|tasks|approvals|email)\//.test(path);
}

function shown(file: LabelledFile): Pick<HostResult, 'label' | 'sources'> {
  return { label: file.label, sources: [{ path: file.path, lines: lineCount(file.text) }] };
}

function namesLabel(files: readonly LabelledFile[]): Label {
  return join(...files.map((file) => file.label));
}

function missing(path: string): AppError {
  return new AppError({
    code: 'tool.file.missing',
    kind: 'missing',
    message: `There is no ${path.slice(0, 120)}, or not for here. md_list shows what there is.`,
  });
}
