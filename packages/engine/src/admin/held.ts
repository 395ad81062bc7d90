import type { StoreReader, TableName, Tables } from '@agent-runtime/domain';

/** Revocations that the disk refused: they count at once, for all who read through `read`, until this process ends. */
export interface HeldRevocations {
  readonly read: StoreReader;
  hold(id: string, revokedAt: number): void;
}

const REVOCABLE: ReadonlySet<TableName> = new Set(['identity_token', 'identity_key', 'identity_certificate']);

/** Lets the keys and tokens that are held read as revoked. Memory grows by one entry for each. */
export function holdRevocations(read: StoreReader): HeldRevocations {
  const held = new Map<string, number>();
  const seen = <T extends TableName>(table: T, row: Tables[T]): Tables[T] => {
    if (held.size === 0 || !REVOCABLE.has(table)) return row;
    const known: { readonly id?: string; readonly revokedAt?: number } = row as object; // safe: those tables have these fields
    const revokedAt = known.revokedAt ?? held.get(known.id ?? '');
    return revokedAt === undefined ? row : { ...row, revokedAt };
  };
  return {
    read: {
      ...read,
      get: async (table, where) => {
        const row = await read.get(table, where);
        return row === undefined ? undefined : seen(table, row);
      },
      find: async (table, where, options) =>
        (await read.find(table, where, options)).map((row) => seen(table, row)),
    },
    hold: (id, revokedAt) => void held.set(id, revokedAt),
  };
}
