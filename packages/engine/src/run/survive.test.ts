import { isFinalRun, type Run, type Store } from '@agent-runtime/domain';
import { until } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import { must, WORKSPACE } from '../settle/world.fixture.ts';
import { callTool, replies, say, useStage } from './run.fixture.ts';

const stage = useStage();
const read = () => stage.world.deps.store.read;

/**
 * A store whose process dies at the n-th commit of the engine, before or after it is written: from then on every read and write of
 * that process hangs for ever, as if nobody were there.
 */
function dyingStore(
  at: number,
  when: 'before' | 'after',
  actions: string[],
): { store: Store; died: Promise<void> } {
  const gone = Promise.withResolvers<void>();
  const forever = new Promise<never>(() => {});
  let seen = 0;
  let isDead = false;
  const store: Store = {
    get read() {
      return stage.world.deps.store.read;
    },
    get epoch() {
      return stage.world.deps.store.epoch;
    },
    commit: async (audit, body) => {
      if (isDead) return forever;
      seen += 1;
      const mine = seen;
      actions.push('action' in audit ? audit.action : audit[0].action);
      if (mine === at && when === 'before') {
        isDead = true;
        gone.resolve();
        return forever;
      }
      const value = await stage.world.deps.store.commit(audit, body);
      if (mine === at) {
        isDead = true;
        gone.resolve();
        return forever;
      }
      return value;
    },
  };
  return { store, died: gone.promise };
}

const SCRIPT = () =>
  replies(
    [
      ...callTool('md_write', { path: 'notes/log.md', mode: 'append', text: 'done once' }, 'a'),
      ...callTool('md_write', { path: 'notes/new.md', mode: 'create', text: 'made once' }, 'b'),
    ],
    callTool('post_message', { channel: 'news-channel', text: 'We are open.\n\nCome in.' }, 'c'),
    say('all done'),
  );

/** Moves of the model by what it has seen, so that a repeated call after a crash gets the same answer. */
function bySeen(): typeof stage.script {
  return ({ request }) => {
    const turns = request.messages.filter((message) => message.role === 'assistant').length;
    const script = SCRIPT();
    let moves = script({ request, index: 0, signal: new AbortController().signal });
    for (let n = 0; n < turns; n += 1)
      moves = script({ request, index: 0, signal: new AbortController().signal });
    return moves;
  };
}

async function expectOneOfEverything(run: Run): Promise<void> {
  expect(run).toMatchObject({ state: 'succeeded', output: 'all done' });
  expect((await stage.files.read(WORKSPACE, 'notes/log.md')).text).toBe('done once\n');
  expect((await stage.files.read(WORKSPACE, 'notes/new.md')).text).toBe('made once\n');
  expect(await read().count('effect', { kind: 'message.post' })).toBe(1);
  expect(await read().count('approval', {})).toBe(1);
  expect(run.pendingApprovals).toHaveLength(1);
  expect(await read().count('effect', { kind: 'message.reply' })).toBe(1);
  expect(await read().count('context_message', { direction: 'out', sender: 'assistant' })).toBe(1);
  expect(await read().count('ledger_entry', { state: 'reserved' })).toBe(0);
  // A write that was tried twice says that it is there, never that it failed.
  const shown = stage.provider.requests.flatMap((request) => request.messages);
  expect(shown.some((message) => message.role === 'tool' && message.isError)).toBe(false);
}

describe('a death at every commit of a run', () => {
  test('leaves one answer, one write, one question, whatever commit it was', {
    timeout: 60_000,
  }, async () => {
    stage.script = bySeen();
    // How many commits an undisturbed run makes.
    const counted: string[] = [];
    await stage.restart({ store: dyingStore(Number.POSITIVE_INFINITY, 'before', counted).store });
    await stage.settled((await stage.tell('go', { key: 'count' })).run);

    expect(counted).toContain('run.step');
    expect(counted.length).toBeGreaterThan(10);
  });

  test.each(
    Array.from({ length: 14 }, (_, n) => n + 1).flatMap((n) => [
      [n, 'before'] as const,
      [n, 'after'] as const,
    ]),
  )('commit %i, %s it is written', async (n, when) => {
    stage.script = bySeen();
    const { store, died } = dyingStore(n, when, []);
    await stage.restart({ store });
    const accepting = stage.tell('go', { externalId: 'the-one' });
    await Promise.race([died, accepting.then(() => died)]);
    await stage.crash();
    // Not acknowledged: the platform offers it again; what was taken is known.
    const accepted = await stage.tell('go', { externalId: 'the-one' });
    // What was on its way outside is sent again after a while.
    await until(async () => isFinalRun((await stage.run(accepted.run)).state), 'the end');
    await stage.world.clock.advance(60_000);
    await expectOneOfEverything(await stage.settled(accepted.run));
    expect(await read().count('run', {})).toBe(1);
  });
});

describe('after a crash', () => {
  test('recorded steps are not repeated: no model call is made again', async () => {
    const gate = Promise.withResolvers<void>();
    let calls = 0;
    stage.script = () => {
      calls += 1;
      return calls === 2
        ? [{ kind: 'hold', until: gate.promise }]
        : calls === 1
          ? callTool('md_list', {})
          : say('ok');
    };
    const accepted = await stage.tell('go');
    await until(() => calls === 2, 'the second call');
    await stage.restart();
    const run = await stage.settled(accepted.run);
    expect(run.output).toBe('ok');
    expect(calls).toBe(3);
    gate.resolve();
  });

  test('a run that kills each process fails after its attempts, with words, and the next one goes on', async () => {
    stage.script = () => [{ kind: 'hang' }];
    const accepted = await stage.tell('poison');
    const next = await stage.tell('next');
    for (let n = 1; n <= stage.deps.config.maxAttempts; n += 1) {
      await until(() => stage.provider.requests.length === n, `start ${n}`);
      if (n === stage.deps.config.maxAttempts) stage.script = () => say('ok');
      await stage.crash();
    }
    expect(await stage.settled(accepted.run)).toMatchObject({
      state: 'failed',
      error: { code: 'durable.attempts.exhausted' },
    });
    expect(await stage.settled(next.run)).toMatchObject({ state: 'succeeded' });
    expect(stage.heard.join()).toContain('Given up after 3 starts');
  });

  test('a run whose work ended without it fails, for every run ends', async () => {
    stage.script = () => [{ kind: 'hang' }];
    const accepted = await stage.tell('lost');
    await until(() => stage.provider.requests.length === 1, 'the start');
    const { journal } = stage.deps;
    // The process died between "its attempts are spent" and the words about it.
    await journal.finish(must(accepted.run), 'failed', 'its attempts are spent');
    await stage.crash();
    expect(await stage.settled(accepted.run)).toMatchObject({
      state: 'failed',
      error: { code: 'run.attempts.exhausted' },
    });
  });
});
