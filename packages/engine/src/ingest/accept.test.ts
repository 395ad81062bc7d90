import { describe, expect, test } from 'vitest';
import { say, useStage } from '../run/run.fixture.ts';
import { MEMBER, must, ORIGIN, TEST_AUDIT, WORKSPACE } from '../settle/world.fixture.ts';

const stage = useStage();

const read = () => stage.world.deps.store.read;
const messages = () => read().find('context_message', {}, { orderBy: 'seq' });
const events = () => read().find('ingest_event', {});

describe('what arrives', () => {
  test('is durable, with everything it causes, before it resolves', async () => {
    const accepted = await stage.tell('hello');
    const run = await stage.run(accepted.run);
    expect(await read().get('task', { id: run.task })).toMatchObject({
      kind: 'chat',
      title: 'hello',
      requester: { kind: 'user', user: MEMBER },
      door: 'chat',
    });
    const [message] = await messages();
    expect(message).toMatchObject({
      id: run.input,
      text: 'hello',
      sender: MEMBER,
      isPromptable: true,
      label: { integrity: 1, audience: [`ctx:${WORKSPACE}/${ORIGIN}`] },
    });
    expect(await events()).toMatchObject([{ outcome: 'run', run: run.id, task: run.task }]);
    expect(await stage.world.actions('chat:test:m1')).toEqual(['ingest.accept']);
  });

  test('is taken once, and a repeat gets the first answer', async () => {
    const first = await stage.tell('hello', { externalId: 'x' });
    const again = await stage.tell('hello', { externalId: 'x' });
    expect(again).toEqual({ ...first, isRepeat: true, reply: undefined });
    expect(await read().count('run', {})).toBe(1);
    expect(await messages()).toHaveLength(1);
  });

  test('is taken once when it arrives twice at the same time', async () => {
    const both = await Promise.all([1, 2, 3].map(() => stage.tell('hello', { externalId: 'x' })));
    expect(new Set(both.map((one) => one.run)).size).toBe(1);
    expect(both.filter((one) => !one.isRepeat)).toHaveLength(1);
    expect(await read().count('run', {})).toBe(1);
  });

  test.each([
    ['other words', { text: 'bye' }],
    ['another sender', { by: 'olga' }],
    ['another channel', { channel: 'news-channel' }],
  ])('is refused when its key stood for %s', async (_what, other) => {
    await stage.tell('hello', { externalId: 'x' });
    const { text = 'hello', ...more } = other as { readonly text?: string };
    await expect(stage.tell(text, { externalId: 'x', ...more })).rejects.toMatchObject({
      code: 'ingest.key.conflict',
    });
    expect(await read().count('run', {})).toBe(1);
  });

  test.each([
    ['empty words', '  ', {}],
    ['broken Unicode', 'a\ud800', {}],
    ['too many words', 'x'.repeat(40_001), {}],
    ['no id', 'hello', { externalId: '' }],
    ['no sender', 'hello', { by: '' }],
    ['a broken key', 'hello', { key: '\udfff' }],
    ['a group without an id', 'hello', { group: '' }],
    ['a long place that it came from', 'hello', { movedFrom: 'x'.repeat(301) }],
  ])('is refused with %s', async (_what, text, more) => {
    await expect(stage.tell(text, more)).rejects.toMatchObject({ code: 'ingest.event.invalid' });
    expect(await messages()).toEqual([]);
    expect(await events()).toEqual([]);
  });

  test('from another machine starts nothing', async () => {
    expect(await stage.tell('hello', { isBot: true })).toEqual({ outcome: 'logged', isRepeat: false });
    expect(await read().count('run', {})).toBe(0);
  });

  test('from another machine is kept as a text from outside, out of prompts, also under the id of a person', async () => {
    const words = { isBot: true, by: 'olga', externalId: 'b1' };
    await stage.tell('/panic on', words);
    expect(await stage.tell('/panic on', words)).toEqual({ outcome: 'logged', isRepeat: true });
    expect(await messages()).toMatchObject([
      { text: '/panic on', isPromptable: false, label: { integrity: 0 } },
    ]);
    expect(stage.deps.panic.isOn()).toBe(false);
    expect(stage.heard).toEqual([]);
  });

  test('from another machine in a place that is not bound leaves nothing at all', async () => {
    const said = await stage.tell('hello', { isBot: true, channel: 'nowhere' });
    expect(said).toEqual({ outcome: 'logged', isRepeat: false });
    expect(await messages()).toEqual([]);
  });

  test('not addressed to us is only kept', async () => {
    expect(await stage.tell('lunch?', { isAddressed: false })).toMatchObject({ outcome: 'logged' });
    expect(await messages()).toMatchObject([{ text: 'lunch?', isPromptable: true }]);
    expect(await read().count('run', {})).toBe(0);
    expect(stage.heard).toEqual([]);
  });

  test('passed on from elsewhere is a text from outside, and no command', async () => {
    const accepted = await stage.tell('/panic on', { isRelayed: true, by: 'olga' });
    expect(accepted.outcome).toBe('run');
    expect(stage.world.panic.isOn()).toBe(false);
    expect((await messages())[0]?.label.integrity).toBe(0);
    expect((await stage.settled(accepted.run)).label.integrity).toBe(0);
  });

  test('as an edit is kept out of prompts and never a command', async () => {
    expect(await stage.tell('/panic on', { kind: 'edit', by: 'olga' })).toMatchObject({ outcome: 'logged' });
    expect(stage.world.panic.isOn()).toBe(false);
    expect(await messages()).toMatchObject([{ isPromptable: false }]);
    expect(await read().count('run', {})).toBe(0);
  });
});

describe('who may', () => {
  test('a stranger is told how to be paired, and starts nothing', async () => {
    const refused = await stage.tell('hello', { by: 'stranger-9' });
    expect(refused.outcome).toBe('refused');
    expect(refused.reply).toContain('pair');
    expect(await read().count('run', {})).toBe(0);
    expect(await stage.tell('hello', { by: 'stranger-9', externalId: 'm1' })).toMatchObject({
      isRepeat: true,
      reply: refused.reply,
    });
  });

  test('a name is no identity', async () => {
    await stage.world.deps.store.commit(TEST_AUDIT, (tx) =>
      tx.update('identity_link', { externalId: 'mia' }, { externalId: '4711' }),
    );
    expect(await stage.tell('hello')).toMatchObject({ outcome: 'refused' });
    expect(await stage.tell('hello', { by: '4711' })).toMatchObject({ outcome: 'run' });
  });

  test('who has left is a stranger', async () => {
    await stage.world.deps.store.commit(TEST_AUDIT, (tx) =>
      tx.update('identity_user', { id: MEMBER }, { isActive: false }),
    );
    expect((await stage.tell('hello')).reply).toContain('not paired');
  });

  test('a person without a role is told who can give one', async () => {
    await stage.world.ungrant(MEMBER);
    expect((await stage.tell('hello')).reply).toContain('role member');
    await expect(stage.post('hello')).rejects.toMatchObject({ code: 'ingest.task.denied', kind: 'denied' });
  });

  test('a guest may ask where guests may, and their words stay out of the prompts of others', async () => {
    await stage.set({ guests: 'ask' });
    const accepted = await stage.tell('do you open on Sunday?', { by: 'stranger-9' });
    const run = await stage.settled(accepted.run);
    expect(run).toMatchObject({ state: 'succeeded', label: { integrity: 0 } });
    expect(stage.provider.requests[0]?.tools.map((tool) => tool.name)).not.toContain('md_write');
    await stage.settled((await stage.tell('and on Monday?')).run);
    const shown = stage.provider.requests[1]?.messages.map((message) => message.text).join('\n');
    expect(shown).not.toContain('Sunday');
  });

  test('strangers in a place that nobody bound leave one line a minute', async () => {
    const unbound = { channel: 'somewhere', by: 'stranger-9' };
    const refused = await stage.tell('hello', unbound);
    expect(refused).toMatchObject({ outcome: 'refused' });
    expect(refused.reply).toContain('not bound');
    await stage.tell('hello?', unbound);
    expect((await stage.tell('hello??', { ...unbound, isAddressed: false })).reply).toBeUndefined();
    expect(await stage.world.actions('chat:test')).toEqual(['ingest.refuse']);
    await stage.world.clock.advance(60_000);
    await stage.tell('hello!', unbound);
    expect(await stage.world.actions('chat:test')).toHaveLength(2);
    expect(await messages()).toEqual([]);
  });

  test('nobody, while panic is on or the gate is closed', async () => {
    stage.world.panic.turnOn('test', 0);
    expect((await stage.tell('hello')).reply).toContain('panic is on');
    await expect(stage.post('hello')).rejects.toMatchObject({ kind: 'unavailable' });
    stage.world.panic.turnOff('test', 0);
    await stage.world.deps.store.commit(TEST_AUDIT, (tx) =>
      tx.insert('gate_state', { id: 'gate', isClosed: true, reason: 'restore', at: 0 }),
    );
    expect((await stage.tell('hello')).reply).toContain('gate');
    expect(await read().count('run', {})).toBe(0);
  });
});

describe('a conversation', () => {
  const conversations = () => read().find('context_conversation', { key: 'talk' }, { orderBy: 'createdAt' });
  const talk = async (text: string) => stage.settled((await stage.tell(text, { key: 'talk' })).run);

  test('goes on under its key, and begins afresh after a rest', async () => {
    await talk('one');
    await stage.world.clock.advance(7 * 3_600_000);
    await talk('two');
    expect(await conversations()).toHaveLength(1);
    await stage.world.clock.advance(8 * 3_600_000);
    await talk('three');
    expect((await conversations()).map((one) => one.isOpen)).toEqual([false, true]);
    expect(
      stage.provider.requests
        .at(-1)
        ?.messages.map((message) => message.text)
        .join(),
    ).not.toContain('two');
  });

  test.each(['/new', '/reset'])('begins afresh on %s', async (command) => {
    await talk('my secret is 7');
    expect((await stage.tell(command, { key: 'talk' })).reply).toContain('fresh');
    await talk('what is it?');
    expect(await conversations()).toHaveLength(2);
    expect(
      stage.provider.requests
        .at(-1)
        ?.messages.map((message) => message.text)
        .join(),
    ).not.toContain('secret');
  });

  test('waits for a few answers at most; more are refused with words', async () => {
    await stage.set({ queue: { maxQueued: 2 } });
    const gate = Promise.withResolvers<void>();
    stage.script = () => [{ kind: 'hold', until: gate.promise }, ...say('done')];
    const first = await stage.tell('one');
    while ((await stage.run(first.run)).state === 'queued') await stage.world.clock.settle();
    await stage.tell('two');
    await stage.tell('three');
    expect(await stage.tell('four')).toMatchObject({ outcome: 'refused' });
    await expect(stage.post('four')).rejects.toMatchObject({ code: 'ingest.queue.exhausted' });
    expect(await stage.tell('elsewhere', { key: 'other' })).toMatchObject({ outcome: 'run' });
    gate.resolve();
    await stage.settled(must((await stage.tell('x', { key: 'third' })).run));
  });
});
