import type { Approval, Button, ButtonAct, InboundEvent } from '@agent-runtime/domain';
import { until } from '@agent-runtime/testkit';
import type { Accepted } from '../api.ts';
import { callTool, replies, type Stage, say } from '../run/run.fixture.ts';
import { must } from '../settle/world.fixture.ts';

/** What a press says of itself; everything that is not given fits the button. */
export interface Pressed {
  readonly by: string;
  readonly id: string | undefined;
  readonly message: string | undefined;
  readonly channel: string;
  readonly source: string;
  readonly text: string;
  readonly externalId: string;
  readonly isBot: boolean;
  readonly isRelayed: boolean;
  readonly kind: InboundEvent['kind'];
  readonly repliesTo: string | undefined;
  readonly attachments: InboundEvent['attachments'];
}

let pressed = 0;

/** Hands one press to the engine as a connector would. */
export function press(stage: Stage, more: Partial<Pressed> = {}): Promise<Accepted> {
  pressed += 1;
  const { by = 'olga', channel = 'ops-channel' } = more;
  return stage.engine.accept({
    event: {
      source: more.source ?? 'chat:test',
      externalId: more.externalId ?? `cb:${pressed}`,
      kind: more.kind ?? 'button',
      channel: { id: channel, kind: 'channel', title: 'Ops' },
      sender: { id: by, displayName: by, isBot: more.isBot ?? false },
      text: more.text ?? '',
      message: more.message,
      buttonId: more.id,
      repliesTo: more.repliesTo,
      attachments: more.attachments,
      isAddressed: true,
      isRelayed: more.isRelayed ?? false,
      sentAt: stage.world.clock.nowMs(),
    },
    door: 'chat',
    conversationKey: 'ops',
  });
}

/** A question of mia's, with its card in the chat. @returns its approval */
export async function asked(stage: Stage, text = 'We open at nine.'): Promise<Approval> {
  stage.script = replies(
    callTool('post_message', { connector: 'chat', channel: 'news-channel', text }),
    say('Asked.'),
  );
  const run = await stage.settled((await stage.tell('post it')).run);
  await quiet(stage);
  return approvalOf(stage, must(run.pendingApprovals[0]));
}

export function approvalOf(stage: Stage, id: string): Promise<Approval> {
  return stage.world.approval(id);
}

/** A button of a question, with the message it stands on. @param context of which card */
export async function buttonOf(
  stage: Stage,
  approval: Approval,
  act: ButtonAct,
  context: string = approval.context,
): Promise<{ readonly button: Button; readonly message: string; readonly id: string }> {
  const { read } = stage.world.deps.store;
  const rows = await read.find('approval_button', { approval: approval.id, act });
  const button = must(rows.find((row) => row.context === context));
  const messageOf = async () => (await stage.world.effect(button.card)).receipts.at(-1)?.externalId;
  await until(async () => (await messageOf()) !== undefined, 'the card to arrive');
  return { button, id: button.id, message: String(await messageOf()) };
}

/** Texts that replaced others in the chat, oldest first, with what they replaced. */
export function updatesIn(stage: Stage): readonly { readonly text: string; readonly edits: string }[] {
  return stage.world.chat.sent
    .filter((one) => one.payload.edits !== undefined)
    .map(({ payload }) => ({ text: String(payload.text), edits: String(payload.edits) }));
}

/** Waits until everything that may leave has left. */
export async function quiet(stage: Stage): Promise<void> {
  const { read } = stage.world.deps.store;
  await until(
    async () => (await read.count('effect', { state: { in: ['approved', 'performing'] } })) === 0,
    'the outbox to be empty',
  );
}
