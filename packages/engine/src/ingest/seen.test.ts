import { describe, expect, test } from 'vitest';
import { type Said, useStage } from '../run/run.fixture.ts';
import { tamper } from '../settle/world.fixture.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const stage = useStage();
const read = () => stage.world.deps.store.read;
const seen = () => read().find('context_seen', {}, { orderBy: 'channel' });
const NOWHERE: Partial<Said> = { channel: 'nowhere', channelKind: 'group', title: 'Some\n group\u202e' };

describe('a place that is bound to nothing', () => {
  test('is remembered when it is first seen, by any kind of event, in one line', async () => {
    await stage.tell('hi', { ...NOWHERE, by: 'stranger-9', group: 'guild-1' });
    expect(await seen()).toEqual([
      {
        connector: 'chat',
        account: 'test',
        channel: 'nowhere',
        kind: 'group',
        title: 'Some group⟨U+202E⟩',
        within: 'guild-1',
        firstSeenAt: stage.world.clock.nowMs(),
        lastSeenAt: stage.world.clock.nowMs(),
        isGone: false,
      },
    ]);
    await stage.tell('hi', { ...NOWHERE, channel: 'c-bot', isBot: true });
    await stage.tell('👍', { ...NOWHERE, channel: 'c-reaction', kind: 'reaction' });
    await stage.tell('', { ...NOWHERE, channel: 'c-member', kind: 'member' });
    expect((await seen()).map(({ channel }) => channel)).toEqual([
      'c-bot',
      'c-member',
      'c-reaction',
      'nowhere',
    ]);
  });

  test('costs one commit a minute and sender, and follows its title', async () => {
    await stage.tell('hi', NOWHERE);
    const { seq } = await stage.deps.audit.head();
    for (const text of ['1', '2', '3']) await stage.tell(text, { ...NOWHERE, title: 'Other' });
    expect((await stage.deps.audit.head()).seq).toBe(seq);
    expect((await seen())[0]?.title).toContain('Some');
    await stage.world.clock.advance(60_000);
    await stage.tell('4', { ...NOWHERE, title: 'Other' });
    expect((await stage.deps.audit.head()).seq).toBe(seq + 1);
    expect(await seen()).toMatchObject([{ title: 'Other', lastSeenAt: stage.world.clock.nowMs() }]);
  });

  test('is gone when the account is removed, and back when it is added', async () => {
    const self = (change: 'joined' | 'left') =>
      stage.tell('', { ...NOWHERE, kind: 'member', member: { change, isSelf: true } });
    await self('left');
    expect(await seen()).toEqual([]);
    await self('joined');
    expect(await seen()).toMatchObject([{ isGone: false }]);
    await self('left');
    expect(await seen()).toMatchObject([{ isGone: true }]);
    await self('joined');
    expect(await seen()).toMatchObject([{ isGone: false }]);
    // Nobody hears of it, and a bound place stays bound.
    await stage.tell('', { kind: 'member', member: { change: 'left', isSelf: true } });
    expect(await read().get('context', { channel: 'ops-channel' })).toBeDefined();
    expect(await seen()).toHaveLength(1);
    expect(stage.heard).toEqual([]);
  });

  test('is never a direct talk, and a bound place is none', async () => {
    await stage.tell('hi', { channel: 'dm-1', channelKind: 'direct', by: 'stranger-9' });
    await stage.tell('hi');
    expect(await seen()).toEqual([]);
  });

  test('is forgotten after 90 days of silence', async () => {
    await stage.tell('hi', NOWHERE);
    const heardAgo = (ms: number) =>
      tamper(
        stage.world,
        'context_seen',
        { channel: 'nowhere' },
        { lastSeenAt: stage.world.clock.nowMs() - ms },
      );
    await heardAgo(89 * DAY_MS);
    await stage.world.clock.advance(HOUR_MS);
    expect(await seen()).toHaveLength(1);
    await heardAgo(91 * DAY_MS);
    await stage.world.clock.advance(HOUR_MS);
    await stage.world.clock.settle();
    expect(await seen()).toEqual([]);
  });

  test('takes no more room than a thousand others: the most silent one goes', async () => {
    await stage.world.deps.store.commit({ action: 'test.fill', actor: 'test', subject: 'x' }, async (tx) => {
      for (let n = 0; n < 1_000; n += 1)
        await tx.insert('context_seen', {
          connector: 'chat',
          account: 'test',
          channel: `f${n}`,
          kind: 'group',
          title: 'x',
          firstSeenAt: 1,
          lastSeenAt: n === 7 ? 1 : stage.world.clock.nowMs(),
          isGone: false,
        });
    });
    // Chatter of others does not push out what staff may look for.
    const { seq } = await stage.deps.audit.head();
    await stage.tell('👍', { ...NOWHERE, kind: 'reaction', isAddressed: false });
    expect((await stage.deps.audit.head()).seq).toBe(seq);
    await stage.tell('hi', { ...NOWHERE, isAddressed: false, by: 'stranger-7' });
    expect(await read().get('context_seen', { channel: 'nowhere' })).toBeUndefined();
    await stage.tell('hi', NOWHERE);
    const forgotten = await stage.deps.audit.tail(10, { action: 'context.forget_seen' });
    expect(forgotten).toMatchObject([{ data: { channel: 'f7', for: 'nowhere' } }]);
    expect(await read().count('context_seen', {})).toBe(1_000);
    expect(await read().get('context_seen', { channel: 'f7' })).toBeUndefined();
    expect(await read().get('context_seen', { channel: 'nowhere' })).toBeDefined();
  });

  test('keeps its age when it moves', async () => {
    await stage.tell('hi', NOWHERE);
    const [first] = await seen();
    await stage.world.clock.advance(1_000);
    await stage.tell('', { ...NOWHERE, kind: 'moved', channel: 'super', movedFrom: 'nowhere' });
    expect(await seen()).toMatchObject([{ channel: 'super', firstSeenAt: first?.firstSeenAt }]);
  });
});
