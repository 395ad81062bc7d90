import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@agent-runtime/domain';
import { type Act, isOver, stateOf, taskOf } from './crash-acts.fixture.ts';
import type { Person } from './crash-client.fixture.ts';
import type { Attempt } from './crash-world.fixture.ts';

/** A person with a key and a role in the community. @returns undefined when the first attempt came as far as their leaving */
async function newcomer(one: Attempt, role: 'member' | 'operator' = 'member'): Promise<Person | undefined> {
  const user = `p${one.n}`;
  await one.change('user.add', { name: user });
  await one.change('grant.add', { user, role, scope: 'ws:community' });
  const person = one.world.stranger();
  one.assertAlive();
  try {
    await person.enrol({ user });
  } catch (thrown) {
    if (one.isRepeat && thrown instanceof AppError && thrown.code === 'identity.user.conflict')
      return undefined;
    throw thrown;
  }
  return person;
}

/** Says something in a direct talk of its own, fresh each time, and waits until it is taken. @returns its external id */
async function inTalk(one: Attempt, sender: string, text: string): Promise<string> {
  const { home, books } = one.world;
  const id = `talk-${one.n}-${sender}-${books.rows('select 1 from ingest_event').length}-${one.isRepeat}`;
  const line = { id, channel: `talk-${one.n}`, channel_kind: 'direct', sender, text };
  writeFileSync(join(home.folder, 'chat', 'inbox.jsonl'), `${JSON.stringify(line)}\n`, { flag: 'a' });
  await one.wait(
    () => books.rows('select 1 from ingest_event where external_id = ?', id).length > 0,
    `${id} is taken`,
  );
  one.world.accepted.add(id);
  return id;
}

/** Asks for a code as a stranger. */
export async function codeFor(
  one: Attempt,
  sender: string,
): Promise<{ readonly code: string; readonly pairing: string }> {
  const { home, books } = one.world;
  const id = await inTalk(one, sender, 'pair');
  const [asked] = books.rows<{ notice: string }>(
    `select json_extract(data, '$.notice') as notice from audit_event where action = 'identity.pair_ask' and subject = ?`,
    `memory:demo:${id}`,
  );
  const told = (): string =>
    String(home.chat.delivered().find((sent) => sent.effect_id === asked?.notice)?.payload.text ?? '');
  await one.wait(() => told() !== '', 'the code');
  const [row] = books.rows<{ id: string }>('select id from identity_pairing where external_id = ?', sender);
  return { code: /(?:[0-9A-Z]{4}-){6}[0-9A-Z]{4}/.exec(told())?.[0] ?? '', pairing: row?.id ?? '' };
}

/** People, places, secrets and switches. */
export const HOUSE_ACTS: Readonly<Record<string, Act>> = {
  people: async (one) => {
    const user = `p${one.n}`;
    const person = await newcomer(one);
    if (person !== undefined) await one.refused('user.add', { name: `q${one.n}` }, person);
    const { grants, keys } = await one.call('user.show', { id: user });
    for (const { id } of grants) await one.change('grant.rm', { id });
    for (const { id } of keys.slice(0, 1)) await one.change('key.revoke', { id });
    await one.change('user.offboard', { id: user });
  },
  certificates: async (one) => {
    await newcomer(one);
    const { items } = await one.call('certificate.list', {});
    const theirs = items.find((row) => row.user === `p${one.n}` && row.revoked_at === undefined);
    if (theirs !== undefined) await one.change('certificate.revoke', { id: theirs.id });
    // The old CA goes at once: a second rollover while one lasts would be refused.
    await one.change('certificate.rotate_ca', { distrust_old: true });
  },
  'refused orders': async (one) => {
    const person = await newcomer(one, 'operator');
    const approval = await one.propose('post');
    if (person === undefined) throw new Error('nobody offboards the operator');
    if (stateOf(one, approval) === 'pending')
      await one.refused('approval.withdraw', { id: approval }, person);
    const run = await one.ask('held');
    if (!isOver(one, run)) await one.refused('task.steer', { id: taskOf(one, run), text: 'No.' }, person);
    one.world.model.release(one.n);
    await one.ended(run);
    await one.change('approval.withdraw', { id: approval });
  },
  revocation: async (one) => {
    const user = `p${one.n}`;
    const person = await newcomer(one);
    if (person !== undefined) {
      await one.ask('held', { context: 'memory-staff' }, person);
      await one.wait(() => one.world.model.timesAsked('held', one.n) > 0, 'the model is asked');
    }
    await one.change('user.offboard', { id: user });
    one.world.model.release(one.n);
    await one.world.rest();
  },
  places: async (one) => {
    const id = `w${one.n}`;
    await one.change('workspace.create', { id });
    await one.change('workspace.set', { id, title: `Place ${one.n}` });
    await one.ended(await one.ask('plain', { workspace: id, context: undefined, conversation: `in-${id}` }));
    await one.change('context.bind', {
      workspace: id,
      connector: 'memory',
      account: 'demo',
      channel: `ch-${id}`,
      id: `c${one.n}`,
    });
    await one.change('context.set', { id: `c${one.n}`, title: `Room ${one.n}` });
  },
  pairing: async (one) => {
    const { books, home } = one.world;
    const user = `mate${one.n}`;
    const talk = `talk-${one.n}`;
    const link = () =>
      books.rows<{ id: string; sender: string }>(
        'select l.id, l.external_id as sender from identity_link l join identity_user u on u.id = l.user where u.name = ?',
        user,
      )[0];
    if (link() === undefined) {
      // Another account than the first attempt's: one alone gets only a few codes.
      const sender = `${user}-${one.isRepeat ? 'again' : 'first'}`;
      await one.change('pair.deny', { id: (await codeFor(one, sender)).pairing });
      const { code } = await codeFor(one, sender);
      await one.call('pair.approve', {
        code,
        user,
        create_user: books.rows('select 1 from identity_user where name = ?', user).length === 0,
        role: 'member',
        scope: 'ws:community',
      });
    }
    const { id = '', sender = '' } = link() ?? {};
    await inTalk(one, sender, `Please do [plain ${one.n}].`);
    const isAnswered = (): boolean =>
      home.chat.textsIn(talk).some((text) => text.includes(`Answer to plain ${one.n}.`));
    await one.wait(isAnswered, 'the answer in the talk');
    await inTalk(one, sender, '/new');
    await inTalk(one, sender, '/workspace community');
    await one.change('identity.unlink', { id });
  },
  'places of a group': async (one) => {
    const [group, seen, taken, moved] = [
      `group-${one.n}`,
      `seen-${one.n}`,
      `in-group-${one.n}`,
      `moved-${one.n}`,
    ];
    const happens = async (line: object, found: string, id: string): Promise<void> => {
      const event = {
        id: `${found}-${id}-${one.isRepeat}`,
        sender: 'somebody',
        channel_kind: 'group',
        ...line,
      };
      writeFileSync(join(one.world.home.folder, 'chat', 'inbox.jsonl'), `${JSON.stringify(event)}\n`, {
        flag: 'a',
      });
      const rows = (): readonly unknown[] =>
        one.world.books.rows(`select 1 from ${found} where channel = ?`, id);
      await one.wait(() => rows().length > 0, `${id} is in ${found}`);
    };
    const self = { change: 'joined', isSelf: true };
    await happens({ channel: seen, kind: 'member', member: self }, 'context_seen', seen);
    await one.change('workspace.set', {
      id: 'community',
      bind: [{ connector: 'memory', account: 'demo', group }],
    });
    await happens({ channel: taken, group, kind: 'member', member: self }, 'context', taken);
    await happens({ channel: moved, kind: 'moved', moved_from: taken }, 'context', moved);
  },
  labels: async (one) => {
    await one.asked('note');
    await one.change('label.approve', { workspace: 'community', path: `notes/crash-${one.n}.md` });
    await one.change('label.publish', { workspace: 'community', path: `notes/crash-${one.n}.md` });
  },
  secrets: async (one) => {
    await one.change('secret.set', { name: 'LLM_API_KEY', value: `value-${one.n}` });
    await one.change('secret.rm', { name: 'LLM_API_KEY' });
  },
  tokens: async (one) => {
    await one.change('token.create', { name: `t${one.n}`, workspace: 'community' });
    const mine = (await one.call('token.list', {})).items.filter(({ name }) => name === `t${one.n}`);
    for (const { id } of mine) await one.change('token.revoke', { id });
  },
  panic: async (one) => {
    const run = await one.ask('held');
    if (!isOver(one, run))
      await one.wait(
        () => one.world.model.timesAsked('held', one.n) > 0 || isOver(one, run),
        'the model is asked',
      );
    await one.change('panic.on', {});
    await one.change('panic.off', {});
    one.world.model.release(one.n);
    await one.world.rest();
  },
  gate: async (one) => {
    await one.change('gate.open', {});
  },
};

/** What a start finds. */
export const START_ACTS: Readonly<Record<string, Act>> = {
  'restart with work': async (one) => {
    await one.ask('held');
    await one.wait(() => one.world.model.timesAsked('held', one.n) > 0, 'the model is asked');
    await one.world.runtime.kill();
    await one.world.restart({ mayDie: true });
    one.world.model.release(one.n);
    await one.world.rest();
  },
  'stop with work': async (one) => {
    await one.ask('held');
    await one.wait(() => one.world.model.timesAsked('held', one.n) > 0, 'the model is asked');
    await one.world.stop();
    await one.world.restart({ mayDie: true });
    one.world.model.release(one.n);
    await one.world.rest();
  },
  'panic before its record': async (one) => {
    const { world } = one;
    if (one.isRepeat) return void (await one.change('panic.off', {}));
    await one.propose('post');
    // The flag is on the disk before the rows are: a start under panic writes what the dead process could not.
    const target = world.armed();
    world.arm('commit.before:panic.on#1');
    await one.call('panic.on', {}).catch(() => undefined);
    world.arm(target);
    await world.restart({ mayDie: true });
    await one.next().change('panic.off', {});
  },
  'work that kills every process': async (one) => {
    const { world } = one;
    const run = await one.ask('held');
    for (let starts = 1; !isOver(one, run) && starts <= 5; starts += 1) {
      await one
        .next()
        .wait(
          () => isOver(one, run) || world.model.timesAsked('held', one.n) >= starts,
          'the model is asked',
        );
      if (isOver(one, run)) break;
      await world.runtime.kill();
      await world.restart({ mayDie: true });
    }
    world.model.release(one.n);
    await world.rest();
  },
  'edited settings': async (one) => {
    const path = join(one.world.home.dataDir, 'workspaces/community/contexts/memory-general/context.md');
    const text = readFileSync(path, 'utf8').replace(/^title: .*$/m, `title: General ${one.n}`);
    writeFileSync(path, text);
    const isRead = (): boolean =>
      one.world.books.rows(
        `select 1 from context where id = 'memory-general' and settings like ?`,
        `%General ${one.n}"%`,
      ).length > 0;
    await one.wait(isRead, 'the settings are read');
  },
  'older database': async (one) => {
    const { world } = one;
    const approval = await one.propose('post');
    if (stateOf(one, approval) !== 'pending') return void (await one.change('gate.open', {}));
    // A reader would keep the log of the database from going into its file.
    world.books.close();
    await world.stop();
    const folder = join(world.home.dataDir, 'agent-runtime');
    const copy = readFileSync(join(folder, 'meta.sqlite'));
    const target = world.armed();
    await world.restart();
    await one.next().call('user.add', { name: `lost${one.n}` });
    world.books.close();
    await world.stop();
    for (const name of ['meta.sqlite-wal', 'meta.sqlite-shm']) rmSync(join(folder, name), { force: true });
    writeFileSync(join(folder, 'meta.sqlite'), copy);
    world.arm(target);
    await world.restart({ mayDie: true });
    await one.next().change('gate.open', {});
  },
};
