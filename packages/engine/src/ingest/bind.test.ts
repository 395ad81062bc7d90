import { type Binding, isSlug, type WorkspaceId } from '@agent-runtime/domain';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Said, useStage } from '../run/run.fixture.ts';
import { BOSS, MEMBER, TEST_AUDIT, WORKSPACE } from '../settle/world.fixture.ts';

const stage = useStage();
const read = () => stage.world.deps.store.read;
const GUILD: Binding = { connector: 'chat', account: 'test', group: 'guild-1' };
const GENERAL: Partial<Said> = { channel: 'c-1', group: 'guild-1', title: 'General', key: 'chat:test/c-1' };
const bound = () => read().get('context', { channel: 'c-1' });
const OTHER = 'other' as WorkspaceId; // safe: a slug

async function addOther(bindings: readonly Binding[]): Promise<void> {
  await stage.world.deps.store.commit(TEST_AUDIT, (tx) =>
    tx.insert('workspace', {
      id: OTHER,
      title: 'Other',
      kind: 'community',
      owner: MEMBER,
      outsideEdits: 'staff',
      settings: { bindings },
      createdAt: 1,
    }),
  );
}

describe('a binding rule', () => {
  beforeEach(() => stage.set({ bindings: [GUILD] }));

  test('takes a channel of its guild when it is first seen, open, and the message goes on', async () => {
    const accepted = await stage.tell('hello', GENERAL);
    expect(accepted.outcome).toBe('run');
    await stage.settled(accepted.run);
    expect(await bound()).toMatchObject({
      id: 'general-c-1',
      workspace: WORKSPACE,
      kind: 'channel',
      openness: 'open',
      owner: BOSS,
      settings: { title: 'General' },
    });
    expect(stage.heard.filter((text) => text.includes('I answer here'))).toHaveLength(1);
    expect(stage.heard.at(-1)).toBe('ok');
    expect(await stage.world.actions('general-c-1')).toEqual(['context.bind_rule']);
    expect(await read().count('context_seen', {})).toBe(0);
    await stage.tell('again', { ...GENERAL, isAddressed: false });
    expect(await read().count('context', { channel: 'c-1' })).toBe(1);
  });

  test('takes threads by their channel, and a place that was seen before', async () => {
    await stage.set({});
    await stage.tell('hello', GENERAL);
    await stage.tell('hello', { channel: 't-1', channelKind: 'thread', parent: 'guild-1', title: 'Topic' });
    expect(await read().count('context_seen', {})).toBe(2);
    await stage.set({ bindings: [GUILD] });
    await stage.tell('', { ...GENERAL, kind: 'member', member: { change: 'joined', isSelf: true } });
    await stage.tell('x', { channel: 't-1', channelKind: 'thread', parent: 'guild-1', title: 'Topic' });
    expect(await read().count('context_seen', {})).toBe(0);
    expect(await read().get('context', { channel: 't-1' })).toMatchObject({
      kind: 'thread',
      openness: 'open',
    });
  });

  test('binds once when two people write at the same time', async () => {
    const both = await Promise.all(
      ['mia', 'olga', 'boss'].map((by) => stage.tell('hello', { ...GENERAL, by })),
    );
    expect(both.map(({ outcome }) => outcome)).toEqual(['run', 'run', 'run']);
    expect(await read().count('context', { channel: 'c-1' })).toBe(1);
    expect((await stage.deps.audit.tail(100, { action: 'context.bind_rule' })).length).toBe(1);
    for (const one of both) await stage.settled(one.run);
  });

  test.each([
    ['a direct talk', { ...GENERAL, channelKind: 'direct' }],
    ['another guild', { ...GENERAL, group: 'guild-2' }],
    ['a guild that is not named', { ...GENERAL, group: undefined }],
    [
      'a place that the account has left',
      { ...GENERAL, kind: 'member', member: { change: 'left', isSelf: true } },
    ],
  ] as const)('never binds %s', async (_what, where) => {
    await stage.tell('hello', where as Partial<Said>);
    expect(await bound()).toBeUndefined();
  });

  test.each([
    ['words for somebody else', { isAddressed: false }],
    ['a reaction', { kind: 'reaction' }],
    ['an edit', { kind: 'edit' }],
    ['another bot', { isBot: true }],
    ['a person who joins', { kind: 'member', member: { change: 'joined', isSelf: false } }],
  ] as const)('is not set off by %s, which leaves it in the list', async (_what, how) => {
    await stage.tell('hello', { ...GENERAL, by: 'stranger-9', ...how } as Partial<Said>); // safe: cases of it
    expect(await bound()).toBeUndefined();
    expect(await read().count('context_seen', { channel: 'c-1' })).toBe(1);
    await stage.tell('/help', GENERAL);
    expect(await bound()).toBeDefined();
  });

  test('binds no more than fifty places in an hour; the others stay in the list', async () => {
    for (let n = 0; n < 52; n += 1)
      await stage.tell('/help', { ...GENERAL, channel: `many-${n}`, by: `stranger-${n}` });
    const many = async () =>
      (await read().find('context', {})).filter(({ channel }) => channel.startsWith('many')).length;
    expect(await many()).toBe(50);
    expect(await read().count('context_seen', {})).toBe(2);
    await stage.world.clock.advance(3_600_000);
    await stage.tell('/help', { ...GENERAL, channel: 'many-51', by: 'stranger-51' });
    expect(await many()).toBe(51);
  });

  test('of another workspace does not take a thread of a bound place', async () => {
    await stage.set({});
    await addOther([GUILD]);
    const thread = (channel: string, parent: string) =>
      stage.tell('/help', { channel, channelKind: 'thread', group: 'guild-1', parent, title: 'T' });
    await thread('t-1', 'ops-channel');
    expect(await read().get('context', { channel: 't-1' })).toBeUndefined();
    await thread('t-2', 'nothing-bound');
    expect(await read().get('context', { channel: 't-2' })).toMatchObject({ workspace: OTHER });
    // The rule of its own workspace does, also where the other one claims the guild as well.
    await stage.set({ bindings: [GUILD] });
    await thread('t-1', 'ops-channel');
    expect(await read().get('context', { channel: 't-1' })).toMatchObject({ workspace: WORKSPACE });
  });

  test('binds nothing under panic or behind the gate', async () => {
    stage.world.panic.turnOn('test', 0);
    await stage.tell('hello', GENERAL);
    expect(await bound()).toBeUndefined();
  });

  test('that two workspaces have gives the place to neither, and the hub hears of it once a day', async () => {
    await addOther([GUILD]);
    await stage.world.deps.store.commit(
      TEST_AUDIT,
      (tx) =>
        tx.insert('hub', {
          id: stage.world.deps.ids.make('hub'),
          state: 'active',
          connector: 'chat',
          account: 'test',
          channel: 'ops-channel',
          context: 'ops',
          workspace: WORKSPACE,
          askedBy: BOSS,
          askedAt: 1,
          expiresAt: 2,
          clearedFor: [WORKSPACE],
        } as never), // safe: ids of the test world
    );
    expect(await stage.tell('hello', GENERAL)).toMatchObject({ outcome: 'refused' });
    await stage.tell('hello', { ...GENERAL, by: 'olga' });
    expect(await bound()).toBeUndefined();
    await stage.world.clock.settle();
    expect(stage.heard.filter((text) => text.includes('2 workspaces want'))).toHaveLength(1);
    expect(stage.heard.join()).not.toContain('other');
    expect(await read().count('context_seen', { channel: 'c-1' })).toBe(1);
  });

  test('makes a harmless name of any title, and two of the same', async () => {
    const titles = [
      '../../etc/passwd',
      '',
      '\u202e\0💥',
      'x'.repeat(5_000),
      '---',
      'ops',
      'Ops',
      'CON',
      '<b>&',
    ];
    for (const [n, title] of titles.entries())
      await stage.tell('hi', { ...GENERAL, channel: `-100${n}/7`, title });
    await stage.tell('hi', { ...GENERAL, channel: '-1000:7', title: '../../etc/passwd' });
    const made = (await read().find('context', {})).filter((one) => one.channel.startsWith('-100'));
    expect(made).toHaveLength(titles.length + 1);
    for (const { id } of made) expect(isSlug(id)).toBe(true);
    expect(new Set(made.map(({ id }) => id)).size).toBe(made.length);
    expect((await read().get('context', { channel: 'ops-channel' }))?.id).toBe('ops');
  });
});
