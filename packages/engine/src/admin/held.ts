import type {
  FindOptions,
  Store,
  StoreReader,
  StoreTx,
  TableName,
  Tables,
  Where,
} from '@agent-runtime/domain';

/** A row as it reads while a revocation is held: with these fields changed, or not there. */
export type HeldRow = {
  readonly [T in TableName]: {
    readonly table: T;
    readonly id: string;
    readonly change: Partial<Tables[T]> | 'gone';
  };
}[TableName];

/** Revocations that the disk refused: they count at once, for all who read or write through this, until this process ends. */
export interface HeldRevocations extends Pick<Store, 'read' | 'commit'> {
  /** What is written, without what is held: a revocation that is repeated still finds its row. */
  readonly stored: StoreReader;
  hold(rows: readonly HeldRow[]): void;
  /** They are written now. */
  release(rows: readonly HeldRow[]): void;
}

type Held = Map<TableName, Map<string, HeldRow['change']>>;

/**
 * Lets what is held read as revoked, in transactions too: else a key that is revoked in memory alone would still sign.
 * Memory grows by one entry for each row. While a table has one, its queries read it whole; these tables are small.
 */
export function holdRevocations(store: Pick<Store, 'read' | 'commit'>): HeldRevocations {
  const held: Held = new Map();
  return {
    read: { ...store.read, ...throughHeld(held, store.read) },
    commit: (audit, body) =>
      store.commit(audit, (tx): ReturnType<typeof body> => {
        const seen: StoreTx = { ...tx, ...throughHeld(held, tx) };
        return body(seen);
      }),
    stored: store.read,
    hold: (rows) => {
      for (const { table, id, change } of rows) {
        const own = held.get(table) ?? new Map<string, HeldRow['change']>();
        held.set(table, own.set(id, change));
      }
    },
    release: (rows) => {
      for (const { table, id } of rows) {
        const own = held.get(table);
        own?.delete(id);
        if (own?.size === 0) held.delete(table);
      }
    },
  };
}

function throughHeld(held: Held, reader: StoreReader): Pick<StoreReader, 'get' | 'find' | 'count'> {
  const find = async <T extends TableName>(
    table: T,
    where: Where<Tables[T]>,
    options: FindOptions<Tables[T]> = {},
  ): Promise<readonly Tables[T][]> => {
    const own = held.get(table);
    if (own === undefined) return reader.find(table, where, options);
    const { limit, ...order } = options;
    // What is held changes which rows fit, so the conditions are asked again, of the rows as they read now.
    const rows = await reader.find(table, {}, order);
    return rows
      .flatMap((row) => seen(own, row))
      .filter((row) => fits(row, where))
      .slice(0, limit);
  };
  return {
    find,
    get: async (table, where) =>
      held.has(table) ? (await find(table, where, { limit: 1 }))[0] : reader.get(table, where),
    count: async (table, where) =>
      held.has(table) ? (await find(table, where)).length : reader.count(table, where),
  };
}

function seen<Row extends object>(own: ReadonlyMap<string, HeldRow['change']>, row: Row): readonly Row[] {
  const change = 'id' in row && typeof row.id === 'string' ? own.get(row.id) : undefined;
  if (change === undefined) return [row];
  return change === 'gone' ? [] : [{ ...row, ...change }];
}

/** As the database compares: `undefined` asks for what has no value. */
function fits<Row extends object>(row: Row, where: Where<Row>): boolean {
  const values = row as Readonly<Record<string, unknown>>; // safe: only looked at
  return Object.entries(where).every(([name, wanted]) => isAsked(values[name], wanted));
}

function isAsked(value: unknown, wanted: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null) return value === wanted;
  return Object.entries(wanted).every(([operator, other]) => compares(value, operator, other));
}

function compares(value: unknown, operator: string, other: unknown): boolean {
  if (operator === 'isNull') return (value === undefined) === other;
  if (operator === 'in') return Array.isArray(other) && other.includes(value);
  if (typeof value === 'number' && typeof other === 'number') return isOrdered(value, operator, other);
  return typeof value === 'string' && typeof other === 'string' && isOrdered(value, operator, other);
}

function isOrdered<V extends string | number>(value: V, operator: string, other: V): boolean {
  switch (operator) {
    case 'lt':
      return value < other;
    case 'lte':
      return value <= other;
    case 'gt':
      return value > other;
    default:
      return operator === 'gte' && value >= other;
  }
}
