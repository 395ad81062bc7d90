import type { SuggestQuestion, WorkspaceId } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { useStage } from '../run/run.fixture.ts';
import { contextRow, ORIGIN, proposePost, TEST_AUDIT, tamper, WORKSPACE } from '../settle/world.fixture.ts';

const stage = useStage();
const ask = (
  typed: string,
  more: Partial<SuggestQuestion> & { readonly by?: string; readonly in?: string } = {},
) => {
  const { by = 'mia', in: channel = 'ops-channel', ...rest } = more;
  return stage.engine.suggest({
    source: 'chat:test',
    channel: { id: channel, kind: 'channel', title: 'x' },
    sender: { id: by, displayName: by, isBot: false },
    about: 'open',
    typed,
    ...rest,
  });
};
const values = async (...asked: Parameters<typeof ask>) => (await ask(...asked)).map(({ value }) => value);

async function putLabelled(path: string, audience: readonly string[]): Promise<void> {
  await stage.files.write({
    workspace: WORKSPACE,
    path,
    text: `about ${path}\n`,
    label: { integrity: 1, audience } as never, // safe: tags of the test world
    expected: 'absent',
    audit: { action: 'test.write', actor: 'test', subject: path },
  });
}

describe('suggestions for /open', () => {
  test('begin with what begins so, then what holds it, at most 25', async () => {
    for (const path of ['faq.md', 'notes/old-faq.md', 'notes/plan.md']) await stage.put(path, 'x\n');
    expect(await values('FAQ')).toEqual(['faq.md', 'notes/old-faq.md']);
    expect(await values('')).toHaveLength(3);
    expect(await values('nothing like it')).toEqual([]);
    for (let n = 0; n < 30; n += 1) await stage.put(`many/${n}.md`, 'x\n');
    await stage.world.clock.advance(5_000);
    expect(await values('many/')).toHaveLength(25);
  });

  test('are kept for a few seconds, and what changed is seen after them', async () => {
    await stage.put('faq.md', 'x\n');
    expect(await values('')).toEqual(['faq.md']);
    await stage.put('new.md', 'x\n');
    expect(await values('')).toEqual(['faq.md']);
    await stage.world.clock.advance(5_000);
    expect(await values('')).toEqual(['faq.md', 'new.md']);
  });

  test('name a long path by an id and show its end', async () => {
    await stage.put(`notes/${'long-'.repeat(30)}end.md`, 'x\n');
    const [one] = await ask('long');
    expect(one?.value).toMatch(/^#[0-9a-f]{12}$/);
    expect(one?.label).toHaveLength(100);
    expect(one?.label).toMatch(/^….*end\.md$/);
  });

  test('hold no record, and nothing for another place, by name or by number, whatever is typed', async () => {
    await stage.put('faq.md', 'x\n');
    await stage.put('logs/chat/ops/2026-11.md', 'canary\n');
    await putLabelled('notes/canary-news.md', [`ctx:${WORKSPACE}/news`]);
    await putLabelled('notes/canary-private.md', ['priv:user_00000000000000000001']);
    await putLabelled('notes/canary-other.md', ['ws:other']);
    const reads: string[] = [];
    const { files } = stage.deps;
    const before = files.read;
    Object.assign(files, {
      read: (workspace: WorkspaceId, path: string) => {
        reads.push(path);
        return before(workspace, path);
      },
    });
    const counts: number[] = [];
    for (const typed of ['', 'c', 'ca', 'canary', 'canary-news', 'notes/canary-private.md', 'logs', '2026']) {
      const found = await ask(typed);
      expect(JSON.stringify(found)).not.toMatch(/canary|logs|2026/);
      counts.push(found.length);
      await stage.world.clock.advance(5_000);
      expect(reads.sort()).toEqual(
        ['faq.md', 'notes/canary-news.md', 'notes/canary-other.md', 'notes/canary-private.md'].sort(),
      );
      reads.length = 0;
    }
    // The same files are looked at whatever was typed, so that neither count nor time tells of hidden ones.
    expect(counts).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
  });

  test('of an open place are what is published', async () => {
    await stage.put('faq.md', '---\naudience: public\n---\nx\n');
    await stage.put('internal.md', 'x\n');
    expect(await values('')).toEqual(['faq.md', 'internal.md']);
    await stage.world.deps.store.commit(TEST_AUDIT, (tx) =>
      tx.update('context', { id: ORIGIN }, { openness: 'open' }),
    );
    expect(await values('')).toEqual(['faq.md']);
  });
});

describe('nothing is suggested', () => {
  test.each([
    ['to strangers', { by: 'stranger-9' }],
    ['to machines', { sender: { id: 'mia', displayName: 'x', isBot: true } }],
    ['in a place that is not bound', { in: 'nowhere' }],
    ['by another account', { source: 'chat:other' }],
  ] as const)('%s', async (_who, more) => {
    await stage.put('faq.md', 'x\n');
    await stage.put('skills/digest.md', 'x\n');
    expect(await values('', { about: 'run' })).toEqual(['digest']);
    expect(await values('', more)).toEqual([]);
    expect(await values('', { ...more, about: 'run' })).toEqual([]);
  });

  test('to people without a role, under panic, behind the gate, and when files cannot be read', async () => {
    await stage.put('faq.md', 'x\n');
    stage.world.panic.turnOn('test', 0);
    expect(await values('')).toEqual([]);
    stage.world.panic.turnOff('test', 0);
    expect(await values('')).toEqual(['faq.md']);
    await stage.world.clock.advance(5_000);
    const { files } = stage.deps;
    const list = files.list;
    Object.assign(files, { list: async () => Promise.reject(new Error('disk')) });
    expect(await values('')).toEqual([]);
    Object.assign(files, { list });
    expect(await values('')).toEqual(['faq.md']);
    await stage.world.ungrant('user_00000000000000000004' as never); // safe: mia
    expect(await values('')).toEqual([]);
    await stage.world.grant('user_00000000000000000004' as never, 'viewer'); // safe: mia
    await stage.world.deps.store.commit(TEST_AUDIT, (tx) =>
      tx.insert('gate_state', { id: 'gate', isClosed: true, reason: 'restore', at: 0 }),
    );
    expect(await values('')).toEqual([]);
  });
});

describe('the form of an edit', () => {
  const BUTTON = 'button-0123456789abcdef';

  async function asked(context = ORIGIN): Promise<void> {
    const { effect, approval } = await proposePost(stage.world, 'the present words');
    await stage.world.deps.store.commit(TEST_AUDIT, (tx) =>
      tx.insert('approval_button', {
        id: BUTTON,
        act: 'edit',
        context,
        card: effect.id,
        approval: approval.id,
        createdAt: stage.world.clock.nowMs(),
        expiresAt: stage.world.clock.nowMs() + 60_000,
      }),
    );
  }
  const form = (more: Parameters<typeof ask>[1] = {}) => values(BUTTON, { about: 'edit', ...more });

  test('begins with the present words, for who asked and for staff', async () => {
    await asked();
    expect(await form({ by: 'olga' })).toEqual(['the present words']);
    expect(await form({ by: 'mia' })).toEqual(['the present words']);
    expect(await values('another', { about: 'edit' })).toEqual([]);
  });

  test('is empty for others, elsewhere, and for a button that is used, over, or does something else', async () => {
    await asked();
    expect(await form({ by: 'stranger-9' })).toEqual([]);
    expect(await form({ in: 'news-channel' })).toEqual([]);
    await tamper(stage.world, 'approval_button', { id: BUTTON }, { act: 'approve' });
    expect(await form()).toEqual([]);
    await tamper(
      stage.world,
      'approval_button',
      { id: BUTTON },
      { act: 'edit', person: 'user_00000000000000000001' as never },
    ); // safe: boss
    expect(await form({ by: 'olga' })).toEqual([]);
    await tamper(stage.world, 'approval_button', { id: BUTTON }, { person: undefined, usedAt: 1 });
    expect(await form({ by: 'boss' })).toEqual([]);
  });

  test('is empty once its time is over', async () => {
    await asked();
    await stage.world.clock.advance(60_000);
    expect(await form({ by: 'olga' })).toEqual([]);
  });

  test('is empty where the words may not be shown, and for a member who did not ask', async () => {
    await stage.world.deps.store.commit(
      TEST_AUDIT,
      (tx) => tx.insert('context', contextRow('open-place' as never, 'open-channel', 1)), // safe: a slug
    );
    await asked('open-place' as never); // safe: a slug
    expect(await form({ by: 'olga', in: 'open-channel' })).toEqual([]);
    await tamper(stage.world, 'approval_button', { id: BUTTON }, { context: ORIGIN });
    expect(await form({ by: 'olga' })).toEqual(['the present words']);
    await tamper(
      stage.world,
      'approval',
      { state: 'pending' },
      { requesterPerson: 'user_00000000000000000001' as never },
    ); // safe: boss
    expect(await form({ by: 'mia' })).toEqual([]);
  });
});
