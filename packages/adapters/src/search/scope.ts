import type { SearchQuery } from '@agent-runtime/domain';

/** Records: found only when asked for by name. */
const FOLDERS: Readonly<Record<NonNullable<SearchQuery['in']>, string>> = {
  mail: 'email',
  logs: 'logs',
  tasks: 'tasks',
};
const RECORD_FOLDERS = new Set(['logs', 'tasks', 'approvals', 'email']);

/** Does a path belong to what is searched? Case does not count, for disks on which it does not. */
export function isInScope(path: string, where: SearchQuery['in']): boolean {
  const [first = ''] = path.toLowerCase().split('/');
  const isInside = path.includes('/');
  if (where !== undefined) return isInside && first === FOLDERS[where];
  return !(isInside && RECORD_FOLDERS.has(first));
}
