import { AppError } from '@agent-runtime/domain';

/** The store, or a stop that ends: offered again, the same event fares better. */
const PASSES = ['database.', 'ingest.halt.', 'ingest.drain.'];

/**
 * A failure that is an answer in words. The others are thrown on, and then the event is offered again: that is for what passes by itself, and
 * for our own mistakes, which connectors count. A cause that lasts would have the event, and all behind it, wait for ever.
 */
export function isWords(thrown: unknown): thrown is AppError {
  if (!(thrown instanceof AppError) || thrown.kind === 'bug') return false;
  return thrown.kind !== 'unavailable' || !PASSES.some((start) => thrown.code.startsWith(start));
}
