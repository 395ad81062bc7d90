import type { UserId } from '@agent-runtime/domain';
import { beforeEach, describe, expect, test } from 'vitest';
import { BOSS, MEMBER, must, proposePost, signed, TEST_AUDIT } from '../settle/world.fixture.ts';
import { type AdminWorld, addPeople, LORD, STRANGER, useAdmin } from './admin.fixture.ts';

const at = useAdmin();
const ask: AdminWorld['ask'] = (...args) => at.admin.ask(...args);

beforeEach(async () => addPeople(at.admin));

describe('pages', () => {
  test('of tasks follow each other without holes or doubles, also where many are of one instant', async () => {
    for (let n = 0; n < 7; n += 1) {
      await at.admin.finished(MEMBER);
      if (n % 3 === 2) await at.admin.world.clock.advance(1);
    }
    const all = (await ask('task.list', signed(LORD), { limit: 100 })).items.map((row) => row.id);
    const seen: string[] = [];
    for (;;) {
      const before = seen.at(-1);
      const { items } = await ask('task.list', signed(LORD), {
        limit: 2,
        ...(before === undefined ? {} : { before }),
      });
      if (items.length === 0) break;
      seen.push(...items.map((row) => row.id));
    }
    expect(seen).toEqual(all);
    expect(all.length).toBeGreaterThanOrEqual(7);
  });

  test('below something that is not there are refused', async () => {
    for (const name of ['task.list', 'effect.list', 'approval.list'] as const)
      await expect(ask(name, signed(LORD), { before: 'none_00000000' })).rejects.toMatchObject({
        code: 'admin.id.missing',
      });
  });

  test('tell nobody whether something exists that is not for them', async () => {
    const { task } = await at.admin.finished(LORD);
    const { effect, approval } = await proposePost(at.admin.world, 'hello', {
      requester: { kind: 'user', user: LORD },
    });
    const lists = [
      ['task.list', task.id],
      ['effect.list', must(effect).id],
      ['approval.list', must(approval).id],
    ] as const;
    const saidTo = async (user: UserId, name: (typeof lists)[number][0], before: string) =>
      ask(name, signed(user), { before }).then(
        () => 'a page',
        (error: unknown) => String(error).replace(before, 'ID'),
      );
    for (const [name, id] of lists) {
      const unknown = await saidTo(STRANGER, name, `${id.slice(0, -4)}0000`);
      expect(unknown).toContain('There is no');
      expect(await saidTo(STRANGER, name, id)).toBe(unknown);
      expect(await saidTo(LORD, name, id)).toBe('a page');
    }
  });

  test('of the log go on below a record', async () => {
    for (let n = 0; n < 4; n += 1) await ask('user.add', signed(LORD), { name: `person-${n}` });
    const first = (await ask('audit.tail', signed(LORD), { limit: 2 })).items;
    const last = must(first.at(-1));
    const { items } = await ask('audit.tail', signed(LORD), { limit: 2, before_seq: last.seq });
    expect(items[0]?.seq).toBe(last.seq - 1);
  });
});

describe('an edit', () => {
  test('of a version that is gone is refused, and changes nothing', async () => {
    const seen = await ask('context.show', signed(BOSS), { id: 'ops' });
    await ask('context.set', signed(BOSS), { id: 'ops', title: 'First', if_match: seen.etag });
    await expect(
      ask('context.set', signed(BOSS), { id: 'ops', title: 'Second', if_match: seen.etag }),
    ).rejects.toMatchObject({ code: 'admin.version.conflict', kind: 'conflict' });
    const now = await ask('context.show', signed(BOSS), { id: 'ops' });
    expect([now.title, now.etag === seen.etag]).toEqual(['First', false]);
    await ask('context.set', signed(BOSS), { id: 'ops', title: 'Third', if_match: now.etag });
    await ask('context.set', signed(BOSS), { id: 'ops', title: 'Without' });
  });

  test('of a workspace too', async () => {
    const seen = await ask('workspace.show', signed(BOSS), { id: 'acme' });
    await ask('workspace.set', signed(BOSS), { id: 'acme', title: 'First', if_match: seen.etag });
    await expect(
      ask('workspace.set', signed(BOSS), { id: 'acme', title: 'Second', if_match: seen.etag }),
    ).rejects.toMatchObject({ code: 'admin.version.conflict' });
    expect((await ask('workspace.show', signed(BOSS), { id: 'acme' })).title).toBe('First');
  });

  test('nobody slips in between the look and the write', async () => {
    const seen = await ask('workspace.show', signed(BOSS), { id: 'acme' });
    const edits = ['One', 'Two'].map((title) =>
      ask('workspace.set', signed(BOSS), { id: 'acme', title, if_match: seen.etag }),
    );
    const ends = await Promise.allSettled(edits);
    expect(ends.map((end) => end.status).sort()).toEqual(['fulfilled', 'rejected']);
    await at.admin.world.deps.store.commit(TEST_AUDIT, async () => undefined);
  });
});
