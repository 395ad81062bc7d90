import {
  type Clearance,
  type Connector,
  type Context,
  clearanceOf,
  type Door,
  type Draft,
  type Effect,
  type EffectBytes,
  effectDigest,
  type FilteredReply,
  filterReply,
  INTEGRITY,
  type Label,
  type Principal,
  publicLabel,
  type RunId,
  type TaskId,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { EFFECT_KIND } from './kind.ts';
import { renderDraft } from './make.ts';

export interface ReplyInput {
  readonly context: Context;
  readonly requester: Principal;
  readonly draft: Draft;
  readonly label: Label;
  /** URLs that may stay links, see `filterReply`. */
  readonly trustedUrls: ReadonlySet<string>;
  readonly kind: 'reply' | 'notice' | 'card' | 'mirror';
  /** Of the admin hub at this place, for a card; else what the context is cleared for. */
  readonly clearance?: Clearance | undefined;
  /** How the question came in: whoever asked at the command line or over HTTP fetches what belongs to it, in every context. */
  readonly door?: Door | undefined;
  readonly task?: TaskId | undefined;
  readonly run?: RunId | undefined;
}

export interface Reply {
  /** To insert in the caller's own commit; `done` already where the door fetches its answers. */
  readonly effect: Effect;
  /** The text as people see it: filtered, or the fixed refusal. */
  readonly text: string;
}

/**
 * The one effect of an answer (class E0): filtered, rendered, permitted. The row is not written here, so that it can enter the
 * same commit as the message it stands for. Splitting long texts is the connector's `render`.
 * @throws AppError effect.payload.invalid for an empty text
 */
export function replyEffect(
  deps: Pick<EngineDeps, 'connectors' | 'clock' | 'ids'>,
  input: ReplyInput,
): Reply {
  const { context, draft, kind } = input;
  const nowMs = deps.clock.nowMs();
  const id = deps.ids.make('effect');
  const shown = filterReply({
    text: draft.text,
    label: input.label,
    clearance: input.clearance ?? clearanceOf(context),
    trustedUrls: input.trustedUrls,
  });
  const connector = connectorOf(deps.connectors, context);
  const fetchedAt = fetchingDoor(input.door);
  const isPushed = fetchedAt === undefined && connector?.delivery === 'push';
  // A door that nobody serves any more cannot show the answer; the row says so instead of claiming it was shown.
  const isServed = connector !== undefined || fetchedAt !== undefined;
  const isLost = !isServed && context.kind !== 'http' && context.kind !== 'cli';
  const bytes: EffectBytes = {
    kind: EFFECT_KIND[kind],
    // An answer that is fetched names its own door, so that no row of it could ever be delivered to the channel.
    sink: {
      connector: fetchedAt ?? context.connector,
      account: context.account,
      address: context.channel,
    },
    recipients: [context.channel],
    payloads:
      connector === undefined || !isPushed
        ? [{ text: shown.text }]
        : renderDraft(connector, context.channel, draftOf(draft, shown), { id, nowMs }),
  };
  const effect: Effect = {
    ...bytes,
    id,
    class: 'E0',
    workspace: context.workspace,
    context: context.id,
    task: input.task,
    run: input.run,
    requester: input.requester,
    // The fixed refusal says nothing of the text it stands for.
    label: shown.kind === 'withheld' ? publicLabel(INTEGRITY.staff) : input.label,
    digest: effectDigest(bytes),
    state: isPushed ? 'approved' : isLost ? 'rejected' : 'done',
    decision: 'permit',
    summary: `${SUMMARY[kind]} to ${bytes.sink.connector}/${context.channel}`,
    createdAt: nowMs,
    notBefore: 0,
    attempts: 0,
    receipts: [],
    settledAt: isPushed ? undefined : nowMs,
    error: isLost ? NO_DOOR : undefined,
  };
  return { effect, text: shown.text };
}

/** The fixed refusal comes alone: no button says yes to words that are not there. */
function draftOf(draft: Draft, shown: FilteredReply): Draft {
  const { text, kind } = shown;
  return kind === 'withheld' ? { text, replyTo: draft.replyTo, live: draft.live } : { ...draft, text };
}

/** The origin of a question is its door, not the channel whose context it looks into: nobody there has asked anything. */
export function fetchingDoor(door: Door | undefined): 'cli' | 'http' | undefined {
  return door === 'cli' || door === 'http' ? door : undefined;
}

/** The connector of a context's door, when this process has it. */
export function connectorOf(
  connectors: readonly Connector[],
  context: Pick<Context, 'connector' | 'account'>,
): Connector | undefined {
  return connectors.find((one) => one.name === context.connector && one.account === context.account);
}

const SUMMARY = { reply: 'Answer', notice: 'Notice', card: 'Card', mirror: 'Copy of a direct talk' } as const;

const NO_DOOR = {
  code: 'effect.sink.unavailable',
  kind: 'unavailable',
  message: 'The connector of this place is not configured any more.',
} as const;
