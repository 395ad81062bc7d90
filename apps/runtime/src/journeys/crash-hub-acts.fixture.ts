import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Act } from './crash-acts.fixture.ts';
import { codeFor } from './crash-house-acts.fixture.ts';
import type { Attempt } from './crash-world.fixture.ts';

interface HubRow {
  readonly id: string;
  readonly state: 'asked' | 'active';
}

/** The admin hub: asked for in chat, signed, told of a question, ended; and one request that is sent away. */
export const HUB_ACTS: Readonly<Record<string, Act>> = {
  hub: async (one) => {
    const sender = await staff(one);
    await one.change('context.bind', {
      workspace: 'community',
      connector: 'memory',
      account: 'demo',
      channel: channelOf(one),
      id: `hub${one.n}`,
      openness: 'closed',
    });
    if (rowsOf(one).length === 0) await sayHub(one, sender);
    const [hub] = rowsOf(one);
    if (hub?.state === 'asked') await one.change('hub.approve', { id: hub.id, workspaces: ['community'] });
    const approval = await one.propose('post');
    const isTold = (): boolean =>
      one.world.home.chat.textsIn(channelOf(one)).some((text) => text.includes(approval));
    await one.wait(isTold, 'the card');
    await one.change('approval.withdraw', { id: approval });
    await one.change('hub.rm', { id: 'memory' });
    if (!rowsOf(one).some(({ state }) => state === 'asked')) await sayHub(one, sender);
    for (const { id } of rowsOf(one)) await one.change('hub.rm', { id });
  },
};

function channelOf(one: Attempt): string {
  return `hub-${one.n}`;
}

function rowsOf(one: Attempt): readonly HubRow[] {
  return one.world.books.rows<HubRow>('select id, state from hub where context = ?', `hub${one.n}`);
}

/** Pairs an operator, once. @returns the platform's id of their account */
async function staff(one: Attempt): Promise<string> {
  const { books } = one.world;
  const user = `staff${one.n}`;
  const known = (): string | undefined =>
    books.rows<{ sender: string }>(
      'select l.external_id as sender from identity_link l join identity_user u on u.id = l.user where u.name = ?',
      user,
    )[0]?.sender;
  const linked = known();
  if (linked !== undefined) return linked;
  // Another account than the first attempt's: one alone gets only a few codes.
  const sender = `${user}-${one.isRepeat ? 'again' : 'first'}`;
  const { code } = await codeFor(one, sender);
  await one.call('pair.approve', {
    code,
    user,
    create_user: books.rows('select 1 from identity_user where name = ?', user).length === 0,
    role: 'operator',
    scope: 'ws:community',
  });
  return sender;
}

/** Says `/hub` there, with an id of its own each time, and waits until it is taken. */
async function sayHub(one: Attempt, sender: string): Promise<void> {
  const { home, books, accepted } = one.world;
  const id = `hub-${one.n}-${books.rows('select 1 from ingest_event').length}-${one.isRepeat}`;
  const line = { id, channel: channelOf(one), channel_kind: 'channel', sender, text: '/hub' };
  writeFileSync(join(home.folder, 'chat', 'inbox.jsonl'), `${JSON.stringify(line)}\n`, { flag: 'a' });
  await one.wait(
    () => books.rows('select 1 from ingest_event where external_id = ?', id).length > 0,
    `${id} is taken`,
  );
  accepted.add(id);
}
