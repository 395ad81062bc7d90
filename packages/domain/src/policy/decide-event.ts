import { UNBOUND } from './decide-task.ts';
import { type Decision, deny, permit, type TakenKind } from './decision.ts';
import type { PolicyRequest, PolicyRules } from './request.ts';

type Of<A extends PolicyRequest['action']> = Extract<PolicyRequest, { action: A }>;

/**
 * What an event may come to at most, for every kind in one place. It gives no right by itself: a command, a wish for work and the press of
 * a button are each decided by their own rule afterwards. What is unknown is denied.
 */
export function decideEvent(request: Of<'ingest.take'>, rules: PolicyRules): Decision {
  if (rules.context === undefined || rules.settings === undefined) return deny('policy.unbound', UNBOUND);
  switch (request.kind) {
    case 'message':
    case 'command':
      return decideWords(request);
    case 'edit':
      return take('words', 'The new words of an old message are kept; they start and order nothing.');
    case 'button':
      return isPerson(request.principal) && !request.isBot && !request.isRelayed
        ? take('press', 'A person may press what is shown to them; what the button does is decided then.')
        : deny('policy.person', 'Buttons are for people who press them themselves.');
    case 'reaction':
    case 'member':
    case 'moved':
      return take('fact', 'A fact about the place.');
    default:
      request.kind satisfies never;
      return deny('policy.unknown', 'Denied: nothing is known of this kind of event.');
  }
}

/** Tokens and services press nothing. */
function isPerson({ kind }: Of<'ingest.take'>['principal']): boolean {
  return kind === 'user' || kind === 'guest';
}

function decideWords(request: Of<'ingest.take'>): Decision {
  // Compared with `false`: what is not known counts as the worse.
  if (request.isBot !== false) return take('words', 'What machines say is only kept.');
  if (request.door !== 'chat' || request.isRelayed !== false)
    return take('ask', 'Words that may ask for work; they are no command.');
  return take('order', 'Fresh words of a sender.');
}

function take(as: TakenKind, text: string): Decision {
  return permit('policy.event', text, { kind: 'take', as });
}
