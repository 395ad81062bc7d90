import { SCHEMA_1 } from './schema-1.ts';

/** One step of the schema, forward only. */
export interface Migration {
  readonly version: number;
  /** SQL without parameters, run inside one transaction. */
  readonly sql: string;
}

/** Every version ever released, oldest first, numbered 1, 2, 3, …. */
export const MIGRATIONS: readonly Migration[] = [{ version: 1, sql: SCHEMA_1 }];
