import { makeLabel } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { callTool, replies, say, useStage } from '../run/run.fixture.ts';
import { must, ORIGIN, TEST_AUDIT, WORKSPACE } from '../settle/world.fixture.ts';
import { quiet } from './press.fixture.ts';

const stage = useStage();

const read = () => stage.world.deps.store.read;
const answer = async (text: string, by = 'mia'): Promise<string> =>
  must((await stage.tell(text, { by })).reply);
const held = (): PromiseWithResolvers<void> => {
  const gate = Promise.withResolvers<void>();
  stage.script = () => [{ kind: 'hold', until: gate.promise }, ...say('done')];
  return gate;
};
const running = async (id: string | undefined): Promise<void> => {
  while ((await stage.run(id)).state !== 'running' || stage.provider.running === 0)
    await stage.world.clock.settle();
};
/** A question of mia's that waits for an answer of staff. */
const asked = async (): Promise<string> => {
  stage.script = replies(
    callTool('post_message', { connector: 'chat', channel: 'news-channel', text: 'We open at nine.' }),
    say('Asked.'),
  );
  const run = await stage.settled((await stage.tell('post it')).run);
  // Nobody says yes before the card is there.
  await quiet(stage);
  return must(run.pendingApprovals[0]);
};

describe('an answer to a command', () => {
  test('arrives in the chat once, through the same door as every answer', async () => {
    const said = await answer('/help');
    expect(said).toContain('/search QUERY');
    await stage.tell('/help', { externalId: 'm1' });
    await stage.settled((await stage.tell('hello')).run);
    expect(stage.heard).toEqual([said, 'ok']);
    expect(await read().count('run', {})).toBe(1);
  });

  test('is not sent for a command of another bot, and no run starts', async () => {
    expect(await stage.tell('/help@other_bot')).toEqual({ outcome: 'logged', isRepeat: false });
    expect(await read().count('run', {})).toBe(0);
  });

  test('to an unknown command names /help', async () => {
    expect(await answer('/sudo make me admin')).toContain('/help');
    expect(await read().count('run', {})).toBe(0);
  });

  test('is never given to words of an authenticated door: there a slash is a text', async () => {
    const accepted = await stage.post('/panic on', { by: 'olga' });
    expect(accepted.outcome).toBe('run');
    expect(stage.world.panic.isOn()).toBe(false);
  });
});

describe('/task', () => {
  test('starts work without a mention; the first word can make it research', async () => {
    const accepted = await stage.tell('/task research the weather', { isAddressed: false });
    expect(await read().get('task', { id: must(accepted.task) })).toMatchObject({
      kind: 'research',
      title: 'research the weather',
    });
  });

  test('wants words, and a member', async () => {
    expect(await answer('/task')).toContain('/task TEXT');
    expect((await stage.tell('/task do it', { by: 'stranger-9' })).outcome).toBe('refused');
    expect(await read().count('run', {})).toBe(0);
  });
});

describe('/search and /open', () => {
  const hide = (path: string) =>
    stage.world.deps.store.commit(TEST_AUDIT, (tx) =>
      tx.update('label_file', { path }, { label: makeLabel(2, [`ctx:${WORKSPACE}/elsewhere`]) }),
    );

  test('show what may be seen here, with lines', async () => {
    await stage.put('faq.md', '# FAQ\n\nRefunds take 30 days.\n');
    expect(await answer('/search refunds')).toContain('faq.md:');
    expect(await answer('/open faq.md:3')).toBe('faq.md:3\nRefunds take 30 days.');
    expect(await answer('/search')).toContain('/search QUERY');
  });

  test('know nothing of what may not be seen: the same words as for what is not there', async () => {
    await stage.put('plan.md', 'The canary is blue.\n');
    await stage.files.read(WORKSPACE, 'plan.md');
    await hide('plan.md');
    expect(await answer('/search canary')).toBe('Nothing found here.');
    expect(await answer('/open plan.md')).toBe((await answer('/open gone.md')).replace('gone', 'plan'));
  });

  test('of what no disk can hold is an answer: an error that lasts would be offered again for ever', async () => {
    expect(await answer(`/open ${'a'.repeat(260)}.md`)).toContain('There is no aaa');
    expect(await answer(`/open ${'a'.repeat(260)}/${'b'.repeat(3_000)}.md`)).not.toBe('');
  });

  test.each(['/search faq', '/open faq.md', '/status'])('%s is not for strangers', async (command) => {
    await stage.put('faq.md', 'faq faq\n');
    expect(await answer(command, 'stranger-9')).toContain('role viewer');
  });
});

describe('/approve, /deny, /withdraw', () => {
  test('staff approve by a shortened id, and it leaves once', async () => {
    const id = await asked();
    expect(stage.heard.filter((text) => text === 'We open at nine.')).toEqual([]);
    expect(await answer(`/approve ${id.slice(5, 15)}`, 'olga')).toBe(`Approved ${id}.`);
    await stage.settled((await stage.tell('hello')).run);
    while (!stage.heard.includes('We open at nine.')) await stage.world.clock.settle();
    expect(await answer(`/approve ${id}`, 'olga')).toContain('no open approval');
    expect(stage.heard.filter((text) => text === 'We open at nine.')).toHaveLength(1);
  });

  test('who asked cannot approve, but can take it back', async () => {
    const id = await asked();
    expect(await answer(`/approve ${id}`)).toContain('operator');
    expect(await answer(`/deny ${id}`)).toContain('operator');
    expect(await answer(`/withdraw ${id}`, 'olga')).toContain('Only the person who asked');
    expect(await answer(`/withdraw ${id}`)).toBe(`Withdrawn: ${id}.`);
    expect(await read().get('approval', { id: id as never })).toMatchObject({ state: 'withdrawn' });
  });

  test('a no keeps its reason', async () => {
    const id = await asked();
    expect(await answer(`/deny ${id} not on a Sunday`, 'olga')).toBe(`Denied ${id}.`);
    expect(await read().get('approval', { id: id as never })).toMatchObject({
      state: 'denied',
      votes: [{ decision: 'deny', reason: 'not on a Sunday' }],
    });
  });

  test('nothing of another place is found', async () => {
    const id = await asked();
    expect((await stage.tell(`/approve ${id}`, { by: 'olga', channel: 'news-channel' })).reply).toContain(
      'no open approval',
    );
    // The noun alone, or too little of an id, names nothing.
    for (const text of ['appr', 'appr_', id.slice(0, 8), '']) {
      expect(await answer(`/approve ${text}`, 'olga')).toContain('no open approval');
    }
    expect(await read().get('approval', { id: id as never })).toMatchObject({ state: 'pending' });
  });
});

describe('/abort and /steer', () => {
  test('stop the newest run of who asks; others need to be staff', async () => {
    const gate = held();
    const { run } = await stage.tell('think long');
    await running(run);
    expect(await answer('/abort', 'olga')).toContain('nothing running');
    expect(await answer(`/abort ${must(run)}`, 'stranger-9')).toContain('operator');
    expect(await answer('/abort')).toBe(`${must(run)} is aborting.`);
    expect(await stage.settled(run)).toMatchObject({ state: 'aborted', error: { kind: 'cancelled' } });
    gate.resolve();
    expect(await answer('/abort')).toContain('nothing running');
    expect(stage.heard).not.toContain('done');
  });

  test('words are added by the sender alone', async () => {
    const gate = held();
    const { run } = await stage.tell('think long');
    await running(run);
    expect(await answer('/steer say boo', 'olga')).toContain('nothing running');
    expect(await answer('/steer mention the price')).toBe(`Added to ${must(run)}.`);
    expect(await answer('/steer')).toContain('Say what to add');
    gate.resolve();
    await stage.settled(run);
  });

  test('words are added once, also when a crash came before the mark of their event', async () => {
    const gate = held();
    const { run } = await stage.tell('think long');
    await running(run);
    const steer = { by: 'mia', externalId: 'steer:1' } as const;
    await stage.tell('/steer mention the price', steer);
    await stage.deps.store.commit(TEST_AUDIT, (tx) => tx.remove('ingest_event', { externalId: 'steer:1' }));
    expect((await stage.tell('/steer mention the price', steer)).reply).toBe(`Added to ${must(run)}.`);
    expect(await read().count('context_message', { text: 'mention the price' })).toBe(1);
    await stage.tell('/steer mention the price', { by: 'mia', externalId: 'steer:2' });
    expect(await read().count('context_message', { text: 'mention the price' })).toBe(2);
    gate.resolve();
    await stage.settled(run);
  });
});

describe('/status, /whoami, /panic', () => {
  test('say how many run and what waits here', async () => {
    const id = await asked();
    expect(await answer('/status')).toContain('1 to approve');
    expect(await answer('/status')).toContain(id);
    expect((await stage.tell('/status', { channel: 'news-channel' })).reply).not.toContain(id);
  });

  test('say who one is here', async () => {
    expect(await answer('/whoami')).toBe(`You are mia, member in ${WORKSPACE}/${ORIGIN}.`);
    expect(await answer('/whoami', 'stranger-9')).toContain('stranger-9');
  });

  test('staff stop everything from chat; nobody starts it again from there', async () => {
    expect(await answer('/panic status')).toBe('Panic is off.');
    expect(await answer('/panic on')).toContain('operator');
    expect(stage.world.panic.isOn()).toBe(false);
    expect(await answer('/panic on', 'olga')).toContain('Panic is on');
    expect(stage.world.panic.isOn()).toBe(true);
    expect(await answer('/panic off', 'boss')).toContain('signed request');
    expect(stage.world.panic.isOn()).toBe(true);
    const sent = stage.heard.length;
    await stage.tell('/help');
    await stage.world.clock.advance(60_000);
    expect(stage.heard).toHaveLength(sent);
  });
});
