import { z } from 'zod';
import { isSlug } from '../base/index.ts';
import { ROLES } from '../identity/index.ts';

/** An id or a unique prefix of one, at least 4 characters. */
export const idInput = z.string().trim().min(4).max(80);
/** Workspace or context name. */
export const slugInput = z.string().refine(isSlug, 'use 1 to 48 of a-z, 0-9 and hyphens inside');
/** A user's short name or id. */
export const userInput = z.string().trim().min(1).max(80);
/** Rows of a list, newest first unless said otherwise. Query texts are turned into numbers. */
export const limitInput = z.coerce.number().int().min(1).max(500).default(50);
/** Go on after this row of the page before: its id. */
export const beforeInput = idInput.optional();
/** Rows of the inbox: whoever decides by risk and age must see them all. */
export const inboxLimitInput = z.coerce.number().int().min(1).max(1_000).default(50);
/** One line that people read. */
export const titleInput = z.string().trim().min(1).max(120);

export const roleSchema = z.enum(ROLES);
/** `*`, `ws:A`, `ctx:A/c`, …, see `formatScope`. */
export const scopeSchema = z.string().min(1).max(200);

/** What a change answers when there is nothing more to say than that it happened. */
export const doneSchema = z.strictObject({ ok: z.literal(true), message: z.string() });
export type Done = z.infer<typeof doneSchema>;

/** A list on the wire. */
export function listOf<S extends z.ZodType>(item: S): z.ZodObject<{ items: z.ZodArray<S> }> {
  return z.object({ items: z.array(item) });
}

/** The empty request. */
export const nothing = z.strictObject({});
/** A request that names one thing. */
export const byId = z.strictObject({ id: idInput });
