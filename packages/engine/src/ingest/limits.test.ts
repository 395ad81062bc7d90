import { describe, expect, test } from 'vitest';
import { useStage } from '../run/run.fixture.ts';

const stage = useStage();
const read = () => stage.world.deps.store.read;
const refusals = async () => (await stage.deps.audit.tail(1_000, { action: 'ingest.refuse' })).length;

describe('a paired person', () => {
  test('starts so much work in a minute as the place allows, and hears it once', async () => {
    await stage.set({ messagesPerMinute: 3 });
    const started = [];
    for (const text of ['1', '2', '/task 3']) started.push(await stage.tell(text));
    expect(started.map(({ outcome }) => outcome)).toEqual(['run', 'run', 'run']);
    const refused = await stage.tell('4');
    expect(refused).toMatchObject({ outcome: 'refused' });
    expect(refused.reply).toBe('Here one person may ask 3 times a minute. Try again in a minute.');
    for (const text of ['5', '/task 6']) {
      expect(await stage.tell(text)).toEqual({ outcome: 'refused', isRepeat: false });
    }
    expect(await refusals()).toBe(1);
    // What was refused is logged, and stays out of prompts.
    const logged = await read().find('context_message', { direction: 'in', isPromptable: false });
    expect(logged.map(({ text }) => text)).toEqual(['4', '5', '/task 6']);
    expect(await stage.tell('hi', { by: 'olga' })).toMatchObject({ outcome: 'run' });
    expect(await stage.post('by http')).toMatchObject({ outcome: 'run' });
    await stage.world.clock.advance(61_000);
    const later = await stage.tell('7');
    expect(later).toMatchObject({ outcome: 'run' });
    await stage.settled(later.run);
  });

  test('talks to others as much as they like', async () => {
    await stage.set({ messagesPerMinute: 2 });
    for (const text of ['1', '2', '3', '4']) await stage.tell(text, { isAddressed: false });
    const asked = await stage.tell('and you?');
    expect(asked).toMatchObject({ outcome: 'run' });
    await stage.settled(asked.run);
  });

  test('asks no longer question than the place allows; each reason is heard once a minute', async () => {
    await stage.set({ maxPromptChars: 10, messagesPerMinute: 1 });
    const long = await stage.tell('x'.repeat(11));
    expect(long.reply).toBe(
      'A question here has at most 10 characters; this one has 11. Say it shorter, or in parts.',
    );
    expect(await stage.tell(`/task ${'y'.repeat(11)}`)).toEqual({ outcome: 'refused', isRepeat: false });
    expect(await stage.tell('x'.repeat(10))).toMatchObject({ outcome: 'run' });
    expect((await stage.tell('again')).reply).toContain('1 times a minute');
    await expect(stage.post('x'.repeat(11))).rejects.toMatchObject({ code: 'ingest.prompt.invalid' });
    expect(await stage.tell('z'.repeat(50), { isAddressed: false })).toMatchObject({ outcome: 'logged' });
  });

  test('cannot go around it where wishes wait for an OK', async () => {
    await stage.set({ messagesPerMinute: 3, acknowledge: 'confirm' });
    for (const text of ['1', '2', '3'])
      expect(await stage.tell(`/task ${text}`)).toMatchObject({ outcome: 'command' });
    expect((await stage.tell('/task 4')).reply).toContain('3 times a minute');
    expect((await stage.tell('and more')).outcome).toBe('refused');
    expect(await read().count('task_intent', { state: 'asked' })).toBe(1);
  });

  test('adds no more to a wish or to what runs than a question may have', async () => {
    await stage.set({ maxPromptChars: 20, acknowledge: 'confirm' });
    await stage.tell('/task 0123456789');
    expect((await stage.tell('0123456789')).reply).toContain('longer than 20 characters');
    await stage.set({ maxPromptChars: 20 });
    stage.script = () => [{ kind: 'hang' }];
    await stage.tell('hello', { by: 'olga' });
    expect((await stage.tell(`/steer ${'x'.repeat(21)}`, { by: 'olga' })).reply).toContain('at most 20');
    expect((await stage.tell(`/steer ${'x'.repeat(20)}`, { by: 'olga' })).reply).toContain('Added to');
  });

  test('gives as many commands in a minute as questions; stopping everything is always heard', async () => {
    await stage.set({ messagesPerMinute: 2 });
    const olga = { by: 'olga' } as const;
    for (const text of ['/help', '/nonsense'])
      expect(await stage.tell(text, olga)).toMatchObject({ outcome: 'command' });
    expect((await stage.tell('/whoami', olga)).reply).toContain('2 commands a minute');
    const { seq } = await stage.deps.audit.head();
    for (const text of ['/whoami', '/status', '/nonsense'])
      expect(await stage.tell(text, olga)).toEqual({ outcome: 'refused', isRepeat: false });
    expect((await stage.deps.audit.head()).seq).toBe(seq);
    expect(await stage.tell('/whoami')).toMatchObject({ outcome: 'command' });
    expect((await stage.tell('/panic on', olga)).reply).toContain('Panic is on');
    expect(stage.deps.panic.isOn()).toBe(true);
  });

  test('whose tokens of the day are spent hears when they come back', async () => {
    await stage.set({ budget: { tokensPerSenderPerDay: 1 } });
    await stage.settled((await stage.tell('hello')).run);
    expect(stage.heard).toHaveLength(1);
    expect(stage.heard[0]).toContain('Your model budget for a day is spent. It frees up again in');
  });
});
