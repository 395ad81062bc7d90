import { type AdminRoute, AppError, hasEtag } from '@agent-runtime/domain';
import type { Context } from 'hono';

// Source: RFC 9110 section 8.8.3. Ours are strong: equal tags are equal answers.
const quoted = (etag: string): string => `"${etag}"`;

/**
 * Answers with the version of the thing as its `ETag`, and with 304 when the asker says that it has this one already.
 * Unsigned as it is, `If-None-Match` can only keep an answer back, which whoever could change it can do anyway.
 */
export function answerTagged(c: Context, route: AdminRoute, answer: object): Response {
  if (!hasEtag(route) || !('etag' in answer) || typeof answer.etag !== 'string') return c.json(answer);
  c.header('etag', quoted(answer.etag));
  const known = c.req.header('if-none-match');
  const isKnown = route.method === 'GET' && known !== undefined && names(known, answer.etag);
  return isKnown ? c.body(null, 304) : c.json(answer);
}

/** Weak comparison, as RFC 9110 section 13.1.2 wants it here. Our tags hold no comma, so others need no parser. */
function names(list: string, etag: string): boolean {
  const tags = list.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(quoted(etag));
}

/**
 * Refuses an `If-Match` that the signed body does not say as well. Taken at its word it would be a condition that
 * anybody on the way can take off or change; ignored, its sender would believe in a protection that is not there.
 * @throws AppError admin.match.invalid
 */
export function requireSignedMatch(c: Context, parsed: object): void {
  const header = c.req.header('if-match');
  if (header === undefined) return;
  const signed = 'if_match' in parsed ? parsed.if_match : undefined;
  if (typeof signed === 'string' && header.trim() === quoted(signed)) return;
  throw new AppError({
    code: 'admin.match.invalid',
    kind: 'invalid',
    message:
      'The signature does not cover the header If-Match. Give the etag as `if_match` in the body, and in the header the same one or none.',
  });
}
