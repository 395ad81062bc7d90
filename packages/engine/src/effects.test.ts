import { memoryLiveFeed } from '@agent-runtime/testkit';
import { expect, test } from 'vitest';
import { makeEffects } from './effects.ts';
import {
  arrivedOf,
  askPost,
  BOSS,
  HERE_LABEL,
  inChat,
  MEMBER,
  OPERATOR,
  person,
  signed,
  tamper,
  useWorld,
} from './settle/world.fixture.ts';

const at = useWorld();

test('every answer wakes the outbox and tells who watches', async () => {
  const { world } = at;
  const live = memoryLiveFeed();
  const effects = makeEffects({ ...world.deps, live }, { abortRuns: () => {} });
  await effects.start();
  const ask = async (text: string) =>
    effects.propose({
      act: { kind: 'message', connector: world.chat, channel: 'news-channel', draft: { text } },
      context: world.context,
      task: world.task,
      tool: 'post_message',
      requester: person(MEMBER),
      label: HERE_LABEL,
      decision: await askPost(world, HERE_LABEL),
    });
  const first = await ask('helo');
  const second = await effects.edit(first.approval.id, 'hello', inChat(MEMBER));
  await effects.approve(second.approval.id, second.effect.digest, inChat(OPERATOR));
  await effects.outbox.idle();
  expect(arrivedOf(world, second.effect.id)).toEqual([{ text: 'hello' }]);
  const third = await ask('never');
  await effects.withdraw(third.approval.id, inChat(MEMBER));
  const fourth = await ask('no');
  await effects.deny(fourth.approval.id, '', signed(OPERATOR));
  await effects.outbox.idle();
  const kinds = live.events.filter((event) => event.topic === 'approvals').map((event) => event.kind);
  expect(kinds).toEqual([
    'approval.pending',
    'approval.pending',
    'approval.chat',
    'approval.chat',
    'approval.granted',
    'approval.pending',
    'approval.withdrawn',
    'approval.pending',
    'approval.denied',
  ]);
  const done = live.events.find(
    (event) => event.kind === 'effect.done' && event.data.id === second.effect.id,
  );
  expect(done?.data).toMatchObject({ workspace: 'acme', context: 'ops' });
  await tamper(world, 'effect', { id: second.effect.id }, { state: 'uncertain' });
  await effects.resolve(second.effect.id, 'sent', signed(BOSS));
  expect((await world.effect(second.effect.id)).state).toBe('done');
  await effects.drain(0);
});
