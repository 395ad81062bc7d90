import {
  type Accept,
  type Clock,
  cutText,
  type InboundEvent,
  type Logger,
  type Suggest,
  type Taken,
} from '@agent-runtime/domain';
import {
  ComponentType,
  InteractionResponseType,
  InteractionType,
  MessageFlags,
  TextInputStyle,
} from 'discord.js';
import { type AnswerPlace, type AnswerTokens, answerRoute } from './answers.ts';
import type { ChannelBook } from './channels.ts';
import type { DiscordCommand } from './commands.ts';
import { type Form, readCustomId, submitIdOf } from './custom-id.ts';
import { type Actor, buttonEvent, commandEvent, questionOf, senderOf, typedIn } from './interaction.ts';
import { isUrgent, type Lanes, nameOf, type Offered, offer } from './lanes.ts';
import { ALREADY_ANSWERED, refusalOf } from './refusal.ts';
import type { Api } from './rest.ts';
import type { WireInteraction } from './wire.ts';

export interface InteractionDeps {
  readonly api: Api;
  readonly tokens: AnswerTokens;
  readonly book: ChannelBook;
  readonly lanes: Lanes;
  readonly clock: Clock;
  readonly log: Logger;
  readonly source: string;
  readonly commands: ReadonlyMap<string, DiscordCommand>;
  readonly accept: Accept;
  readonly suggest: Suggest | undefined;
  readonly signal: AbortSignal;
}

/** Discord waits 3 s for a first answer. What needs thought before that gets these, ms. */
const SUGGEST_MS = 2_000;
const PREFILL_MS = 1_500;
const MAX_CHOICES = 25;
const MAX_CHOICE_CHARS = 100;
const MAX_FIELD_CHARS = 4_000;
const MAX_WORDS_CHARS = 2_000;
/** A first answer that the line lost is given once more. */
const TRIES = 2;
const FIRST_ANSWER_MS = 3_000;

type Take = (deps: InteractionDeps, interaction: WireInteraction, actor: Actor) => void;

const TAKEN: Readonly<Record<number, Take>> = {
  [InteractionType.ApplicationCommand]: takeCommand,
  [InteractionType.MessageComponent]: takeComponent,
  [InteractionType.ModalSubmit]: takeForm,
  [InteractionType.ApplicationCommandAutocomplete]: (...args) => void answerTyping(...args),
};

/** Takes one interaction. The first answer is on its way when this returns; the rest happens in the lane of the channel. */
export function takeInteraction(deps: InteractionDeps, interaction: WireInteraction): void {
  const sender = senderOf(interaction);
  const { channel_id: channelId } = interaction;
  if (sender === undefined || !channelId) return;
  const { channel, guild_id: guild } = interaction;
  if (channel?.type !== undefined) {
    deps.book.learn({ ...channel, id: channelId, type: channel.type }, guild);
  }
  const actor: Actor = {
    source: deps.source,
    channel: deps.book.channel(channelId, guild ?? undefined, sender.displayName),
    sender,
  };
  TAKEN[interaction.type]?.(deps, interaction, actor);
}

function takeCommand(deps: InteractionDeps, interaction: WireInteraction, actor: Actor): void {
  const command = deps.commands.get(interaction.data?.name ?? '');
  // INVARIANT: nothing is awaited before this, or a busy moment costs the three seconds.
  const deferred = answer(deps, interaction, {
    type: InteractionResponseType.DeferredChannelMessageWithSource,
    ...(command?.isPrivate === true ? { data: { flags: MessageFlags.Ephemeral } } : {}),
  });
  const kept = deps.tokens.keep(interaction.id, placeOf(interaction), deferred).catch((error: unknown) => {
    deps.log.warn(
      { room: 'discord', error: nameOf(error) },
      'The address of an answer could not be kept; it will be an ordinary message.',
    );
  });
  const event = commandEvent(interaction, command, actor);
  const finish = async (offered: Offered): Promise<void> => {
    await deferred;
    await closeCommand(deps, interaction, offered);
  };
  const { lanes } = deps;
  const offerIt = async (): Promise<void> => finish(await offer(event, deps.accept, deps));
  if (isUrgent(event)) lanes.atOnce(offerIt);
  else if (lanes.isFull(event.channel.id)) lanes.atOnce(() => finish(crowded(deps, event)));
  // The answer may come from another process than the one that took the command.
  else lanes.push(event.channel.id, () => kept.then(offerIt));
}

/** What nobody took: whoever asked is told so. */
function crowded(deps: InteractionDeps, event: InboundEvent): Offered {
  deps.log.warn(
    { room: 'discord', channel: event.channel.id },
    'Too much waits in one channel; an interaction was turned away.',
  );
  return { kind: 'refused', message: 'Too much is waiting here. Try again in a few minutes.' };
}

function placeOf({ token, application_id: application }: WireInteraction): AnswerPlace {
  return { token, application };
}

/** Turns "is thinking" into words, or takes it away, when no answer will come by itself. */
async function closeCommand(
  deps: InteractionDeps,
  interaction: WireInteraction,
  offered: Offered,
): Promise<void> {
  const taken = takenOf(offered);
  if (taken === undefined || taken.isAnswered) return;
  const route = `${answerRoute(placeOf(interaction))}/messages/@original` as const;
  if (taken.words === undefined)
    return attempt(deps, () => deps.api.call({ method: 'DELETE', route, signal: deps.signal }));
  return attempt(deps, () =>
    deps.api.call({ method: 'PATCH', route, body: wordsBody(taken.words), signal: deps.signal }),
  );
}

function takeComponent(deps: InteractionDeps, interaction: WireInteraction, actor: Actor): void {
  const pressed = readCustomId(interaction.data?.custom_id ?? '');
  if (pressed?.kind === 'form') return void openForm(deps, interaction, actor, pressed);
  const deferred = answer(deps, interaction, { type: InteractionResponseType.DeferredMessageUpdate });
  // What is none of ours is offered too: refusing forged buttons is not for a connector to do.
  const id = pressed?.id ?? interaction.data?.custom_id ?? '';
  offerPress(deps, interaction, deferred, buttonEvent(interaction, id, actor));
}

function takeForm(deps: InteractionDeps, interaction: WireInteraction, actor: Actor): void {
  const deferred = answer(deps, interaction, { type: InteractionResponseType.DeferredMessageUpdate });
  const id = readCustomId(interaction.data?.custom_id ?? '')?.id ?? '';
  offerPress(deps, interaction, deferred, buttonEvent(interaction, id, actor, typedIn(interaction)));
}

function offerPress(
  deps: InteractionDeps,
  interaction: WireInteraction,
  deferred: Promise<void>,
  event: InboundEvent,
): void {
  const isFull = deps.lanes.isFull(event.channel.id);
  const work = async (): Promise<void> => {
    const taken = takenOf(isFull ? crowded(deps, event) : await offer(event, deps.accept, deps));
    await deferred;
    if (taken?.words === undefined) return;
    const { words } = taken;
    await attempt(deps, () =>
      deps.api.call({
        method: 'POST',
        route: answerRoute(placeOf(interaction)),
        body: { ...wordsBody(words), flags: MessageFlags.Ephemeral },
        signal: deps.signal,
      }),
    );
  };
  if (isFull) deps.lanes.atOnce(work);
  else deps.lanes.push(event.channel.id, work);
}

async function openForm(
  deps: InteractionDeps,
  interaction: WireInteraction,
  actor: Actor,
  pressed: { readonly id: string; readonly form: Form },
): Promise<void> {
  const { id, form } = pressed;
  const [present] =
    form.about === 'edit' ? await suggested(deps, { ...actor, about: 'edit', typed: id }, PREFILL_MS) : [];
  const value = present?.value ?? '';
  await answer(deps, interaction, {
    type: InteractionResponseType.Modal,
    data: {
      custom_id: submitIdOf(id),
      title: form.title,
      components: [
        {
          type: ComponentType.ActionRow,
          components: [
            {
              type: ComponentType.TextInput,
              custom_id: 'text',
              label: form.field,
              style: TextInputStyle.Paragraph,
              required: form.about === 'edit',
              max_length: MAX_FIELD_CHARS,
              // Half a text would be approved as if it were the whole.
              ...(value === '' || value.length > MAX_FIELD_CHARS ? {} : { value }),
            },
          ],
        },
      ],
    },
  });
}

async function answerTyping(
  deps: InteractionDeps,
  interaction: WireInteraction,
  actor: Actor,
): Promise<void> {
  const command = deps.commands.get(interaction.data?.name ?? '');
  const question = questionOf(interaction, command, actor);
  const found = question === undefined ? [] : await suggested(deps, question, SUGGEST_MS);
  const choices = found
    // A shortened value would name something else.
    .filter(({ value }) => value !== '' && value.length <= MAX_CHOICE_CHARS)
    .slice(0, MAX_CHOICES)
    .map(({ label, value }) => ({ name: cutText(label || value, MAX_CHOICE_CHARS), value }));
  await answer(deps, interaction, {
    type: InteractionResponseType.ApplicationCommandAutocompleteResult,
    data: { choices },
  });
}

/** @returns nothing when it takes too long or breaks: whoever types goes on typing */
async function suggested(deps: InteractionDeps, question: Parameters<Suggest>[0], limitMs: number) {
  if (deps.suggest === undefined) return [];
  const control = new AbortController();
  const late = deps.clock.sleep(limitMs, control.signal).then(() => []);
  try {
    return await Promise.race([deps.suggest(question), late]);
  } catch (error) {
    deps.log.warn({ room: 'discord', error: nameOf(error) }, 'Nothing could be suggested.');
    return [];
  } finally {
    control.abort();
  }
}

/** The first answer. Never throws: an interaction that could not be answered is still worked on. */
async function answer(deps: InteractionDeps, interaction: WireInteraction, body: object): Promise<void> {
  const route = `/interactions/${interaction.id}/${interaction.token}/callback` as const;
  const signal = AbortSignal.timeout(FIRST_ANSWER_MS);
  for (let left = TRIES; left > 0; left -= 1) {
    try {
      await deps.api.call({ method: 'POST', route, body, signal });
      return;
    } catch (error) {
      const refused = refusalOf(error);
      if (refused?.code === ALREADY_ANSWERED) return;
      if (left > 1 && (refused === undefined || refused.status >= 500)) continue;
      deps.log.warn(
        { room: 'discord', interaction: interaction.id, status: refused?.status, code: refused?.code },
        'Discord did not take the first answer to an interaction.',
      );
      return;
    }
  }
}

function takenOf(offered: Offered): Taken | undefined {
  if (offered.kind === 'taken') return offered.taken;
  return offered.kind === 'refused' ? { isAnswered: false, words: offered.message } : undefined;
}

function wordsBody(words = '') {
  return { content: cutText(words, MAX_WORDS_CHARS), allowed_mentions: { parse: [] } };
}

/** Words that nobody waits for any more are not worth more than a line in the log. */
async function attempt(deps: InteractionDeps, work: () => Promise<unknown>): Promise<void> {
  await work().catch((error: unknown) => {
    deps.log.warn({ room: 'discord', error: nameOf(error) }, 'Fixed words did not reach Discord.');
  });
}
