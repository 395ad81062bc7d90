import type { SeenPlace } from '@agent-runtime/domain';
import { beforeEach, describe, expect, test } from 'vitest';
import { BOSS, MEMBER, OPERATOR, signed, TEST_AUDIT, WORKSPACE } from '../settle/world.fixture.ts';
import {
  type AdminWorld,
  addPeople,
  addWorkspace,
  LORD,
  narrow,
  STRANGER,
  useAdmin,
} from './admin.fixture.ts';

const at = useAdmin();
const ask: AdminWorld['ask'] = (...args) => at.admin.ask(...args);
const read = () => at.admin.world.deps.store.read;
const PLACE: SeenPlace = {
  connector: 'chat',
  account: 'test',
  channel: 'nowhere',
  kind: 'group',
  title: 'Some group',
  within: 'guild-1',
  firstSeenAt: 1_000,
  lastSeenAt: 2_000,
  isGone: false,
};
const GUILD = { connector: 'chat', account: 'test', group: 'guild-1' };

beforeEach(async () => {
  await addPeople(at.admin);
  await at.admin.world.deps.store.commit(TEST_AUDIT, (tx) => tx.insert('context_seen', PLACE));
});

describe('places that are bound to nothing', () => {
  test('are listed for operators of everything, beside the contexts', async () => {
    const { items, unbound } = await ask('context.list', signed(LORD), {});
    expect(items.map((one) => one.id)).toEqual(['news', 'ops']);
    expect(unbound).toEqual([
      {
        connector: 'chat',
        account: 'test',
        channel: 'nowhere',
        kind: 'group',
        title: 'Some group',
        group: 'guild-1',
        first_seen_at: '1970-01-01T00:00:01.000Z',
        last_seen_at: '1970-01-01T00:00:02.000Z',
        is_gone: false,
      },
    ]);
    expect((await ask('context.list', signed(LORD), { workspace: 'acme' })).unbound).toEqual([]);
  });

  test('are nobody else’s to know: they belong to no workspace', async () => {
    await narrow(at.admin, OPERATOR, 'admin');
    expect((await ask('context.list', signed(OPERATOR), {})).unbound).toEqual([]);
    for (const user of [MEMBER, STRANGER])
      await expect(ask('context.list', signed(user), {})).rejects.toMatchObject({ kind: 'denied' });
  });

  test('are in the list no more once they are bound', async () => {
    const { connector, account, channel } = PLACE;
    await ask('context.bind', signed(BOSS), {
      workspace: 'acme',
      connector,
      account,
      channel,
      kind: 'group',
    });
    expect(await read().count('context_seen', {})).toBe(0);
  });
});

describe('a binding rule', () => {
  test('is set and taken away by an admin of its workspace, signed like every setting', async () => {
    await narrow(at.admin, OPERATOR, 'admin');
    const set = await ask('workspace.set', signed(OPERATOR), { id: 'acme', bind: [GUILD, GUILD] });
    expect(set.bindings).toEqual([GUILD]);
    const more = { ...GUILD, group: 'guild-2' };
    const both = await ask('workspace.set', signed(OPERATOR), { id: 'acme', bind: [more], title: 'New' });
    expect(both).toMatchObject({ bindings: [GUILD, more], title: 'New' });
    const left = await ask('workspace.set', signed(OPERATOR), { id: 'acme', unbind: [GUILD] });
    expect(left.bindings).toEqual([more]);
    expect(at.admin.saved.at(-1)).toBe('workspace acme');
    const [last] = await at.admin.deps.audit.tail(1, { action: 'workspace.set' });
    expect(last).toMatchObject({ workspace: WORKSPACE, data: { patch: { unbind: [GUILD] } } });
    for (const user of [MEMBER])
      await expect(ask('workspace.set', signed(user), { id: 'acme', bind: [GUILD] })).rejects.toMatchObject({
        kind: 'denied',
      });
    expect((await read().get('workspace', { id: WORKSPACE }))?.settings.bindings).toEqual([more]);
  });

  test('is one of at most fifty', async () => {
    const many = Array.from({ length: 50 }, (_, n) => ({ ...GUILD, group: `g${n}` }));
    await ask('workspace.set', signed(BOSS), { id: 'acme', bind: many });
    await expect(ask('workspace.set', signed(BOSS), { id: 'acme', bind: [GUILD] })).rejects.toMatchObject({
      code: 'workspace.binding.invalid',
    });
  });

  test('of a group that another workspace has is a conflict, which names it only to who may know', async () => {
    await addWorkspace(at.admin, 'second');
    await ask('workspace.set', signed(BOSS), { id: 'second', bind: [GUILD] });
    const again = (user: typeof BOSS) => ask('workspace.set', signed(user), { id: 'acme', bind: [GUILD] });
    await expect(again(BOSS)).rejects.toMatchObject({
      code: 'workspace.binding.conflict',
      kind: 'conflict',
      message: expect.stringContaining('second'),
    });
    await narrow(at.admin, OPERATOR, 'admin');
    await expect(again(OPERATOR)).rejects.toMatchObject({
      message: expect.not.stringContaining('second'),
    });
    expect((await read().get('workspace', { id: WORKSPACE }))?.settings.bindings).toBeUndefined();
    // Others of the same guild are free.
    const other = { ...GUILD, account: 'other' };
    expect((await ask('workspace.set', signed(BOSS), { id: 'acme', bind: [other] })).bindings).toEqual([
      other,
    ]);
    await ask('workspace.set', signed(BOSS), { id: 'second', unbind: [GUILD] });
    expect((await again(BOSS)).bindings).toHaveLength(2);
  });
});

describe('limits and manners of a place', () => {
  test('are set, inherited, and shown', async () => {
    const patch = {
      output: 'answers',
      acknowledge: 'confirm',
      messages_per_minute: 4,
      max_prompt_chars: 200,
    };
    await ask('workspace.set', signed(BOSS), { id: 'acme', ...patch });
    expect(await ask('context.show', signed(BOSS), { id: 'ops' })).toMatchObject(patch);
    const own = await ask('context.set', signed(BOSS), { id: 'ops', output: 'all', max_prompt_chars: 900 });
    // A context may narrow what its workspace caps, not widen it.
    expect(own).toMatchObject({ ...patch, output: 'all', max_prompt_chars: 200 });
    const back = await ask('context.set', signed(BOSS), {
      id: 'ops',
      output: null,
      messages_per_minute: null,
    });
    expect(back).toMatchObject(patch);
    await expect(ask('context.set', signed(BOSS), { id: 'ops', messages_per_minute: 0 })).rejects.toThrow();
  });
});
