import { type Context, type ContextId, WITHHELD_TEXT } from '@agent-runtime/domain';
import { beforeEach, describe, expect, test } from 'vitest';
import { contextRow, MEMBER, OPERATOR, signed, TEST_AUDIT } from '../settle/world.fixture.ts';
import { type AdminWorld, addPeople, STRANGER, useAdmin } from './admin.fixture.ts';

const at = useAdmin();
const ask: AdminWorld['ask'] = (...args) => at.admin.ask(...args);

beforeEach(async () => addPeople(at.admin));

async function addDirect(): Promise<void> {
  const direct: Context = {
    ...contextRow('dm-mia' as ContextId, 'dm', 1), // safe: a slug
    kind: 'direct',
    directWith: MEMBER,
  };
  await at.admin.world.deps.store.commit(TEST_AUDIT, async (tx) => tx.insert('context', direct));
}

describe('a task that came from another', () => {
  test('names it, and is named by it, newest first', async () => {
    const above = await at.admin.finished(MEMBER, { title: 'the whole' });
    const first = await at.admin.finished(MEMBER, { parent: above.task.id, title: 'part one' });
    at.admin.world.clock.jumpWall(1_000);
    const second = await at.admin.finished(MEMBER, {
      parent: above.task.id,
      title: 'part\u200b two',
      state: 'failed',
    });
    const below = await at.admin.finished(MEMBER, { parent: second.task.id });

    const whole = await ask('task.show', signed(MEMBER), { id: above.task.id });
    expect([whole.parent, whole.parent_title]).toEqual([undefined, undefined]);
    expect(whole.children).toEqual([
      { id: second.task.id, status: 'failed', title: 'part⟨U+200B⟩ two' },
      { id: first.task.id, status: 'succeeded', title: 'part one' },
    ]);
    const part = await ask('task.show', signed(OPERATOR), { id: second.task.id });
    expect(part).toMatchObject({ parent: above.task.id, parent_title: 'the whole' });
    expect(part.children.map((row) => row.id)).toEqual([below.task.id]);
    const { items } = await ask('task.list', signed(MEMBER), {});
    const parents = new Map(items.map((row) => [row.id, row.parent]));
    expect(parents.get(above.task.id)).toBeUndefined();
    expect(parents.get(first.task.id)).toBe(above.task.id);
    expect(parents.get(below.task.id)).toBe(second.task.id);
  });

  test('does not name a parent or a child that is not for the asker', async () => {
    const own = await at.admin.finished(STRANGER, { title: 'mine' });
    const foreign = await at.admin.finished(MEMBER, { title: 'a secret plan', parent: own.task.id });
    const lower = await at.admin.finished(STRANGER, { title: 'mine too', parent: foreign.task.id });

    const shown = [
      await ask('task.show', signed(STRANGER), { id: own.task.id }),
      await ask('task.show', signed(STRANGER), { id: lower.task.id }),
      await ask('task.list', signed(STRANGER), {}),
    ];
    expect(shown[0]).toMatchObject({ title: 'mine', children: [] });
    expect(shown[1]).toMatchObject({ title: 'mine too' });
    expect(JSON.stringify(shown)).not.toContain(foreign.task.id);
    expect(JSON.stringify(shown)).not.toContain('secret plan');
    // Staff of the place see both links.
    const all = await ask('task.show', signed(OPERATOR), { id: foreign.task.id });
    expect([all.parent, all.children.map((row) => row.id)]).toEqual([own.task.id, [lower.task.id]]);
  });

  test('keeps the words of a direct talk for its person on both sides', async () => {
    await addDirect();
    const above = await at.admin.finished(MEMBER, { title: 'my illness', in: 'dm-mia' });
    const below = await at.admin.finished(MEMBER, { title: 'my pills', in: 'dm-mia', parent: above.task.id });
    const seen = async (user: typeof MEMBER) => [
      (await ask('task.show', signed(user), { id: below.task.id })).parent_title,
      (await ask('task.show', signed(user), { id: above.task.id })).children[0]?.title,
    ];
    expect(await seen(OPERATOR)).toEqual([WITHHELD_TEXT, WITHHELD_TEXT]);
    expect(await seen(MEMBER)).toEqual(['my illness', 'my pills']);
  });
});
