import type { Context } from '@agent-runtime/domain';

/** The account of a direct talk that left its channel. Accounts come from the configuration of connectors, so nothing ever arrives at it. */
export function retiredAccount(context: Pick<Context, 'id'>): string {
  return `retired:${context.id}`;
}
