import type { HubRow } from '@agent-runtime/domain';

/** Whose texts a hub shows, with the number of those that the asker may not know of. */
export function clearedText({ cleared_for: known, cleared_more: more }: HubRow): string {
  const names = [...known, ...(more === 0 ? [] : [`${more} more`])];
  return names.length === 0 ? '-' : names.join(', ');
}
