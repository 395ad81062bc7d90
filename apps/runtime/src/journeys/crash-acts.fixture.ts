import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Attempt } from './crash-world.fixture.ts';
import { getRun, post } from './journey.fixture.ts';

/**
 * Something that people do, from the request to its end. Called again with the same number after a crash it repeats its requests as a
 * client would, and ends well.
 */
export type Act = (attempt: Attempt) => Promise<void>;

const HOURS_24 = 25 * 60 * 60_000;

/** What runs do. */
export const WORK_ACTS: Readonly<Record<string, Act>> = {
  chat: async (one) => {
    await one.say('plain');
    await one.wait(() => one.isHeard(`Answer to plain ${one.n}.`), 'the answer');
  },
  tools: async (one) => {
    await one.asked('read');
    await one.asked('note');
  },
  memory: async (one) => {
    await one.asked('memory');
    const [change] = (await one.call('memory.list', { workspace: 'community', limit: 1 })).items;
    if (change !== undefined) await one.change('memory.undo', { id: change.id });
  },
  failure: async (one) => {
    await one.say('fail');
    const isOver = (): boolean =>
      one.world.books.rows(
        `select 1 from run r join ingest_event e on e.run = r.id where e.external_id = ? and r.state = 'failed'`,
        `fail-${one.n}`,
      ).length > 0;
    await one.wait(isOver, 'the failure');
    await one.wait(() => one.isHeard('That did not work'), 'the notice');
  },
  'http event': async (one) => {
    const { secret } =
      (await one.change('token.create', { name: `web-${one.n}-${one.isRepeat}`, workspace: 'community' })) ??
      {};
    if (secret === undefined) return;
    const answer = await post(one.world.runtime, secret, {
      text: `Please do [plain ${one.n}].`,
      idempotency_key: `web-key-${one.n}`,
    });
    const { run_id: run } = (await answer.json()) as { run_id: string }; // safe: the public contract, tested elsewhere
    await one.ended(run);
    const { output } = await getRun(one.world.runtime, secret, run);
    if (output !== `Answer to plain ${one.n}.`) throw new Error(`the token reads ${output}`);
  },
  'chat command': async (one) => {
    await one.say('none');
    const line = { id: `help-${one.n}`, channel: 'general', sender: `guest-${one.n}`, text: '/help' };
    await sayLine(one, line);
    await sayLine(one, { ...line, id: `denied-${one.n}`, channel: 'unbound', text: 'Is anybody here?' });
    await sayLine(one, { ...line, id: `logged-${one.n}`, text: 'Just talking.', addressed: false });
  },
  abort: async (one) => {
    const run = await one.ask('held');
    await one.wait(
      () => one.world.model.timesAsked('held', one.n) > 0 || isOver(one, run),
      'the model is asked',
    );
    const task = taskOf(one, run);
    await one.change('task.abort', { id: task });
    await one.ended(run);
    one.world.model.release(one.n);
    await one.change('task.retry', { id: task });
    const last = (): string =>
      one.world.books.rows<{ state: string }>(
        'select state from run where task = ? order by attempt desc limit 1',
        task,
      )[0]?.state ?? '';
    await one.wait(() => last() === 'succeeded', 'the second attempt');
  },
  steer: async (one) => {
    const run = await one.ask('held');
    await one.wait(
      () => one.world.model.timesAsked('held', one.n) > 0 || isOver(one, run),
      'the model is asked',
    );
    await one.change('task.steer', { id: taskOf(one, run), text: 'Shorter, please.' });
    one.world.model.release(one.n);
    await one.ended(run);
  },
};

/** Effects, their questions and their answers. */
export const EFFECT_ACTS: Readonly<Record<string, Act>> = {
  'approved post': async (one) => {
    const approval = await one.propose('post');
    await one.vote(approval, 'grant');
    await one.effect(approval, 'done');
    await one.wait(() => one.isHeard(`Post ${one.n}.`), 'the post');
  },
  'post of several messages': async (one) => {
    const approval = await one.propose('long');
    await one.vote(approval, 'grant');
    await one.effect(approval, 'done');
  },
  'approved write': async (one) => {
    const approval = await one.propose('control');
    await one.vote(approval, 'grant');
    await one.effect(approval, 'done');
    await one.wait(() => one.exists(`skills/crash-${one.n}.md`), 'the file');
  },
  deny: async (one) => {
    const approval = await one.propose('post');
    await one.vote(approval, 'deny');
    await one.effect(approval, 'denied');
  },
  withdraw: async (one) => {
    const approval = await one.propose('post');
    await one.change('approval.withdraw', { id: approval });
    await one.effect(approval, 'withdrawn', 'denied', 'void', 'superseded');
  },
  edit: async (one) => {
    const approval = await one.propose('post');
    await one.change('approval.edit', { id: approval, text: `Other words ${one.n}.` });
    await one.effect(approval, 'superseded');
  },
  expiry: async (one) => {
    const approval = await one.propose('post');
    if (stateOf(one, approval) !== 'pending') return;
    one.world.ahead(HOURS_24);
    await one.world.stop();
    await one.world.restart({ mayDie: true });
    await one.next().effect(approval, 'expired');
  },
  standing: async (one) => {
    const row = await one.change('standing.add', {
      workspace: 'community',
      effect_kind: 'message.post',
      connector: 'memory',
      account: 'demo',
      recipients: ['general'],
      template: `Post ${one.n}.`,
      per_day: 3,
      max_uses: 5,
      ends_at: new Date(Date.now() + 365 * 24 * 60 * 60_000).toISOString(),
    });
    const { pending_approvals: [approval] = [] } = await one.asked('post');
    if (approval !== undefined && stateOf(one, approval) === 'pending') await one.vote(approval, 'grant');
    for (const { id, revoked_at: revokedAt } of (await one.call('standing.list', {})).items)
      if (revokedAt === undefined) await one.change('standing.revoke', { id });
    if (row === undefined && approval === undefined) throw new Error('nothing was posted');
    await one.wait(() => one.isHeard(`Post ${one.n}.`), 'the post');
  },
  'refused delivery': async (one) => {
    const approval = await one.propose('post');
    if (stateOf(one, approval) === 'pending') one.fault({ kind: 'rejected' });
    await one.vote(approval, 'grant');
    // Killed between the refusal and its record, it is tried again, and the trouble is over.
    await one.effect(approval, 'rejected', ...(one.isRepeat ? ['done'] : []));
    one.clearFault();
  },
  'delayed delivery': async (one) => {
    const approval = await one.propose('post');
    if (stateOf(one, approval) === 'pending') one.fault({ kind: 'exhausted', retryAfterMs: 50 });
    await one.vote(approval, 'grant');
    await one.effect(approval, 'done');
    one.clearFault();
  },
  'doubtful delivery': async (one) => {
    const approval = await one.propose('post');
    if (stateOf(one, approval) === 'pending') one.fault({ kind: 'uncertain', doesArrive: false });
    await one.vote(approval, 'grant');
    const effect = await one.effect(approval, 'uncertain', 'done', 'rejected');
    one.clearFault();
    if (one.world.books.rows(`select 1 from effect where id = ? and state = 'uncertain'`, effect).length > 0)
      await one.change('effect.resolve', { id: effect, outcome: 'not-sent' });
  },
  'refused at the last moment': async (one) => {
    const approval = await one.propose('post');
    if (stateOf(one, approval) === 'pending') one.fault({ kind: 'exhausted', retryAfterMs: 1_500 });
    await one.vote(approval, 'grant');
    const isTried = (): boolean =>
      one.world.books.rows(
        `select 1 from effect where approval = ? and (attempts > 0 or state <> 'approved')`,
        approval,
      ).length > 0 &&
      one.world.books.rows(`select 1 from effect where approval = ? and state = 'performing'`, approval)
        .length === 0;
    await one.wait(isTried, 'the first try');
    await one.change('context.set', {
      id: 'memory-staff',
      tools: TOOLS.filter((name) => name !== 'post_message'),
    });
    await one.effect(approval, 'denied', ...(one.isRepeat ? ['done'] : []));
    one.clearFault();
    await one.change('context.set', { id: 'memory-staff', tools: TOOLS });
  },
};

const TOOLS = ['qmd_search', 'md_read', 'md_list', 'md_grep', 'md_write', 'post_message'];

function sayLine(
  one: Attempt,
  line: Readonly<Record<string, unknown>> & { readonly id: string },
): Promise<void> {
  const { home, books, accepted } = one.world;
  writeFileSync(join(home.folder, 'chat', 'inbox.jsonl'), `${JSON.stringify(line)}\n`, { flag: 'a' });
  const isBound = line.channel !== 'unbound';
  const isTaken = (): boolean =>
    isBound
      ? books.rows('select 1 from ingest_event where external_id = ?', line.id).length > 0
      : books.rows(`select 1 from notify_notice where key like ?`, `refused:%${String(line.sender)}%`)
          .length > 0;
  return one.wait(isTaken, `${line.id} is taken`).then(() => void (isBound && accepted.add(line.id)));
}

export function taskOf(one: Attempt, run: string): string {
  return one.world.books.rows<{ task: string }>('select task from run where id = ?', run)[0]?.task ?? '';
}

export function isOver(one: Attempt, run: string): boolean {
  return (
    one.world.books.rows(
      `select 1 from run where id = ? and state in ('succeeded', 'failed', 'aborted')`,
      run,
    ).length > 0
  );
}

export function stateOf(one: Attempt, approval: string): string {
  return (
    one.world.books.rows<{ state: string }>('select state from approval where id = ?', approval)[0]?.state ??
    ''
  );
}
