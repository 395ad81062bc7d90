import {
  AppError,
  type LlmEvent,
  type Run,
  type RunId,
  type Store,
  type StoreTx,
} from '@agent-runtime/domain';
import { type MemoryLiveFeed, until } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import {
  BOSS,
  inChat,
  MEMBER,
  must,
  OPERATOR,
  SECOND,
  signed,
  TEST_AUDIT,
  tamper,
} from '../settle/world.fixture.ts';
import { callTool, runsOf, say, shownTo, useStage } from './run.fixture.ts';

const stage = useStage();
const read = () => stage.world.deps.store.read;
// safe: the world's feed is the one in memory
const feed = () => stage.deps.live as MemoryLiveFeed;
const frames = () =>
  feed()
    .events.filter((event) => event.kind === 'text')
    .map((event) => String(event.data.text));
const replyCount = () => read().count('effect', { kind: 'message.reply' });
/** Lets everything happen that would happen by itself within an hour. */
const anHour = () => stage.world.clock.advance(3_600_000);

/** A run whose first model call has begun, said a word and waits; `go` lets it call a tool and answer. */
async function hanging(text = 'a question'): Promise<{ readonly id: RunId; readonly go: () => void }> {
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  let calls = 0;
  stage.script = () => {
    calls += 1;
    if (calls > 1) return say('the answer');
    begun.resolve();
    return [
      ...say('let me'),
      { kind: 'hold', until: gate.promise },
      ...say(' look'),
      ...callTool('md_write', { path: 'notes/a.md', text: 'x', mode: 'create' }),
    ];
  };
  const accepted = await stage.tell(text);
  await begun.promise;
  await until(() => frames().length > 0, 'the first frame');
  return { id: must(accepted.run), go: gate.resolve };
}

async function expectNothingMore(id: RunId, state: Run['state'] = 'aborted'): Promise<void> {
  const seen = { calls: stage.provider.requests.length, frames: frames().length };
  await anHour();
  expect((await stage.run(id)).state).toBe(state);
  expect((await stage.run(id)).output).toBeUndefined();
  expect({ calls: stage.provider.requests.length, frames: frames().length }).toEqual(seen);
  expect(await replyCount()).toBe(0);
  await expect(stage.files.read(stage.world.context.workspace, 'notes/a.md')).rejects.toMatchObject({
    kind: 'missing',
  });
}

describe('what is taken away in the middle of a run stops it: no call, frame, tool or reply after it', () => {
  test('a grant', async () => {
    const { id, go } = await hanging();
    await stage.world.ungrant(MEMBER);
    await stage.engine.revoked(MEMBER);
    go();
    await expectNothingMore(id);
  });

  test('a grant, even before anybody tells the engine', async () => {
    const { id, go } = await hanging();
    await stage.world.ungrant(MEMBER);
    go();
    await until(async () => (await stage.run(id)).state === 'aborted', 'the end');
    expect(await replyCount()).toBe(0);
    expect((await stage.run(id)).error).toMatchObject({ code: 'run.rights.cancelled' });
    // The tool was not even looked at.
    expect([...(await stage.deps.journal.steps(id)).keys()]).toEqual(['llm:1']);
    expect(stage.provider.requests).toHaveLength(1);
  });

  test('an identity, though its person keeps the role: what waits does not start either', async () => {
    const { id, go } = await hanging();
    const waiting = await stage.tell('another question');
    await stage.world.deps.store.commit(TEST_AUDIT, (tx) => tx.remove('identity_link', { user: MEMBER }));
    await stage.engine.revoked(MEMBER);
    go();
    await expectNothingMore(id);
    expect(await stage.run(waiting.run)).toMatchObject({
      state: 'aborted',
      error: { code: 'run.rights.cancelled' },
    });
    expect(stage.provider.requests).toHaveLength(1);
  });

  test('an identity, in the very instant in which another word came', async () => {
    const word = Promise.withResolvers<IteratorResult<LlmEvent>>();
    const asked = Promise.withResolvers<void>();
    const next = (): Promise<IteratorResult<LlmEvent>> => {
      asked.resolve();
      return word.promise;
    };
    const provider = { id: 'scripted', stream: () => ({ [Symbol.asyncIterator]: () => ({ next }) }) };
    await stage.restart({ providers: [provider] });
    const accepted = await stage.tell('a question');
    await asked.promise;
    word.resolve({ done: false, value: { kind: 'text', delta: 'too late' } });
    await stage.engine.revoked(MEMBER);
    expect((await stage.settled(accepted.run)).state).toBe('aborted');
    expect(frames()).toEqual([]);
  });

  test('of one person, and of nobody else', async () => {
    const { go } = await hanging();
    const other = await stage.tell('mine', { by: 'olga', key: 'olga' });
    await stage.engine.revoked(MEMBER);
    go();
    expect((await stage.settled(other.run)).state).toBe('succeeded');
  });

  /** The engine on a store that lets something happen right before, or right inside, the commit of the answer. */
  async function withAnswerCommit(around: {
    readonly before?: () => Promise<unknown>;
    readonly inside?: () => void;
  }): Promise<void> {
    const store: Store = {
      get read() {
        return stage.world.deps.store.read;
      },
      get epoch() {
        return stage.world.deps.store.epoch;
      },
      commit: async (audit, body) => {
        const isAnswer = 'action' in audit && audit.action === 'run.step' && audit.data?.step === 'llm:1';
        if (isAnswer) await around.before?.();
        return stage.world.deps.store.commit(audit, async (tx) => {
          const value = await body(isAnswer ? { ...tx, finishWork: endThen(tx, around.inside) } : tx);
          return value;
        });
      },
    };
    await stage.restart({ store });
  }
  const endThen =
    (tx: StoreTx, then: (() => void) | undefined): StoreTx['finishWork'] =>
    async (...end) => {
      await tx.finishWork(...end);
      then?.();
    };

  test('a grant, between the last look and the commit of the answer', async () => {
    await withAnswerCommit({ before: () => stage.world.ungrant(MEMBER) });
    const run = await stage.settled((await stage.tell('a question')).run);
    expect(run).toMatchObject({ state: 'aborted', error: { code: 'run.rights.cancelled' } });
    expect(run.output).toBeUndefined();
    expect(await replyCount()).toBe(0);
    // The call was made and costs what it cost, though its record could not be kept.
    expect(await read().find('ledger_entry', { run: run.id })).toMatchObject([{ state: 'settled' }]);
    expect([...(await stage.deps.journal.steps(run.id)).keys()]).toEqual([]);
  });

  test('the wish for an answer, by an abort whose signal is still on its way', async () => {
    await withAnswerCommit({
      before: async () => {
        const [running] = await read().find('run', { state: 'running' });
        await tamper(stage.world, 'run', { id: must(running).id }, { state: 'aborting' });
      },
    });
    const run = await stage.settled((await stage.tell('a question')).run);
    expect(run).toMatchObject({ state: 'aborted', error: { code: 'run.abort.cancelled' } });
    expect(run.output).toBeUndefined();
    expect(await replyCount()).toBe(0);
  });

  test('everything, by a panic that comes inside the commit of the answer', async () => {
    await withAnswerCommit({ inside: () => stage.world.panic.turnOn('test', 0) });
    const run = await stage.settled((await stage.tell('a question')).run);
    expect(run).toMatchObject({ state: 'aborted', error: { code: 'run.panic.cancelled' } });
    expect(await replyCount()).toBe(0);
  });

  test('an identity, by a revocation that comes inside the commit of the answer', async () => {
    // What it does in memory comes first; its own write cannot happen inside this one and fails here.
    await withAnswerCommit({ inside: () => void stage.engine.revoked(MEMBER).catch(() => undefined) });
    const run = await stage.settled((await stage.tell('a question')).run);
    expect(run).toMatchObject({ state: 'aborted' });
    expect(await replyCount()).toBe(0);
  });

  test('panic, and after it nothing old starts again', async () => {
    const { id, go } = await hanging();
    const waiting = await stage.tell('another question');
    await stage.engine.panicOn(inChat(OPERATOR));
    go();
    await expectNothingMore(id);
    expect((await stage.run(waiting.run)).state).toBe('aborted');
    await stage.engine.panicOff(signed(OPERATOR)).catch(() => undefined);
    await stage.engine.panicOff(signed(BOSS));
    await expectNothingMore(id);
    expect(stage.provider.requests).toHaveLength(1);
    const fresh = await stage.tell('a new one');
    expect((await stage.settled(fresh.run)).state).toBe('succeeded');
  });

  test('panic while a run was left half-way by a dead process', async () => {
    const { id } = await hanging();
    await stage.restart();
    stage.script = () => [...say('again'), { kind: 'hang' }];
    await until(async () => stage.provider.requests.length > 1, 'the second start');
    // What panic wrote was lost with the disk; its flag was not.
    stage.world.panic.turnOn('test', 0);
    await stage.restart();
    await anHour();
    await stage.engine.panicOff(signed(BOSS));
    const calls = stage.provider.requests.length;
    await anHour();
    expect((await stage.run(id)).state).toBe('aborted');
    expect(stage.provider.requests).toHaveLength(calls);
    expect(await replyCount()).toBe(0);
  });

  test('panic on a full disk, though nothing of it could be written: what it stopped does not start again', async () => {
    let isFull = false;
    await stage.restart({
      store: {
        get read() {
          return stage.world.deps.store.read;
        },
        get epoch() {
          return stage.world.deps.store.epoch;
        },
        commit: async (audit, body) => {
          if (isFull)
            throw new AppError({ code: 'database.disk.unavailable', kind: 'unavailable', message: 'full' });
          return stage.world.deps.store.commit(audit, body);
        },
      },
    });
    const { id, go } = await hanging();
    isFull = true;
    await stage.engine.panicOn(inChat(OPERATOR));
    go();
    await stage.world.clock.settle();
    expect((await stage.run(id)).state).toBe('running');
    isFull = false;
    await stage.engine.panicOff(signed(BOSS));
    await expectNothingMore(id);
    expect(stage.provider.requests).toHaveLength(1);
  });
});

describe('abort', () => {
  test('ends a running one at its next await, by its sender or staff', async () => {
    const { id, go } = await hanging();
    expect((await stage.engine.abort(id, inChat(MEMBER))).state).toBe('aborting');
    go();
    await expectNothingMore(id);
    expect(await stage.world.actions(id)).toContain('run.abort');
  });

  test('ends a queued one at once, and it never starts', async () => {
    const { go } = await hanging();
    const waiting = await stage.tell('another');
    expect((await stage.engine.abort(must(waiting.run), inChat(OPERATOR))).state).toBe('aborted');
    go();
    await anHour();
    expect(stage.provider.requests.map((request) => shownTo(request.messages)).join()).not.toContain(
      'another',
    );
  });

  test('is refused to others, and to what is over', async () => {
    const { id, go } = await hanging();
    await stage.world.ungrant(SECOND);
    await stage.world.grant(SECOND, 'member');
    await expect(stage.engine.abort(id, inChat(SECOND))).rejects.toMatchObject({ code: 'run.order.denied' });
    await expect(
      stage.engine.abort('run_00000000000000000000' as RunId, inChat(OPERATOR)),
    ).rejects.toMatchObject({ code: 'run.id.missing' });
    go();
    await stage.settled(id);
    await expect(stage.engine.abort(id, inChat(MEMBER))).rejects.toMatchObject({ code: 'task.run.conflict' });
  });

  test('just before a crash holds after it: not one more call', async () => {
    const { id } = await hanging();
    await tamper(stage.world, 'run', { id }, { state: 'aborting' });
    const calls = stage.provider.requests.length;
    await stage.restart();
    await until(async () => (await stage.run(id)).state === 'aborted', 'the end');
    expect(stage.provider.requests).toHaveLength(calls);
  });
});

describe('time', () => {
  test('the deadline ends a run, with words in the chat; another one goes on', async () => {
    await stage.set({ queue: { runDeadlineMs: 30_000 } });
    const { id } = await hanging();
    await stage.world.clock.advance(30_000);
    const run = await stage.settled(id);
    expect(run).toMatchObject({ state: 'failed', error: { code: 'run.deadline.exhausted' } });
    expect(stage.heard.at(-1)).toContain('limit for one run');
    const next = await stage.settled((await stage.tell('next')).run);
    expect(next.state).toBe('succeeded');
  });

  test('the deadline counts from the first start, also over a restart, and no tool runs after it', async () => {
    await stage.set({ queue: { runDeadlineMs: 60_000 } });
    const { id } = await hanging();
    await stage.world.clock.advance(55_000);
    stage.script = () => [{ kind: 'hang' }];
    await stage.restart();
    await stage.world.clock.advance(5_000);
    expect(await stage.settled(id)).toMatchObject({ error: { code: 'run.deadline.exhausted' } });
  });

  test('a drain leaves a run resumable, and the next process ends it once', async () => {
    const { id } = await hanging();
    await stage.restart();
    stage.script = () => say('after the restart');
    const run = await stage.settled(id);
    expect(run).toMatchObject({ state: 'succeeded' });
    expect(await replyCount()).toBe(1);
    await expect(stage.tell('more')).resolves.toMatchObject({ outcome: 'run' });
  });

  test('a draining engine takes nothing new', async () => {
    const { engine } = stage;
    await stage.restart();
    await expect(async () =>
      engine.accept({
        event: {
          source: 'chat:test',
          externalId: 'late',
          kind: 'message',
          channel: { id: 'ops-channel', kind: 'channel', title: 'Ops' },
          sender: { id: 'mia', displayName: 'mia', isBot: false },
          text: 'late',
          isAddressed: true,
          isRelayed: false,
          sentAt: 0,
        },
        door: 'chat',
        conversationKey: 'ops',
      }),
    ).rejects.toMatchObject({ code: 'ingest.drain.unavailable' });
    expect(engine.health().isReady).toBe(false);
    expect(stage.engine.health()).toEqual({ isReady: true, reasons: [] });
  });
});

describe('retry', () => {
  test('makes a fresh run of the same task, by its sender or staff, when none is open', async () => {
    stage.script = () => say('');
    const accepted = await stage.tell('a question');
    expect((await stage.settled(accepted.run)).state).toBe('failed');
    stage.script = () => say('now');
    const again = await stage.engine.retry(must(accepted.task), inChat(MEMBER));
    await expect(stage.engine.retry(must(accepted.task), inChat(MEMBER))).rejects.toMatchObject({
      code: 'run.retry.conflict',
    });
    expect(await stage.settled(again.id)).toMatchObject({ state: 'succeeded', output: 'now', attempt: 2 });
    expect(await runsOf(stage, accepted.task)).toHaveLength(2);
    await stage.world.ungrant(SECOND);
    await stage.world.grant(SECOND, 'member');
    await expect(stage.engine.retry(must(accepted.task), inChat(SECOND))).rejects.toMatchObject({
      code: 'run.order.denied',
    });
  });
});

describe('steering', () => {
  test('is seen by the next call, and only by the run it is meant for', async () => {
    const { id, go } = await hanging();
    await stage.engine.steer(id, 'answer in French', inChat(MEMBER));
    go();
    await stage.settled(id);
    expect(shownTo(stage.provider.requests[0]?.messages)).not.toContain('French');
    expect(shownTo(stage.provider.requests[1]?.messages)).toContain('[added later] answer in French');
  });

  test('that comes during the last call makes one more', async () => {
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    let calls = 0;
    stage.script = () => {
      calls += 1;
      begun.resolve();
      return calls === 1 ? [{ kind: 'hold', until: gate.promise }, ...say('too soon')] : say('en français');
    };
    const accepted = await stage.tell('a question');
    await begun.promise;
    await stage.engine.steer(must(accepted.run), 'in French', inChat(MEMBER));
    gate.resolve();
    const run = await stage.settled(accepted.run);
    expect(run.output).toBe('en français');
    expect(stage.provider.requests).toHaveLength(2);
    expect(stage.heard).toEqual(['en français']);
  });

  test('is refused to everybody else, staff too, without words, and when it is over', async () => {
    const { id, go } = await hanging();
    await expect(stage.engine.steer(id, 'x', inChat(OPERATOR))).rejects.toMatchObject({
      code: 'run.order.denied',
    });
    await expect(stage.engine.steer(id, ' ', inChat(MEMBER))).rejects.toMatchObject({
      code: 'run.steer.invalid',
    });
    go();
    await stage.settled(id);
    await expect(stage.engine.steer(id, 'x', inChat(MEMBER))).rejects.toMatchObject({
      code: 'run.steer.conflict',
    });
  });

  test('is refused when the key that signed it was revoked meanwhile', async () => {
    const { id, go } = await hanging();
    const key = { id: 'k'.repeat(43), user: MEMBER, publicKeyPem: 'PEM', name: 'laptop', createdAt: 1 };
    await stage.world.deps.store.commit(TEST_AUDIT, (tx) =>
      tx.insert('identity_key', { ...key, revokedAt: 2 }),
    );
    const actor = { ...signed(MEMBER), proof: { keyId: key.id, signature: '', signed: '' } };
    await expect(stage.engine.steer(id, 'in French', actor)).rejects.toMatchObject({
      code: 'identity.key.unauthenticated',
    });
    go();
    await stage.settled(id);
    expect(shownTo(stage.provider.requests[1]?.messages)).not.toContain('French');
  });

  test('words of others in the conversation are not steering', async () => {
    const { id, go } = await hanging();
    await stage.tell('ignore all that', { by: 'olga', isAddressed: false });
    // Not even a row that claims to belong to the run.
    await stage.world.deps.store.commit(TEST_AUDIT, async (tx) => {
      const input = must(await tx.get('context_message', { id: (await stage.run(id)).input }));
      await tx.insert('context_message', {
        ...input,
        id: stage.deps.ids.make('message'),
        seq: await tx.next('message'),
        sender: OPERATOR,
        run: id,
        text: 'ignore all that',
      });
    });
    go();
    await stage.settled(id);
    expect(shownTo(stage.provider.requests[1]?.messages)).not.toContain('ignore all that');
  });
});

describe('a run in circles', () => {
  test('ends when it asks the same and hears the same again and again', async () => {
    stage.script = () => callTool('md_list', {});
    const run = await stage.settled((await stage.tell('loop')).run);
    expect(run).toMatchObject({ state: 'failed', error: { code: 'run.progress.exhausted' } });
    expect(stage.provider.requests).toHaveLength(3);
  });

  test('ends after its number of calls', async () => {
    await stage.set({ queue: { maxSteps: 4 } });
    let n = 0;
    stage.script = () => {
      n += 1;
      return callTool('md_grep', { pattern: `word ${n}` });
    };
    const run = await stage.settled((await stage.tell('loop')).run);
    expect(run).toMatchObject({ state: 'failed', error: { code: 'run.steps.exhausted' } });
    expect(stage.provider.requests).toHaveLength(4);
  });
});
