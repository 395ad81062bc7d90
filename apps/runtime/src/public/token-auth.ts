import {
  AppError,
  type Clock,
  type HttpToken,
  isUsable,
  type StoreReader,
  sha256,
} from '@agent-runtime/domain';

/** Secrets of HTTP tokens look like `art_` and 32 characters or more of base64url. */
const BEARER = /^Bearer (art_[A-Za-z0-9_-]{20,200})$/;

/**
 * Finds the token of a request. The secret is looked up by its SHA-256: the database never compares secrets, so timing tells nothing.
 * Revocation counts at once, for each request reads the row again.
 * @throws AppError public.token.unauthenticated, the same text for unknown, expired and revoked ones
 */
export async function authenticate(
  authorization: string | undefined,
  read: StoreReader,
  clock: Clock,
): Promise<HttpToken> {
  const secret = BEARER.exec(authorization ?? '')?.[1];
  const token =
    secret === undefined ? undefined : await read.get('identity_token', { secretHash: sha256(secret) });
  if (token === undefined || !isUsable(token, clock.nowMs())) throw unauthenticated();
  const owner = await read.get('identity_user', { id: token.owner });
  if (owner?.isActive !== true) throw unauthenticated();
  return token;
}

function unauthenticated(): AppError {
  return new AppError({
    code: 'public.token.unauthenticated',
    kind: 'unauthenticated',
    message:
      'Send a valid token as "Authorization: Bearer art_…". An admin makes one with `agent-runtime token create`.',
  });
}
