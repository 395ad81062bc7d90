import type { Message } from '@agent-runtime/domain';
import { expect, test } from 'vitest';
import {
  approvedPost,
  HERE_LABEL,
  MEMBER,
  must,
  ORIGIN,
  person,
  TEST_AUDIT,
  useWorld,
  WORKSPACE,
} from '../settle/world.fixture.ts';
import { startOutcomeTurn } from './outcome.ts';

const at = useWorld();

/** An effect of the world's task, and the message that tells what came of it. */
async function outcome() {
  const { world } = at;
  const { store, ids, clock } = world.deps;
  const effect = await world.effect(await approvedPost(world, 'a fetch'));
  const message: Message = await store.commit(TEST_AUDIT, async (tx) => {
    const row: Message = {
      id: ids.make('message'),
      seq: await tx.next('message'),
      conversation: world.task.conversation,
      workspace: WORKSPACE,
      context: ORIGIN,
      direction: 'event',
      sender: 'appliance',
      senderName: 'appliance',
      text: 'the page says hello',
      label: HERE_LABEL,
      isPromptable: true,
      at: clock.nowMs(),
    };
    await tx.insert('context_message', row);
    return row;
  });
  return { effect, message: message.id };
}

test('what an outcome starts is a task below the one that asked for the effect, in the name of who asked', async () => {
  const { deps, task } = at.world;
  const told = await outcome();
  await startOutcomeTurn(deps, told);
  await startOutcomeTurn(deps, told); // told again, as after a crash
  const below = await deps.store.read.find('task', { parent: task.id });
  expect(below).toMatchObject([{ requester: person(MEMBER), context: ORIGIN, title: 'the page says hello' }]);
  const [run] = await deps.store.read.find('run', { task: must(below[0]).id });
  // The tree gives nothing: a run begins with what it has read, which is nothing yet.
  expect(run).toMatchObject({ state: 'queued', label: { audience: [] } });
});
