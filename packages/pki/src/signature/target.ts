import { COMPONENTS } from './profile.ts';

/** Where a request goes, as written on the wire: no decoding, no tidying. */
export interface RequestTarget {
  /** Upper case, e.g. `POST`. */
  readonly method: string;
  /** The request target up to the first `?`, e.g. `/admin/v1/approvals`. */
  readonly path: string;
  /** The rest with its `?`, e.g. `?limit=5`; the empty string when there is none. A lone `?` is refused. */
  readonly query: string;
  /**
   * The host (and port, unless 443) the client meant. A verifier passes a name it knows to be its own, never an
   * unchecked Host header; on the unix socket both sides pass SOCKET_AUTHORITY.
   */
  readonly authority: string;
}

// Printable ASCII without space: a line break here would let a signer write lines of the signature base.
const METHOD = /^[A-Z]{1,20}$/;
const PATH = /^\/[!-"$->@-~]*$/;
const QUERY = /^(?:\?[!-"$-~]+)?$/;
const AUTHORITY = /^(?:[a-z0-9][a-z0-9.-]*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/;
const DEFAULT_PORT = /:443$/;

/** A target whose parts are known to fit on one line each, authority in its normal form. */
export type CheckedTarget = RequestTarget & { readonly checked: true };

/** @returns undefined when a part has a form that no client of ours sends */
export function checkTarget(target: RequestTarget): CheckedTarget | undefined {
  const { method, path, query } = target;
  const authority = target.authority.toLowerCase().replace(DEFAULT_PORT, '');
  const fits = METHOD.test(method) && PATH.test(path) && QUERY.test(query) && AUTHORITY.test(authority);
  return fits ? { method, path, query, authority, checked: true } : undefined;
}

/** What the signature is made over. `parameters` is the @signature-params value. Source: RFC 9421 section 2.5. */
export function signatureBase(
  target: CheckedTarget,
  fields: { readonly contentDigest: string; readonly bootId: string; readonly parameters: string },
): Uint8Array {
  const values = [
    target.method,
    target.authority,
    target.path,
    target.query === '' ? '?' : target.query, // RFC 9421 section 2.2.7: an absent query is a lone "?"
    fields.contentDigest,
    fields.bootId,
  ];
  const lines = COMPONENTS.map((name, index) => `"${name}": ${values[index]}`);
  return new TextEncoder().encode([...lines, `"@signature-params": ${fields.parameters}`].join('\n'));
}
