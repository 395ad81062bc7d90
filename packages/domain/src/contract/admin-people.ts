import { z } from 'zod';
import {
  byId,
  listOf,
  nothing,
  roleSchema,
  scopeSchema,
  slugInput,
  titleInput,
  userInput,
} from './admin-parts.ts';
import type { AdminRoute } from './admin-route.ts';
import { instantSchema } from './parts.ts';

export const grantRowSchema = z.strictObject({
  id: z.string(),
  principal: z.string(),
  name: z.string(),
  role: roleSchema,
  scope: scopeSchema,
  granted_by: z.string(),
  expires_at: instantSchema.optional(),
});
export type GrantRow = z.infer<typeof grantRowSchema>;

export const keyRowSchema = z.strictObject({
  id: z.string(),
  user: z.string(),
  name: z.string(),
  created_at: instantSchema,
  revoked_at: instantSchema.optional(),
});
export type KeyRow = z.infer<typeof keyRowSchema>;

export const identityRowSchema = z.strictObject({
  id: z.string(),
  connector: z.string(),
  external_id: z.string(),
  user: z.string(),
  display_name: z.string(),
  created_at: instantSchema,
});
export type IdentityRow = z.infer<typeof identityRowSchema>;

/** An outside account that waits for an admin; its code is never on the wire back. */
export const pairingRowSchema = z.strictObject({
  id: z.string(),
  connector: z.string(),
  external_id: z.string(),
  display_name: z.string(),
  created_at: instantSchema,
  expires_at: instantSchema,
});
export type PairingRow = z.infer<typeof pairingRowSchema>;

export const tokenRowSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  workspace: z.string(),
  context: z.string(),
  owner: z.string(),
  role: roleSchema.optional(),
  created_at: instantSchema,
  expires_at: instantSchema.optional(),
  revoked_at: instantSchema.optional(),
});
export type TokenRow = z.infer<typeof tokenRowSchema>;

export const userRowSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  display_name: z.string(),
  is_active: z.boolean(),
  created_at: instantSchema,
});
export type UserRow = z.infer<typeof userRowSchema>;

export const userDetailSchema = userRowSchema.extend({
  grants: z.array(grantRowSchema),
  keys: z.array(keyRowSchema),
  identities: z.array(identityRowSchema),
  tokens: z.array(tokenRowSchema),
});
export type UserDetail = z.infer<typeof userDetailSchema>;

/** In the body, never in an address: addresses are logged. */
const codeInput = z.string().trim().min(1).max(200);

/** People, roles and what they sign in with. */
export const PEOPLE_ROUTES = {
  'user.list': {
    method: 'GET',
    path: '/user',
    summary: 'People.',
    input: nothing,
    reply: listOf(userRowSchema),
  },
  'user.show': {
    method: 'GET',
    path: '/user/:id',
    summary: 'A person with grants, keys, identities and tokens.',
    input: z.strictObject({ id: userInput }),
    reply: userDetailSchema,
  },
  'user.add': {
    method: 'POST',
    path: '/user',
    summary: 'A new person without any role.',
    input: z.strictObject({ name: slugInput, display_name: titleInput.optional() }),
    reply: userRowSchema,
  },
  'user.offboard': {
    method: 'POST',
    path: '/user/:id/offboard',
    summary: 'Take every grant, key, token and identity away.',
    input: z.strictObject({ id: userInput }),
    reply: userDetailSchema,
  },
  'grant.list': {
    method: 'GET',
    path: '/grant',
    summary: 'Grants.',
    input: z.strictObject({ user: userInput.optional() }),
    reply: listOf(grantRowSchema),
  },
  'grant.who': {
    method: 'GET',
    path: '/grant/who',
    summary: 'Who has a role there, or who may do something there, and by which grant.',
    input: z.strictObject({
      scope: scopeSchema.default('*'),
      /** An admin verb, e.g. `label.approve`. */
      can: z.string().min(1).max(60).optional(),
    }),
    reply: listOf(grantRowSchema),
  },
  'grant.add': {
    method: 'POST',
    path: '/grant',
    summary: 'Give a role, never above your own.',
    input: z.strictObject({
      user: userInput,
      role: roleSchema,
      scope: scopeSchema,
      expires_at: instantSchema.optional(),
    }),
    reply: grantRowSchema,
  },
  'grant.rm': {
    method: 'DELETE',
    path: '/grant/:id',
    summary: 'Take a role away.',
    input: byId,
    reply: grantRowSchema,
  },
  'token.list': {
    method: 'GET',
    path: '/token',
    summary: 'HTTP tokens.',
    input: nothing,
    reply: listOf(tokenRowSchema),
  },
  'token.create': {
    method: 'POST',
    path: '/token',
    summary: 'A token with a closed context of its own. The secret is in this answer and nowhere else.',
    input: z.strictObject({
      name: titleInput,
      workspace: slugInput.optional(),
      role: z.enum(['viewer', 'member']).default('member'),
      expires_at: instantSchema.optional(),
    }),
    reply: tokenRowSchema.extend({ secret: z.string() }),
  },
  'token.revoke': {
    method: 'DELETE',
    path: '/token/:id',
    summary: 'End a token at once.',
    input: byId,
    reply: tokenRowSchema,
  },
  'key.list': {
    method: 'GET',
    path: '/key',
    summary: 'Client keys.',
    input: nothing,
    reply: listOf(keyRowSchema),
  },
  'key.revoke': {
    method: 'DELETE',
    path: '/key/:id',
    summary: 'End a client key at once.',
    input: byId,
    reply: keyRowSchema,
  },
  'identity.list': {
    method: 'GET',
    path: '/identity',
    summary: 'Linked outside accounts.',
    input: z.strictObject({ user: userInput.optional() }),
    reply: listOf(identityRowSchema),
  },
  'identity.unlink': {
    method: 'DELETE',
    path: '/identity/:id',
    summary: 'The account is nobody again.',
    input: byId,
    reply: identityRowSchema,
  },
  'pair.list': {
    method: 'GET',
    path: '/pair',
    summary: 'Outside accounts that wait to be linked, oldest first.',
    input: nothing,
    reply: listOf(pairingRowSchema),
  },
  'pair.show': {
    method: 'POST',
    path: '/pair/show',
    summary: 'Who a pairing code belongs to.',
    input: z.strictObject({ code: codeInput }),
    reply: pairingRowSchema,
  },
  'pair.approve': {
    method: 'POST',
    path: '/pair/approve',
    summary: 'Link the account of a code with a person and give a role, never above your own.',
    input: z.strictObject({
      code: codeInput,
      user: userInput,
      create_user: z.boolean().default(false),
      role: roleSchema,
      scope: scopeSchema,
      expires_at: instantSchema.optional(),
    }),
    reply: identityRowSchema,
  },
  'pair.deny': {
    method: 'DELETE',
    path: '/pair/:id',
    summary: 'Send a pairing away; its code ends.',
    input: byId,
    reply: pairingRowSchema,
  },
  'identity.whoami': {
    method: 'GET',
    path: '/whoami',
    summary: 'Who signs, with which grants.',
    input: nothing,
    reply: userDetailSchema,
  },
} as const satisfies Record<string, AdminRoute>;
