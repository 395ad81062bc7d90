import { missing } from './find.ts';

interface Row {
  readonly id: string;
  readonly createdAt: number;
}

/** How a list is read, newest first. */
export interface PageSource<R extends Row> {
  /** What a row is called in the refusal. */
  readonly noun: string;
  get(id: string): Promise<R | undefined>;
  /** May the asker know of this row? One that is not for them is answered as one that never was. */
  isVisible(row: R): boolean | Promise<boolean>;
  /** @param from only rows that are not younger than this */
  find(from: { readonly createdAt?: { readonly lte: number } }): Promise<readonly R[]>;
}

/**
 * The part of a list that stands below a row.
 * @param before id of the last row of the page before; undefined: from the newest on
 * @throws AppError admin.id.missing (no such row, or none for the asker: same text)
 */
export async function pageOf<R extends Row>(
  source: PageSource<R>,
  before: string | undefined,
): Promise<readonly R[]> {
  if (before === undefined) return source.find({});
  const last = await source.get(before);
  if (last === undefined || !(await source.isVisible(last))) throw missing(source.noun, before);
  // Rows of one instant stand in one order as long as nothing is added to that instant.
  const rows = await source.find({ createdAt: { lte: last.createdAt } });
  return rows.slice(rows.findIndex((row) => row.id === before) + 1);
}
