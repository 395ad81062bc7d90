import type { InboundChannel, InboundEvent, InboundSender, SuggestQuestion } from '@agent-runtime/domain';
import type { DiscordCommand } from './commands.ts';
import { displayNameOf } from './message.ts';
import { instantOf, isSnowflake } from './snowflake.ts';
import type { WireInteraction } from './wire.ts';

/** Who does it, and where. Discord signs neither; it says them over a line that only the token opens. */
export interface Actor {
  readonly source: string;
  readonly channel: InboundChannel;
  readonly sender: InboundSender;
}

const PRIVATE_SUFFIX = ':p';

/** Names the command that an answer belongs to; carries whether others may see the answer, so that no lost memory can turn that round. */
export interface AnswerAddress {
  readonly interaction: string;
  readonly isPrivate: boolean;
}

export function answerIdOf({ interaction, isPrivate }: AnswerAddress): string {
  return `i:${interaction}${isPrivate ? PRIVATE_SUFFIX : ''}`;
}

/** @returns undefined for the id of an ordinary message */
export function readAnswerId(text: string | undefined): AnswerAddress | undefined {
  const [, interaction, suffix] = /^i:(\d{1,20})(:p)?$/.exec(text ?? '') ?? [];
  return interaction === undefined ? undefined : { interaction, isPrivate: suffix !== undefined };
}

/** @returns undefined when Discord does not say who it was */
export function senderOf({ member, user }: WireInteraction): InboundSender | undefined {
  const person = member?.user ?? user ?? undefined;
  if (person === undefined) return undefined;
  return { id: person.id, displayName: displayNameOf(person, member?.nick), isBot: person.bot ?? false };
}

/** A native command, as if it had been typed: `/name` and its arguments in their order. */
export function commandEvent(
  interaction: WireInteraction,
  command: DiscordCommand | undefined,
  actor: Actor,
): InboundEvent {
  return {
    ...base(interaction, actor),
    kind: 'command',
    text: [`/${interaction.data?.name ?? ''}`, ...argumentsOf(interaction, command)].join(' '),
    message: answerIdOf({ interaction: interaction.id, isPrivate: command?.isPrivate === true }),
  };
}

/** A pressed button. @param text what was typed into its form */
export function buttonEvent(
  interaction: WireInteraction,
  buttonId: string,
  actor: Actor,
  text = '',
): InboundEvent {
  return {
    ...base(interaction, actor),
    kind: 'button',
    text,
    buttonId,
    ...(interaction.message?.id === undefined ? {} : { message: interaction.message.id }),
  };
}

/** What is being typed into an option that suggests. */
export function questionOf(
  interaction: WireInteraction,
  command: DiscordCommand | undefined,
  actor: Actor,
): SuggestQuestion | undefined {
  const focused = interaction.data?.options?.find((option) => option.focused === true);
  const about = command?.options?.find((option) => option.name === focused?.name)?.suggests;
  if (about === undefined) return undefined;
  return { ...actor, about, typed: String(focused?.value ?? '') };
}

/** The one field of our forms. */
export function typedIn(interaction: WireInteraction): string {
  for (const row of interaction.data?.components ?? []) {
    const field = row.component ?? row.components?.[0];
    if (field?.value !== undefined) return field.value;
  }
  return '';
}

function base(interaction: WireInteraction, actor: Actor) {
  return {
    ...actor,
    externalId: interaction.id,
    isAddressed: true,
    isRelayed: false,
    sentAt: isSnowflake(interaction.id) ? instantOf(interaction.id) : 0,
  };
}

function argumentsOf(interaction: WireInteraction, command: DiscordCommand | undefined): readonly string[] {
  const given = interaction.data?.options ?? [];
  const order = command?.options?.map(({ name }) => name) ?? given.map(({ name }) => name);
  return order
    .map((name) => String(given.find((option) => option.name === name)?.value ?? ''))
    .filter((value) => value !== '');
}
