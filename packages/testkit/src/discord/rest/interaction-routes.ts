import {
  FIRST_ANSWER_MS,
  INTERACTION_KINDS,
  type InteractionRecord,
  isEphemeral,
} from '../world/interactions.ts';
import { addMessage, editMessage } from '../world/messages.ts';
import { restMessage } from '../world/visible.ts';
import { type Fields, MESSAGE_FLAGS } from '../world/wire.ts';
import type { MessageRecord, World } from '../world/world.ts';
import { bodyOf, param } from './access.ts';
import type { DiscordCall } from './call.ts';
import { checkChoices, checkModal } from './callback-limits.ts';
import { changedMessage, type MessageParts, newMessage } from './message-body.ts';
import { refusals } from './refusal.ts';
import type { RestContext, Routes } from './router.ts';

/** The first answer to an interaction: once, and within three seconds. */
export const interactionRoutes: Routes = {
  'POST /interactions/{interaction_id}/{interaction_token}/callback': (call, context) => {
    const { world } = context;
    const interaction = context.interactions.byId(param(call, 'interaction_id'));
    if (interaction === undefined || interaction.token !== param(call, 'interaction_token')) {
      throw refusals.unknownInteraction();
    }
    if (interaction.answer !== undefined) throw refusals.alreadyAnswered();
    const afterMs = world.clock.nowMs() - interaction.createdAtMs;
    if (afterMs > FIRST_ANSWER_MS) throw refusals.unknownInteraction();
    const body = bodyOf(call);
    const data = (body.data ?? {}) as Fields; // safe: an object, by the specification
    take(interaction, Number(body.type), data, call, context);
    interaction.answer = { type: Number(body.type), data, afterMs };
    return call.query.get('with_response') === 'true'
      ? { status: 200, body: callbackWire(world, interaction, Number(body.type)) }
      : { status: 204 };
  },
};

/** Types of answers that each kind of interaction may get. */
const ANSWERS: Readonly<Record<InteractionRecord['kind'], readonly number[]>> = {
  command: [4, 5, 9],
  component: [4, 5, 6, 7, 9],
  autocomplete: [8],
  modal: [4, 5],
};

function take(
  interaction: InteractionRecord,
  type: number,
  data: Fields,
  call: DiscordCall,
  context: RestContext,
): void {
  const isUpdate = type === 6 || type === 7;
  const isAllowed =
    ANSWERS[interaction.kind].includes(type) ||
    (interaction.kind === 'modal' && isUpdate && interaction.message !== undefined);
  if (!isAllowed) {
    const message = `A ${interaction.kind} is not answered with type ${type}`;
    throw refusals.badBody([{ at: ['type'], code: 'BASE_TYPE_CHOICES', message }]);
  }
  if (type === 4) interaction.original = speak(interaction, newMessage(data, call, context), context);
  else if (type === 5) defer(interaction, data, context);
  else if (isUpdate) update(interaction, type, data, call, context);
  else refuse(type === 8 ? checkChoices(data) : checkModal(data));
}

function refuse(problems: Parameters<typeof refusals.badBody>[0]): void {
  if (problems.length > 0) throw refusals.badBody(problems);
}

function defer(interaction: InteractionRecord, data: Fields, context: RestContext): void {
  const flags = MESSAGE_FLAGS.loading | (isEphemeral(data.flags) ? MESSAGE_FLAGS.ephemeral : 0);
  const empty = { content: '', embeds: [], components: [], files: [], allowedMentions: undefined };
  interaction.original = speak(interaction, { ...empty, flags }, context);
  interaction.isLoading = true;
}

function update(
  interaction: InteractionRecord,
  type: number,
  data: Fields,
  call: DiscordCall,
  context: RestContext,
): void {
  const { message } = interaction;
  if (message === undefined || message.deletedAtMs !== undefined) throw refusals.unknownMessage();
  if (type === 7) editMessage(context.world, message, changedMessage(data, call, context));
  interaction.original = message;
}

/** The bot says something that belongs to an interaction. */
export function speak(
  interaction: InteractionRecord,
  parts: MessageParts,
  { world }: RestContext,
  repliesTo?: MessageRecord,
): MessageRecord {
  const isCommand = interaction.kind === 'command' && repliesTo === undefined;
  return addMessage(world, {
    channel: interaction.channel,
    author: world.bot,
    ...parts,
    ...(isCommand ? { type: 20 } : {}),
    webhookId: world.applicationId,
    repliesTo: repliesTo ?? interaction.message,
    interaction: metadataWire(world, interaction),
    ephemeralFor: isEphemeral(parts.flags) ? interaction.userId : undefined,
  });
}

function metadataWire(world: World, interaction: InteractionRecord): Fields {
  return {
    id: interaction.id,
    type: INTERACTION_KINDS[interaction.kind],
    user: world.users.get(interaction.userId),
    authorizing_integration_owners: interaction.wire.authorizing_integration_owners,
    ...(interaction.kind === 'command'
      ? { name: (interaction.wire.data as Fields).name, command_type: 1 }
      : {}), // safe: made here
    ...(interaction.message === undefined ? {} : { interacted_message_id: interaction.message.wire.id }),
  };
}

function callbackWire(world: World, interaction: InteractionRecord, type: number): Fields {
  const { original } = interaction;
  const message = original === undefined ? {} : { message: restMessage(world, original.wire) };
  return {
    interaction: {
      id: interaction.id,
      type: INTERACTION_KINDS[interaction.kind],
      ...(original === undefined
        ? {}
        : {
            response_message_id: original.wire.id,
            response_message_loading: interaction.isLoading,
            response_message_ephemeral: original.ephemeralFor !== undefined,
          }),
    },
    resource: { type, ...message },
  };
}
