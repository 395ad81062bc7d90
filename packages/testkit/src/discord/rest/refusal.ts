import type { Fields } from '../world/wire.ts';

/** Something wrong with a body: where, the platform's code, and words. */
export interface Problem {
  /** Members from the outside in, e.g. `['embeds', '0', 'title']`. */
  readonly at: readonly string[];
  readonly code: string;
  readonly message: string;
}

/** An answer that says no, as the platform words it. */
export class Refusal extends Error {
  readonly status: number;
  readonly body: Fields;

  constructor(status: number, code: number, message: string, more: Fields = {}) {
    super(message);
    this.name = 'Refusal';
    this.status = status;
    this.body = { message, code, ...more };
  }
}

/** The refusals that more than one route gives, by what happened. */
export const refusals = {
  unauthorized: () => new Refusal(401, 0, '401: Unauthorized'),
  missingAccess: () => new Refusal(403, 50001, 'Missing Access'),
  notYours: () => new Refusal(403, 50005, 'Cannot edit a message authored by another user'),
  unknownChannel: () => new Refusal(404, 10003, 'Unknown Channel'),
  unknownGuild: () => new Refusal(404, 10004, 'Unknown Guild'),
  unknownMember: () => new Refusal(404, 10007, 'Unknown Member'),
  unknownMessage: () => new Refusal(404, 10008, 'Unknown Message'),
  unknownUser: () => new Refusal(404, 10013, 'Unknown User'),
  unknownWebhook: () => new Refusal(404, 10015, 'Unknown Webhook'),
  unknownInteraction: () => new Refusal(404, 10062, 'Unknown interaction'),
  unknownCommand: () => new Refusal(404, 10063, 'Unknown application command'),
  alreadyAnswered: () => new Refusal(400, 40060, 'Interaction has already been acknowledged.'),
  emptyMessage: () => new Refusal(400, 50006, 'Cannot send an empty message'),
  badToken: () => new Refusal(401, 50027, 'Invalid Webhook Token'),
  badBody: (problems: readonly Problem[]) =>
    new Refusal(400, 50035, 'Invalid Form Body', { errors: nested(problems) }),
} as const;

/** The platform's nested form: `{embeds: {0: {title: {_errors: [...]}}}}`. */
function nested(problems: readonly Problem[]): Fields {
  const root: Record<string, unknown> = {};
  for (const { at, code, message } of problems) {
    let here = root;
    for (const name of at) {
      here[name] ??= {};
      here = here[name] as Record<string, unknown>; // safe: only objects are put there
    }
    const list = (here._errors ?? []) as Fields[]; // safe: only lists are put there
    here._errors = [...list, { code, message }];
  }
  return root;
}
