import { type ContextId, hasHidden } from '../base/index.ts';

/**
 * What a path inside a workspace is for; decides the effect class of a write.
 * record: written by the projector alone · control: steers the model or the schedule · memory: of a context or of the workspace ·
 * note: free notes and research · document: any other Markdown · forbidden: no path a tool may name.
 */
export type PathClass =
  | 'record'
  | 'control'
  | 'context-memory'
  | 'other-context-memory'
  | 'workspace-memory'
  | 'note'
  | 'document'
  | 'forbidden';

const CONTROL_FILES = new Set(['system.md', 'append_system.md', 'agents.md', 'soul.md']);
const RECORD_FOLDERS = new Set(['logs', 'tasks', 'approvals', 'email']);
const CONTROL_FOLDERS = new Set(['skills', 'prompts', 'workflows', 'schedules']);
const NOTE_FOLDERS = new Set(['notes', 'research']);

/**
 * @param path relative, with forward slashes
 * @param context the context whose run asks
 * @returns `forbidden` for anything absolute, climbing, hidden, or not Markdown; comparison folds case as disks do (ſ is s,
 *   K is k), so that a case-folding disk cannot be used to reach a control file
 */
export function classifyPath(path: string, context: ContextId): PathClass {
  if (!isCleanPath(path)) return 'forbidden';
  const folded = foldCase(path);
  const parts = folded.split('/');
  const [first = '', , third = ''] = parts;
  if (!folded.endsWith('.md')) return 'forbidden';
  if (parts.length === 1) {
    if (CONTROL_FILES.has(first)) return 'control';
    return first === 'memory.md' ? 'workspace-memory' : 'document';
  }
  if (CONTROL_FILES.has(parts.at(-1) ?? '')) return 'control';
  if (RECORD_FOLDERS.has(first)) return 'record';
  if (CONTROL_FOLDERS.has(first)) return 'control';
  if (NOTE_FOLDERS.has(first)) return 'note';
  if (first !== 'contexts') return 'document';
  const isMemory = third === 'memory.md' || (third === 'memory' && parts.length === 4);
  if (!isMemory) return 'control';
  // Exactly this folder, unfolded: one that only looks like it is somebody else's.
  return path.split('/')[1] === context ? 'context-memory' : 'other-context-memory';
}

/** Upper case first: that is where ſ, ı and ligatures meet their plain letters. */
function foldCase(path: string): string {
  return path.toUpperCase().toLowerCase().normalize('NFC');
}

/** Relative, no empty, dot or hidden part, no backslash, colon, control or hidden character, at most 300 characters. */
export function isCleanPath(path: string): boolean {
  if (path.length > 300 || path !== path.normalize('NFC')) return false;
  // Some disks skip invisible characters when they compare names.
  if (/[\\:*?"<>|\n\t]/u.test(path) || hasHidden(path)) return false;
  return path
    .split('/')
    .every(
      (part) =>
        part !== '' &&
        !part.startsWith('.') &&
        !part.endsWith('.') &&
        !part.endsWith(' ') &&
        !part.startsWith(' '),
    );
}
