import { AppError, type Principal, principalKey } from '@agent-runtime/domain';
import type { Accepted, Arrival, EngineDeps } from '../api.ts';
import type { Orders } from './answer.ts';
import { mayBeCommand } from './arrival.ts';
import { type ChatCommand, parseCommand } from './command.ts';
import { markOf } from './place.ts';

/** The one order that no limit and no missing binding may keep from a person. */
export function isPanicOrder(command: ChatCommand, principal: Principal): boolean {
  return principal.kind === 'user' && command.name === 'panic' && command.rest === 'on';
}

/**
 * `/panic on` where nothing is bound: who it is is known by the platform's id, and staff of any place may stop everything.
 * @returns undefined when it is not that, or not theirs: then it is a word in an unbound place like any other
 */
export async function panicAnywhere(
  deps: EngineDeps,
  orders: Pick<Orders, 'panicOn'>,
  arrival: Arrival,
  principal: Principal,
): Promise<Accepted | undefined> {
  if (!mayBeCommand(arrival)) return undefined;
  const parsed = parseCommand(arrival.event.text, deps.config.botName ?? '');
  if (parsed.kind !== 'command' || !isPanicOrder(parsed.command, principal)) return undefined;
  try {
    await orders.panicOn({ principal, via: 'chat' });
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'panic.on.denied') return undefined;
    throw thrown;
  }
  const audit = {
    action: 'ingest.command',
    actor: principalKey(principal),
    subject: `${arrival.event.source}:${arrival.event.externalId}`,
    data: { door: arrival.door, channel: arrival.event.channel.id },
    content: arrival.event.text,
  };
  // Marked after the act: a repeat once panic has ended must not stop everything again.
  await deps.store.commit(audit, (tx) =>
    tx.insert('ingest_event', markOf(deps, arrival, { outcome: 'command', reply: PANIC_IS_ON })),
  );
  return { outcome: 'command', isRepeat: false, reply: PANIC_IS_ON };
}

const PANIC_IS_ON = 'Panic is on: nothing runs and nothing is sent.';
