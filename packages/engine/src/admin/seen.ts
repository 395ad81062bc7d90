import { type SeenPlace, type SeenRow, type StoreReader, toInstant } from '@agent-runtime/domain';
import { EVERYTHING, type Viewer } from './authorize.ts';

/** A list for people. */
const MOST = 500;

/** Places that are bound to nothing, the newest first. They belong to no workspace, so only who may read everything sees them. */
export async function unboundPlaces(reader: StoreReader, viewer: Viewer): Promise<SeenRow[]> {
  if (!viewer.may('context.read', EVERYTHING)) return [];
  const places = await reader.find(
    'context_seen',
    {},
    { orderBy: 'lastSeenAt', direction: 'desc', limit: MOST },
  );
  return places.map(seenRow);
}

function seenRow(place: SeenPlace): SeenRow {
  return {
    connector: place.connector,
    account: place.account,
    channel: place.channel,
    kind: place.kind,
    title: place.title,
    group: place.within,
    first_seen_at: toInstant(place.firstSeenAt),
    last_seen_at: toInstant(place.lastSeenAt),
    is_gone: place.isGone,
  };
}
