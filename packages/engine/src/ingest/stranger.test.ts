import { describe, expect, test } from 'vitest';
import { say, useStage } from '../run/run.fixture.ts';
import { TEST_AUDIT } from '../settle/world.fixture.ts';

const stage = useStage();
const read = () => stage.world.deps.store.read;
const refusals = async () => (await stage.deps.audit.tail(1_000, { action: 'ingest.refuse' })).length;
const delivered = async () => {
  await stage.world.clock.settle();
  return stage.heard.length;
};

describe('strangers in a bound place', () => {
  test('are answered and audited once a minute; all they say is logged and stays out of prompts', async () => {
    const first = await stage.tell('hello', { by: 'stranger-9' });
    expect(first.reply).toContain('pair');
    for (const text of ['hello?', '/nonsense', 'buy now']) {
      expect(await stage.tell(text, { by: 'stranger-9' })).toEqual({ outcome: 'refused', isRepeat: false });
    }
    expect(await refusals()).toBe(1);
    expect(await delivered()).toBe(1);
    const logged = await read().find('context_message', { direction: 'in' });
    expect(logged.map((message) => [message.text, message.isPromptable, message.label.integrity])).toEqual([
      ['hello', false, 0],
      ['hello?', false, 0],
      ['/nonsense', false, 0],
      ['buy now', false, 0],
    ]);
    await stage.tell('me too', { by: 'stranger-8' });
    await stage.world.clock.advance(60_000);
    expect((await stage.tell('still there', { by: 'stranger-9' })).reply).toContain('pair');
    expect(await refusals()).toBe(3);
  });

  test('who send commands without end are answered once a minute and leave no more than that', async () => {
    const flood = () =>
      Promise.all(Array.from({ length: 10 }, () => stage.tell('/help', { by: 'stranger-9' })));
    expect(await stage.tell('/help', { by: 'stranger-9' })).toMatchObject({ outcome: 'command' });
    expect(await delivered()).toBe(1);
    const { seq } = await stage.deps.audit.head();
    for (const one of await flood()) expect(one).toEqual({ outcome: 'refused', isRepeat: false });
    for (const text of ['/whoami', '/panic on', '/new'])
      expect(await stage.tell(text, { by: 'stranger-9' })).toEqual({ outcome: 'refused', isRepeat: false });
    expect((await stage.deps.audit.head()).seq).toBe(seq);
    expect(await delivered()).toBe(1);
    await stage.world.clock.advance(60_000);
    expect(await stage.tell('/help', { by: 'stranger-9' })).toMatchObject({ outcome: 'command' });
  });

  test('who may ask give five commands a minute, and hear once that it is enough', async () => {
    await stage.set({ guests: 'ask' });
    const said = [];
    for (let n = 0; n < 8; n += 1) said.push(await stage.tell('/help', { by: 'stranger-9' }));
    expect(said.map(({ outcome }) => outcome)).toEqual([
      ...Array(5).fill('command'),
      ...Array(3).fill('refused'),
    ]);
    expect(said[5]?.reply).toBe('Here one person may give 5 commands a minute. Try again in a minute.');
    expect(said[6]).toEqual({ outcome: 'refused', isRepeat: false });
    const { seq } = await stage.deps.audit.head();
    await stage.tell('/help', { by: 'stranger-9' });
    expect((await stage.deps.audit.head()).seq).toBe(seq);
    expect(await stage.tell('/help', { by: 'stranger-8' })).toMatchObject({ outcome: 'command' });
  });

  test('in places that nobody has bound leave one record however many come at once', async () => {
    const nowhere = { by: 'stranger-9', channel: 'nowhere' } as const;
    const all = await Promise.all(['a', 'b', 'c'].map((text) => stage.tell(text, nowhere)));
    expect(all.map(({ outcome }) => outcome)).toEqual(Array(3).fill('refused'));
    expect(all.filter(({ reply }) => reply !== undefined)).toHaveLength(1);
    await Promise.all([1, 2, 3].map(() => stage.tell('', { ...nowhere, kind: 'button', buttonId: 'none' })));
    await stage.set({});
    await Promise.all(
      [1, 2, 3].map(() => stage.tell('', { by: 'x', kind: 'button', isBot: true, buttonId: 'none' })),
    );
    expect(await refusals()).toBe(3);
  });

  test('as guests ask a few times a minute, and do not hold up others', async () => {
    await stage.set({ guests: 'ask' });
    for (const text of ['1', '2', '3', '4', '5']) {
      expect(await stage.tell(text, { by: 'stranger-9' })).toMatchObject({ outcome: 'run' });
    }
    const refused = await stage.tell('6', { by: 'stranger-9' });
    expect(refused).toMatchObject({ outcome: 'refused' });
    expect(refused.reply).toContain('a few times a minute');
    expect(await stage.tell('hi', { by: 'stranger-8' })).toMatchObject({ outcome: 'run' });
    const last = await stage.tell('hi', { by: 'mia' });
    expect(last).toMatchObject({ outcome: 'run' });
    await stage.settled(last.run);
    await stage.world.clock.advance(60_000);
    const again = await stage.tell('7', { by: 'stranger-9' });
    expect(again).toMatchObject({ outcome: 'run' });
    await stage.settled(again.run);
  });

  test('as guests who talk to each other ask as often as those who do not', async () => {
    await stage.set({ guests: 'ask' });
    for (let n = 0; n < 8; n += 1) await stage.tell(`${n}`, { by: 'stranger-9', isAddressed: false });
    const asked = await stage.tell('and you?', { by: 'stranger-9' });
    expect(asked).toMatchObject({ outcome: 'run' });
    await stage.settled(asked.run);
  });

  test('as guests do not end the conversation of others, nor see what runs or search', async () => {
    await stage.set({ guests: 'ask' });
    await stage.settled((await stage.tell('hi')).run);
    expect((await stage.tell('/new', { by: 'stranger-9' })).reply).toContain('paired');
    expect(await read().count('context_conversation', { key: 'ops', isOpen: true })).toBe(1);
    for (const command of ['/status', '/search refund', '/open faq.md']) {
      expect((await stage.tell(command, { by: 'stranger-9' })).reply).toContain('needs the role viewer');
    }
  });
});

describe('words of the door itself', () => {
  test('are not kept for later while panic is on or the gate is closed', async () => {
    stage.world.panic.turnOn('test', 0);
    expect((await stage.tell('/help')).reply).toContain('/task');
    expect((await stage.tell('hello', { by: 'stranger-9' })).reply).toContain('panic is on');
    stage.world.panic.turnOff('test', 0);
    await stage.world.deps.store.commit(TEST_AUDIT, (tx) =>
      tx.insert('gate_state', { id: 'gate', isClosed: true, reason: 'restore', at: 0 }),
    );
    expect((await stage.tell('/help')).reply).toContain('/task');
    expect(await read().count('effect', {})).toBe(0);
  });

  test('an order that arrives twice at the same time is carried out once', async () => {
    const gate = Promise.withResolvers<void>();
    stage.script = () => [{ kind: 'hold', until: gate.promise }, ...say('ok')];
    const run = await stage.tell('a long task');
    while ((await stage.run(run.run)).state === 'queued') await stage.world.clock.settle();
    const both = await Promise.all(
      ['x', 'x'].map((externalId) => stage.tell('/steer and in French', { externalId })),
    );
    expect(both.map((one) => one.isRepeat)).toEqual([false, true]);
    expect(await read().count('context_message', { text: 'and in French' })).toBe(1);
    gate.resolve();
    await stage.settled(run.run);
  });
});
