import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Act, stateOf } from './crash-acts.fixture.ts';
import { codeFor } from './crash-house-acts.fixture.ts';
import type { Attempt } from './crash-world.fixture.ts';

interface HubRow {
  readonly id: string;
  readonly state: 'asked' | 'active';
}

/**
 * The admin hub: asked for in chat, signed, told of questions that are answered there or void, shown a direct talk, ended; and one request
 * that is sent away.
 */
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
    if (hub?.state === 'asked')
      await one.change('hub.approve', { id: hub.id, workspaces: ['community', `private-staff${one.n}`] });
    const approval = await one.propose('post');
    await one.wait(() => isHeardThere(one, approval), 'the card');
    await pressDeny(one, approval, sender);
    await one.wait(() => isHeardThere(one, `${approval} was denied`), 'the last word of the card');
    await voidOnItsCard(one);
    await sayLine(one, { channel: `talk-${one.n}`, channel_kind: 'direct', sender, text: '/whoami' });
    await one.wait(() => isHeardThere(one, '> /whoami'), 'the copy of the direct talk');
    await one.change('hub.rm', { id: 'memory' });
    if (!rowsOf(one).some(({ state }) => state === 'asked')) await sayHub(one, sender);
    for (const { id } of rowsOf(one)) await one.change('hub.rm', { id });
  },
};

function isHeardThere(one: Attempt, words: string): boolean {
  return one.world.home.chat.textsIn(channelOf(one)).some((text) => text.includes(words));
}

/** Presses the button of the card, unless the first attempt has. */
async function pressDeny(one: Attempt, approval: string, sender: string): Promise<void> {
  const { home } = one.world;
  if (stateOf(one, approval) !== 'pending') return;
  const card = home.chat
    .delivered()
    .find(({ address, payload }) => address === channelOf(one) && String(payload.text).includes(approval));
  const buttons: readonly { readonly id: string; readonly label: string }[] = Object(card?.payload.buttons);
  const button = [...buttons].find(({ label }) => label === 'Deny')?.id;
  speak(one, { channel: channelOf(one), sender, kind: 'button', button, message: card?.id });
  await one.wait(() => stateOf(one, approval) === 'denied', 'the press');
}

/** Panic says nothing; when it is over, the card says that its question is void. */
async function voidOnItsCard(one: Attempt): Promise<void> {
  const approval = await one.propose('long');
  const isOpen = (): boolean => stateOf(one, approval) === 'pending';
  await one.wait(() => isHeardThere(one, approval) || !isOpen(), 'the second card');
  await one.change('panic.on', {});
  await one.change('panic.off', {});
  // A card that panic met on its way never arrives.
  if (isHeardThere(one, approval)) await one.wait(() => isHeardThere(one, `${approval} is void`), 'its end');
}

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

/** Puts a line into the inbox, with an id of its own each time. @returns the id */
function speak(one: Attempt, line: Readonly<Record<string, unknown>>): string {
  const { home, books } = one.world;
  const id = `hub-${one.n}-${books.rows('select 1 from ingest_event').length}-${one.isRepeat}`;
  const text = JSON.stringify({ id, ...line });
  writeFileSync(join(home.folder, 'chat', 'inbox.jsonl'), `${text}\n`, { flag: 'a' });
  return id;
}

/** Says `/hub` there and waits until it is taken. */
async function sayHub(one: Attempt, sender: string): Promise<void> {
  await sayLine(one, { channel: channelOf(one), channel_kind: 'channel', sender, text: '/hub' });
}

async function sayLine(one: Attempt, line: Readonly<Record<string, unknown>>): Promise<void> {
  const { books, accepted } = one.world;
  const id = speak(one, line);
  await one.wait(
    () => books.rows('select 1 from ingest_event where external_id = ?', id).length > 0,
    `${id} is taken`,
  );
  accepted.add(id);
}
