import { z } from 'zod';
import { doneSchema, idInput, listOf, nothing, titleInput, userInput } from './admin-parts.ts';
import type { AdminRoute } from './admin-route.ts';
import { instantSchema } from './parts.ts';

export const certificateRowSchema = z.strictObject({
  /** Serial number, lower-case hex. */
  id: z.string(),
  key_id: z.string(),
  user: z.string(),
  /** SHA-256 of the CA's certificate, hex. */
  issuer: z.string(),
  created_at: instantSchema,
  expires_at: instantSchema,
  revoked_at: instantSchema.optional(),
});
export type CertificateRow = z.infer<typeof certificateRowSchema>;

/** One CA that client certificates are checked against. */
export const caRowSchema = z.strictObject({
  fingerprint: z.string(),
  /** The one that issues; the others only check what they issued before a rollover. */
  is_current: z.boolean(),
  expires_at: instantSchema,
});
export type CaRow = z.infer<typeof caRowSchema>;

const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/, 'use base64url');
const pem = z.string().max(20_000);

/** What a client keeps: its own certificate, then the CAs it may trust, the current one first. */
const credentials = {
  certificate: pem,
  authorities: z.array(pem).min(1),
  expires_at: instantSchema,
};

/** How a client comes in, and what it proves itself with. */
export const ENROLMENT_ROUTES = {
  'invite.create': {
    method: 'POST',
    path: '/invite',
    summary: 'A one-time code with which one person enrols one client key.',
    input: z.strictObject({ user: userInput.optional() }),
    reply: z.strictObject({ code: z.string(), user: z.string(), expires_at: instantSchema }),
    unsigned: true,
  },
  'key.enrol': {
    method: 'POST',
    path: '/enrol',
    summary: 'Register a client key by an invite and get its certificate. The code is proved, never sent.',
    input: z.strictObject({
      invite_id: idInput,
      /** base64url of a PKCS#10 request, DER; only its key counts. */
      request: base64url.max(4_000),
      proof: base64url.max(100),
      name: titleInput,
    }),
    reply: z.strictObject({
      key_id: z.string(),
      user: z.string(),
      user_id: z.string(),
      instance_id: z.string(),
      /** Where the admin API listens with TLS; absent when it does not. */
      admin_url: z.string().optional(),
      ...credentials,
      /** The server knows the code and gave out exactly these certificates. */
      proof: base64url,
    }),
    unsigned: true,
  },
  'certificate.list': {
    method: 'GET',
    path: '/certificate',
    summary: 'Client certificates, newest first, and the CAs that count.',
    input: nothing,
    reply: listOf(certificateRowSchema).extend({
      authorities: z.array(caRowSchema),
      /** What ends soon, and what to do about it. */
      alarms: z.array(z.string()),
    }),
  },
  'certificate.renew': {
    method: 'POST',
    path: '/certificate/renew',
    summary:
      'A new certificate for the key that signs this: over TLS before the old one is over, over the socket also after.',
    input: z.strictObject({ request: base64url.max(4_000) }),
    reply: z.strictObject(credentials),
  },
  'certificate.revoke': {
    method: 'DELETE',
    path: '/certificate/:id',
    summary: 'End a certificate at once. Its key stays; `key revoke` ends that.',
    input: z.strictObject({ id: idInput }),
    reply: certificateRowSchema,
  },
  'certificate.rotate_ca': {
    method: 'POST',
    path: '/certificate/ca',
    summary: 'A new CA issues from now on; the old one is believed until its certificates are over.',
    input: z.strictObject({
      /** The old CA's key is lost or stolen: everybody enrols again. */
      distrust_old: z.boolean().default(false),
    }),
    reply: doneSchema.extend({ authorities: z.array(caRowSchema) }),
  },
} as const satisfies Record<string, AdminRoute>;
