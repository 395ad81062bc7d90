import {
  type Context,
  ctxTag,
  INTEGRITY,
  type Label,
  makeLabel,
  type Principal,
  privTag,
  type StoreReader,
} from '@agent-runtime/domain';
import type { Arrival } from '../api.ts';

/** Who speaks and where. */
export interface Whereabouts {
  readonly principal: Principal;
  /** Undefined: the channel is not bound. */
  readonly context: Context | undefined;
}

/** What is needed to know it; of an arrival, or of a question that a platform asks while somebody types. */
export interface Asked {
  readonly event: Pick<Arrival['event'], 'source' | 'channel' | 'sender' | 'movedFrom'>;
  readonly authenticated?: Arrival['authenticated'];
}

/** The immutable platform id decides who it is; a name never does. */
export async function whereabouts(read: StoreReader, arrival: Asked): Promise<Whereabouts> {
  const { event, authenticated } = arrival;
  if (authenticated !== undefined) {
    return {
      principal: authenticated.principal,
      context: await read.get('context', { id: authenticated.context }),
    };
  }
  const [connector, account] = splitSource(event.source);
  // A place that moved is still bound by the id that it had before.
  const channel = event.movedFrom ?? event.channel.id;
  const context = await read.get('context', { connector, account, channel });
  const identity = await read.get('identity_link', { connector, externalId: event.sender.id });
  const user = identity === undefined ? undefined : await read.get('identity_user', { id: identity.user });
  const principal: Principal =
    user?.isActive === true
      ? { kind: 'user', user: user.id }
      : { kind: 'guest', connector, sender: event.sender.id };
  return { principal, context };
}

/** `<connector>:<account>`; an account may hold colons. */
export function splitSource(source: string): readonly [connector: string, account: string] {
  const colon = source.indexOf(':');
  return colon < 0 ? [source, ''] : [source.slice(0, colon), source.slice(colon + 1)];
}

/** A person's own words are a member's at most; what a stranger or a bot says or somebody passes on is from outside. They belong to their place. */
export function labelOfMessage(arrival: Arrival, principal: Principal, context: Context): Label {
  const isOutside = principal.kind === 'guest' || arrival.event.isRelayed || arrival.event.sender.isBot;
  const audience = [ctxTag(context.workspace, context.id)];
  if (context.directWith !== undefined) audience.push(privTag(context.directWith));
  return makeLabel(isOutside ? INTEGRITY.outside : INTEGRITY.member, audience);
}
