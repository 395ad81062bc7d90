import { type ConversationId, type IntentId, type MessageId, makeLabel } from '@agent-runtime/domain';
import { expect, test } from 'vitest';
import { makeEffects } from '../effects.ts';
import { BOSS, ORIGIN, person, TEST_AUDIT, useWorld, WORKSPACE } from '../settle/world.fixture.ts';
import { pruneNotices } from './prune.ts';

const DAY_MS = 86_400_000;
const at = useWorld();

async function mark(key: string, ageMs: number): Promise<void> {
  const said = { key, at: at.world.clock.nowMs() - ageMs };
  await at.world.deps.store.commit(TEST_AUDIT, (tx) => tx.insert('notify_notice', said));
}

const kept = async (): Promise<readonly string[]> =>
  (await at.world.deps.store.read.find('notify_notice', {}, { orderBy: 'key' })).map((one) => one.key);

test('what was said more than 90 days ago is forgotten, and the log says how much', async () => {
  for (const [key, ageMs] of [
    ['old', 90 * DAY_MS + 1],
    ['older', 400 * DAY_MS],
    ['young', 90 * DAY_MS],
    ['now', 0],
  ] as const)
    await mark(key, ageMs);
  expect(await pruneNotices(at.world.deps)).toBe(2);
  expect(await kept()).toEqual(['now', 'young']);
  const [newest] = await at.world.deps.audit.tail(1);
  expect(newest).toMatchObject({ action: 'notify.prune', data: { removed: 2 } });
});

test('nothing old, nothing written', async () => {
  await mark('young', DAY_MS);
  const before = await at.world.deps.audit.head();
  expect(await pruneNotices(at.world.deps)).toBe(0);
  expect(await at.world.deps.audit.head()).toEqual(before);
});

test('one look takes a thousand at most, the oldest first', async () => {
  const { store, clock } = at.world.deps;
  await store.commit(TEST_AUDIT, async (tx) => {
    for (let n = 0; n < 1_003; n += 1)
      await tx.insert('notify_notice', { key: `k${n}`, at: clock.nowMs() - 100 * DAY_MS - n });
  });
  expect(await pruneNotices(at.world.deps)).toBe(1_000);
  expect(await kept()).toEqual(['k0', 'k1', 'k2']);
  expect(await pruneNotices(at.world.deps)).toBe(3);
});

test('a part of the sweep that fails keeps no other from its turn', async () => {
  const { deps } = at.world;
  const commit: typeof deps.store.commit = (audit, body) =>
    (Array.isArray(audit) ? audit[0] : audit).action === 'notify.prune'
      ? Promise.reject(new Error('broken'))
      : deps.store.commit(audit, body);
  await mark('old', 91 * DAY_MS);
  await deps.store.commit(TEST_AUDIT, async (tx) => {
    for (const [id, state, agoDays] of [
      ['intent_old', 'begun', 91],
      ['intent_young', 'superseded', 89],
    ] as const)
      await tx.insert('task_intent', {
        id: id as IntentId, // safe: only compared
        state,
        workspace: WORKSPACE,
        context: ORIGIN,
        conversation: 'c' as ConversationId, // safe: only compared
        message: 'm' as MessageId, // safe: only compared
        requester: person(BOSS),
        kind: 'chat',
        text: 'x',
        label: makeLabel(1, []),
        createdAt: 1,
        expiresAt: at.world.clock.nowMs() - agoDays * DAY_MS,
      });
  });
  const effects = makeEffects({ ...deps, store: { ...deps.store, commit } }, { abortRuns: () => {} });
  await effects.sweep();
  expect(await kept()).toEqual(['old']);
  expect((await deps.store.read.find('task_intent', {})).map(({ id }) => id)).toEqual(['intent_young']);
  expect(await deps.audit.tail(1)).toMatchObject([{ action: 'intent.prune', data: { removed: 1 } }]);
});

test('the sweeps look once an hour', async () => {
  const { deps, clock } = at.world;
  const effects = makeEffects(deps, { abortRuns: () => {} });
  await effects.sweep();
  await mark('old', 91 * DAY_MS);
  await effects.sweep();
  expect(await kept()).toEqual(['old']);
  await clock.advance(3_600_000);
  await effects.sweep();
  expect(await kept()).toEqual([]);
});
