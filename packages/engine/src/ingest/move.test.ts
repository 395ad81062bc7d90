import { AppError } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { useStage } from '../run/run.fixture.ts';
import { approvedPost, insertReply, ORIGIN, TEST_AUDIT, WORKSPACE } from '../settle/world.fixture.ts';

const stage = useStage();
const read = () => stage.world.deps.store.read;
const MOVED = { kind: 'moved', movedFrom: 'ops-channel', channel: 'super', key: 'chat:test/super' } as const;

describe('a group that moved', () => {
  test('is the same context, and the same conversation goes on', async () => {
    const first = await stage.tell('hello', { key: 'chat:test/ops-channel' });
    await stage.settled(first.run);
    for (const externalId of ['move-1', 'move-1', 'move-from-there']) {
      await stage.tell('', { ...MOVED, externalId });
    }
    expect(await read().count('context_seen', {})).toBe(0);
    expect(await read().get('context', { id: ORIGIN })).toMatchObject({ channel: 'super' });
    expect((await stage.world.actions(ORIGIN)).filter((one) => one === 'context.move')).toHaveLength(1);
    const again = await stage.tell('and now?', { channel: 'super', key: 'chat:test/super' });
    const [one, other] = [await stage.settled(first.run), await stage.settled(again.run)];
    expect(other.conversation).toBe(one.conversation);
    const [answer] = await read().find('effect', { run: other.id, kind: 'message.reply' });
    expect(answer).toMatchObject({ state: 'done', sink: { address: 'super' } });
    expect(await stage.tell('old', { externalId: 'late' })).toMatchObject({ outcome: 'refused' });
  });

  test('takes its hub, its place in rules and in the list along', async () => {
    await stage.set({ bindings: [{ connector: 'chat', account: 'test', group: 'ops-channel' }] });
    await stage.world.deps.store.commit(TEST_AUDIT, async (tx) => {
      await tx.insert('hub', {
        id: stage.world.deps.ids.make('hub'),
        state: 'active',
        connector: 'chat',
        account: 'test',
        channel: 'ops-channel',
        context: ORIGIN,
        workspace: WORKSPACE,
        askedBy: stage.world.context.owner,
        askedAt: 1,
        expiresAt: 2,
        clearedFor: [],
      });
    });
    await stage.tell('hi', { channel: 'super' });
    await stage.tell('', MOVED);
    expect(await read().get('hub', { context: ORIGIN })).toMatchObject({ channel: 'super' });
    expect((await read().get('workspace', { id: WORKSPACE }))?.settings.bindings?.[0]?.group).toBe('super');
    expect(await read().count('context_seen', {})).toBe(0);
  });

  test('voids answers that wait for the old address, says so once, and leaves what was approved', async () => {
    stage.world.chat.onDeliver = () => {
      throw new AppError({ code: 'chat.down.unavailable', kind: 'unavailable', message: 'down' });
    };
    const waiting = await insertReply(stage.world, 'an answer');
    const post = await approvedPost(stage.world, 'a post');
    await stage.tell('', MOVED);
    expect(await stage.world.effect(waiting)).toMatchObject({
      state: 'void',
      error: { message: expect.stringContaining('moved to another address') },
    });
    expect((await stage.world.effect(post)).state).not.toBe('void');
    const notices = await read().find('effect', { class: 'E0', context: ORIGIN });
    const said = notices.filter((one) => JSON.stringify(one.payloads).includes('new address'));
    expect(said).toMatchObject([{ sink: { address: 'super' } }]);
  });

  test('to where another place is bound changes nothing', async () => {
    await stage.tell('', { ...MOVED, channel: 'news-channel' });
    expect(await read().get('context', { id: ORIGIN })).toMatchObject({ channel: 'ops-channel' });
  });
});
