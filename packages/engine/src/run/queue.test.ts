import { describe, expect, test } from 'vitest';
import { must } from '../settle/world.fixture.ts';
import { say, shownTo, useStage } from './run.fixture.ts';

const stage = useStage();

/** Calls of the model that wait for the test, in the order in which they came; named by the question. */
interface Held {
  readonly begun: string[];
  open(question: string): void;
}

function hold(): Held {
  const gates = new Map<string, PromiseWithResolvers<void>>();
  const gateOf = (question: string): PromiseWithResolvers<void> => {
    const gate = gates.get(question) ?? Promise.withResolvers<void>();
    gates.set(question, gate);
    return gate;
  };
  const begun: string[] = [];
  stage.script = ({ request }) => {
    const question = must(/\] (\S+)$/.exec(shownTo(request.messages.slice(-1)))?.[1]);
    begun.push(question);
    return [{ kind: 'hold', until: gateOf(question).promise }, ...say(`to ${question}`)];
  };
  return { begun, open: (question) => gateOf(question).resolve() };
}

const begunAre = async (held: Held, count: number): Promise<readonly string[]> => {
  while (held.begun.length < count) await stage.world.clock.settle();
  // Whoever could begin as well would have begun by now.
  for (let round = 0; round < 5; round += 1) await stage.world.clock.settle();
  return held.begun;
};

describe('runs', () => {
  test('of one conversation go one after the other, in the order of the messages', async () => {
    const held = hold();
    const runs = await Promise.all(['a', 'b', 'c'].map(async (text) => (await stage.tell(text)).run));
    expect(await begunAre(held, 1)).toEqual(['a']);
    held.open('a');
    expect(await begunAre(held, 2)).toEqual(['a', 'b']);
    expect((await stage.settled(runs[0])).state).toBe('succeeded');
    expect((await stage.run(runs[2])).state).toBe('queued');
    held.open('b');
    held.open('c');
    await stage.settled(runs[2]);
    expect(stage.heard).toEqual(['to a', 'to b', 'to c']);
    // Each knows the answer to the one before.
    expect(shownTo(stage.provider.requests[2]?.messages)).toContain('to b');
  });

  test('of one millisecond keep their order, though their ids do not', async () => {
    let n = 0;
    const ids = { ...stage.deps.ids };
    const backwards = {
      ...ids,
      make: ((noun: 'run') => {
        const made = ids.make(noun);
        n += 1;
        return noun === 'run' ? made.replace(/^(run_).{8}/, `$1${String(99_999_999 - n)}`) : made;
      }) as typeof ids.make, // safe: another id of the same noun
    };
    await stage.restart({ ids: backwards });
    const held = hold();
    const runs = await Promise.all(['a', 'b', 'c'].map(async (text) => (await stage.tell(text)).run));
    expect(runs.toSorted()).not.toEqual(runs);
    for (const text of ['a', 'b', 'c']) held.open(text);
    await stage.settled(runs[2]);
    expect(held.begun).toEqual(['a', 'b', 'c']);
  });

  test('of different conversations go beside each other', async () => {
    const held = hold();
    for (const text of ['a', 'b', 'c']) await stage.tell(text, { key: text });
    expect((await begunAre(held, 3)).toSorted()).toEqual(['a', 'b', 'c']);
    for (const text of held.begun) held.open(text);
  });

  test('of one workspace are five at a time, unless it says otherwise', async () => {
    const held = hold();
    const texts = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const runs = new Map<string, string | undefined>();
    for (const text of texts) runs.set(text, (await stage.tell(text, { key: text })).run);
    expect(await begunAre(held, 5)).toHaveLength(5);
    held.open('c');
    expect(await begunAre(held, 6)).toHaveLength(6);
    await stage.set({ concurrency: 6 });
    expect(await begunAre(held, 7)).toHaveLength(7);
    for (const text of texts) held.open(text);
    for (const id of runs.values()) expect((await stage.settled(id)).state).toBe('succeeded');
  });

  test('that were accepted before a crash are carried out after it, once', async () => {
    const held = hold();
    const waiting = (await stage.tell('a')).run;
    await begunAre(held, 1);
    const queued = (await stage.tell('b')).run;
    await stage.restart();
    stage.script = () => say('done');
    expect((await stage.settled(waiting)).state).toBe('succeeded');
    expect((await stage.settled(queued)).state).toBe('succeeded');
    expect(stage.heard).toEqual(['done', 'done']);
  });
});
