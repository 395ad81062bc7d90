import type { Store } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import type { Actor } from '../api.ts';
import { outrun } from './outside.fixture.ts';
import { resolveEffect } from './resolve.ts';
import {
  approvedPost,
  arrivedOf,
  BOSS,
  inChat,
  MEMBER,
  OPERATOR,
  person,
  runOutbox,
  signed,
  TEST_AUDIT,
  tamper,
  useWorld,
} from './world.fixture.ts';

const at = useWorld();

async function uncertain() {
  const id = await approvedPost(at.world, 'hello');
  await tamper(at.world, 'effect', { id }, { state: 'uncertain' });
  return id;
}

describe('an uncertain effect', () => {
  test.each([
    ['sent', 'done', 'has arrived'],
    ['not-sent', 'rejected', 'has not arrived'],
  ] as const)(
    '%s makes it %s, by a person and on record, and sends nothing',
    async (outcome, state, words) => {
      const id = await uncertain();
      await resolveEffect(at.world.deps, id, outcome, signed(OPERATOR));
      expect((await at.world.effect(id)).state).toBe(state);
      const [event] = await at.world.opened.audit.tail(1, { action: 'effect.resolve' });
      expect(event).toMatchObject({ actor: OPERATOR, subject: id, data: { outcome } });
      const events = await at.world.deps.store.read.find('context_message', { direction: 'event' });
      expect(events.at(-1)?.text).toContain(words);
      await runOutbox(at.world);
      expect(arrivedOf(at.world, id)).toEqual([]);
    },
  );

  test('is resolved once, also by two people at once', async () => {
    const id = await uncertain();
    const both = await Promise.allSettled([
      resolveEffect(at.world.deps, id, 'sent', signed(OPERATOR)),
      resolveEffect(at.world.deps, id, 'not-sent', signed(BOSS)),
    ]);
    expect(both.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test.each<readonly [string, Actor]>([
    ['a member', signed(MEMBER)],
    ['chat', inChat(OPERATOR)],
    ['the unsigned socket', { principal: person(BOSS), via: 'socket' }],
  ])('is not resolved by %s', async (_name, actor) => {
    const id = await uncertain();
    await expect(resolveEffect(at.world.deps, id, 'sent', actor)).rejects.toMatchObject({
      code: 'effect.resolve.denied',
    });
    expect((await at.world.effect(id)).state).toBe('uncertain');
  });

  test.each(['outrun', 'gone'])(
    'that is %s by then is left as it is, and nothing is said of it',
    async (how) => {
      const id = await uncertain();
      const { store } = at.world.deps;
      const gone: Store = {
        ...store,
        commit: async (audit, body) => {
          await store.commit(TEST_AUDIT, (tx) => tx.remove('effect', { id }));
          return store.commit(audit, body);
        },
      };
      const deps = { ...at.world.deps, store: how === 'gone' ? gone : outrun(store, 'effect') };
      await expect(resolveEffect(deps, id, 'sent', signed(OPERATOR))).rejects.toMatchObject({
        code: 'effect.state.conflict',
      });
      expect(await at.world.actions(id)).not.toContain('effect.resolve');
    },
  );

  test('nothing else is resolved', async () => {
    const id = await approvedPost(at.world, 'hello');
    await expect(resolveEffect(at.world.deps, id, 'sent', signed(BOSS))).rejects.toMatchObject({
      code: 'effect.state.conflict',
    });
    await expect(
      resolveEffect(at.world.deps, 'efct_00000000000000000000' as typeof id, 'sent', signed(BOSS)), // safe: alphabet of ids
    ).rejects.toMatchObject({ code: 'effect.id.missing' });
  });
});
