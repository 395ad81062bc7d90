import { AppError, type ConnectorMemory, type InboundEvent } from '@agent-runtime/domain';
import { afterEach, describe, expect, test } from 'vitest';
import { type Stage, stages, testMemory } from './telegram.fixture.ts';

const { open, close } = stages();
afterEach(close);

const texts = ({ heard }: Stage): readonly string[] => heard.map(({ text }) => text);
const refusal = () => new AppError({ code: 'ingest.test.unavailable', kind: 'unavailable', message: 'No.' });
const never = new Promise<never>(() => {});
const say = (one: Stage, text: string, chat = one.group) =>
  one.server.people.say({ chat, from: one.ann, text });
const broken = (work: () => Promise<void>): ConnectorMemory => ({
  ...testMemory(() => 0),
  set: work,
});

/** Hears everything; what the test says happens to the first event of the group. */
async function stuck(one: Stage, what: () => Promise<void>): Promise<void> {
  say(one, 'first');
  say(one, 'second');
  await one.connector.start(async (event: InboundEvent) => {
    one.heard.push(event);
    if (event.text === 'first') await what();
  });
  await one.pass(() => texts(one).includes('first'), 'the first one is offered', 20);
}

describe('the stop of everything', () => {
  const fail = async (): Promise<never> => {
    throw refusal();
  };
  test.each([
    ['its chat is refused', fail, undefined],
    ['its chat hangs', () => never, undefined],
    ['its chat is refused and nothing can be written', fail, fail],
    ['its chat hangs and the disk hangs', () => never, () => never],
  ] as const)('is offered within a second when %s', async (_name, what, write) => {
    const gate = Promise.withResolvers<void>();
    const memory =
      write === undefined ? testMemory(() => 0) : broken(() => Promise.race([write(), gate.promise]));
    const one = await open({ memory });
    await stuck(one, () => Promise.race([what(), gate.promise]));
    // Long enough for every wait to have grown.
    for (let second = 0; second < 40; second += 1) await one.clock.advance(1_000);
    say(one, `/panic@${one.server.bot.username} on`);
    const saidAt = one.clock.monotonicMs();
    await one.pass(() => texts(one).includes('/panic on'), 'it is offered', 20);
    expect(one.clock.monotonicMs() - saidAt).toBeLessThan(1_000);
    expect(texts(one)).not.toContain('second');
    gate.resolve();
  });

  test('is tried every second while it is refused itself', async () => {
    const one = await open();
    let isDown = true;
    await one.connector.start(async (event) => {
      if (isDown) throw refusal();
      one.heard.push(event);
    });
    say(one, '/panic on');
    for (let second = 0; second < 40; second += 1) await one.clock.advance(1_000);
    isDown = false;
    const backAt = one.clock.monotonicMs();
    await one.pass(() => one.heard.length === 1, 'it is taken', 20);
    expect(one.clock.monotonicMs() - backAt).toBeLessThanOrEqual(1_000);
  });

  test('of another bot it waits in line', async () => {
    const one = await open();
    await stuck(one, fail);
    say(one, '/panic@other_bot on');
    for (let second = 0; second < 20; second += 1) await one.clock.advance(1_000);
    expect(new Set(texts(one))).toEqual(new Set(['first']));
  });
});

describe('a chat that must wait', () => {
  test('holds up nobody else, and goes on in order', async () => {
    const one = await open();
    const other = one.server.cast.chat({ type: 'group', title: 'Kitchen', members: [one.ann] });
    let isDown = true;
    await stuck(one, async () => {
      if (isDown) throw refusal();
    });
    for (let count = 0; count < 150; count += 1) say(one, `more ${count}`);
    for (const text of ['b1', 'b2']) {
      say(one, text, other);
      const saidAt = one.clock.monotonicMs();
      await one.pass(() => texts(one).includes(text), 'the other chat is heard', 20);
      expect(one.clock.monotonicMs() - saidAt).toBeLessThan(1_000);
    }
    expect(one.server.updates.pending).toEqual([]);
    isDown = false;
    await one.pass(() => texts(one).includes('more 149'), 'the rest comes');
    const own = texts(one).filter((text) => /^(?:second|more)/.test(text));
    expect(own).toEqual(['second', ...Array.from({ length: 150 }, (_, index) => `more ${index}`)]);
    await one.pass(() => one.memory.kept.size === 0, 'nothing waits on the disk');
    expect(one.connector.trouble?.()).toBeUndefined();
  });

  test('is confirmed only once it is on the disk, and comes back in another process', async () => {
    const one = await open();
    let isWritable = false;
    const memory: ConnectorMemory = {
      ...one.memory,
      set: async (key, value) => {
        if (!isWritable) throw refusal();
        await one.memory.set(key, value);
      },
    };
    const first = one.another({ memory });
    say(one, 'a');
    say(one, 'b');
    await first.start(async () => {
      throw refusal();
    });
    await one.pass(() => one.server.updates.polls > 3, 'it asks on', 200);
    expect(one.server.updates.pending).toHaveLength(2);
    isWritable = true;
    await one.pass(() => one.server.updates.pending.length === 0, 'they are confirmed', 200);
    await first.stop();
    await one.another().start(one.accept);
    await one.pass(() => one.heard.length === 2, 'they come back', 20);
    expect(texts(one)).toEqual(['a', 'b']);
    await one.pass(() => one.memory.kept.size === 0, 'nothing waits on the disk', 20);
  });

  test('what is taken at once is never written down', async () => {
    const writes: string[] = [];
    const kept = testMemory(() => 0);
    const memory = { ...kept, set: async (key: string) => void writes.push(key) };
    const one = await open({ memory });
    for (let count = 0; count < 250; count += 1) say(one, `${count}`);
    await one.connector.start(one.accept);
    await one.pass(() => one.server.updates.pending.length === 0, 'all is confirmed', 20);
    expect(one.heard).toHaveLength(250);
    expect(writes).toEqual([]);
  });
});
