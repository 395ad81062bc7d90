import { type InteractionRecord, TOKEN_MS } from '../world/interactions.ts';
import { editMessage, removeMessage } from '../world/messages.ts';
import { restMessage } from '../world/visible.ts';
import { MESSAGE_FLAGS, type WireMessage } from '../world/wire.ts';
import type { MessageRecord } from '../world/world.ts';
import { bodyOf, param } from './access.ts';
import type { Answer, DiscordCall } from './call.ts';
import { speak } from './interaction-routes.ts';
import { changedMessage, newMessage } from './message-body.ts';
import { refusals } from './refusal.ts';
import type { Handler, RestContext, Routes } from './router.ts';

const HOOK = '/webhooks/{webhook_id}/{webhook_token}';

/** What an interaction's token is good for, for fifteen minutes: its first message, and more. */
export const webhookRoutes: Routes = {
  [`POST ${HOOK}`]: (call, context) => {
    const interaction = hooked(call, context);
    const { original } = interaction;
    // The first one after a deferral fills the message that was promised.
    if (interaction.isLoading && original !== undefined) return edit(interaction, original, call, context);
    const record = speak(interaction, newMessage(bodyOf(call), call, context), context, original);
    interaction.followUps.push(record);
    return { status: 200, body: restMessage(context.world, record.wire) };
  },
  ...each(`${HOOK}/messages/@original`, ({ original }) => original),
  ...each(`${HOOK}/messages/{message_id}`, (interaction, call) =>
    [interaction.original, ...interaction.followUps].find(
      (one) => one?.wire.id === param(call, 'message_id'),
    ),
  ),
};

type Find = (interaction: InteractionRecord, call: DiscordCall) => MessageRecord | undefined;

/** Read, change and delete one message of an interaction. */
function each(path: string, find: Find): Routes {
  const on =
    (
      act: (interaction: InteractionRecord, record: MessageRecord, ...rest: Parameters<Handler>) => Answer,
    ): Handler =>
    (call, context) => {
      const interaction = hooked(call, context);
      const record = find(interaction, call);
      if (record === undefined || record.deletedAtMs !== undefined) throw refusals.unknownMessage();
      return act(interaction, record, call, context);
    };
  return {
    [`GET ${path}`]: on((_interaction, record, _call, { world }) => ({
      status: 200,
      body: restMessage(world, record.wire),
    })),
    [`PATCH ${path}`]: on(edit),
    [`DELETE ${path}`]: on((_interaction, record, _call, { world }) => {
      removeMessage(world, record);
      return { status: 204 };
    }),
  };
}

/** @throws Refusal when there is no such token, nothing was answered yet, or its time is over */
function hooked(call: DiscordCall, { world, interactions }: RestContext): InteractionRecord {
  const interaction = interactions.byToken(param(call, 'webhook_token'));
  if (interaction === undefined || param(call, 'webhook_id') !== world.applicationId)
    throw refusals.unknownWebhook();
  if (world.clock.nowMs() - interaction.createdAtMs > TOKEN_MS) throw refusals.badToken();
  if (interaction.answer === undefined) throw refusals.unknownWebhook();
  return interaction;
}

function edit(
  interaction: InteractionRecord,
  record: MessageRecord,
  call: DiscordCall,
  context: RestContext,
): Answer {
  const change = changedMessage(bodyOf(call), call, context);
  const flags = (change.flags ?? record.wire.flags) & ~MESSAGE_FLAGS.loading;
  // Whether only one user sees it was settled when it was made.
  const kept = flags | (record.wire.flags & MESSAGE_FLAGS.ephemeral);
  const wire: WireMessage = editMessage(context.world, record, { ...change, flags: kept });
  if (record === interaction.original) interaction.isLoading = false;
  return { status: 200, body: restMessage(context.world, wire) };
}
