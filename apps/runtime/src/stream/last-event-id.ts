/**
 * The number in a `Last-Event-ID` header.
 * @returns 0 (everything) for an absent one and for one that is not ours: sending again is safe, leaving out is not
 */
export function lastEventId(header: string | undefined): number {
  return header !== undefined && /^\d{1,9}$/.test(header) ? Number(header) : 0;
}
