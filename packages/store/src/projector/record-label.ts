import { join, type Label, makeLabel, parseAudienceTag } from '@agent-runtime/domain';
import { parseRecordFile } from './state-file.ts';

/** Folders that only the projector writes. */
export function isRecordPath(path: string): boolean {
  return /^(?:logs|tasks|approvals)\//i.test(path);
}

/**
 * Label of a projected file: the join of its records. Whatever in it is not ours, an edit or an addition, makes it outside text.
 * @param audience of the workspace, which every record has at least
 */
export function labelOfRecords(text: string, key: Uint8Array, audience: Label['audience']): Label {
  const { records, foreignLines } = parseRecordFile(text, key);
  const labels = records.map(({ head }) => labelOfHead(head.label));
  const base = makeLabel(foreignLines > 0 || records.length === 0 ? 0 : 1, audience);
  return join(base, ...labels);
}

/** The label as a record's head holds it; anything unclear is outside text. */
export function labelOfHead(value: unknown): Label {
  if (typeof value !== 'object' || value === null || !('integrity' in value) || !('audience' in value))
    return makeLabel(0);
  const { integrity, audience } = value;
  if (!Array.isArray(audience)) return makeLabel(0);
  const level = integrity === 1 || integrity === 2 || integrity === 3 ? integrity : 0;
  return makeLabel(
    level,
    audience.map((tag) => parseAudienceTag(String(tag))),
  );
}
