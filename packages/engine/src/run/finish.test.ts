import { AppError, type Message, makeLabel, type Run } from '@agent-runtime/domain';
import { beforeEach, describe, expect, test } from 'vitest';
import { queueRun } from '../ingest/work.ts';
import { HERE_LABEL, MEMBER, must, TEST_AUDIT, tamper, useWorld } from '../settle/world.fixture.ts';
import { currentRun, endRun, finishRun } from './finish.ts';
import { loadPlace } from './place.ts';
import { assertMayGoOn } from './rights.ts';
import { NO_PROGRESS, type RunPlace } from './session.ts';

const at = useWorld();
const RUN = 'run_00000000000000000001' as Run['id']; // safe: alphabet of ids
let input: Message;

beforeEach(async () => {
  const { deps, task } = at.world;
  const nowMs = deps.clock.nowMs();
  const { workspace, context, conversation } = task;
  input = {
    id: deps.ids.make('message'),
    seq: 1,
    workspace,
    context,
    conversation,
    direction: 'in',
    sender: MEMBER,
    senderName: 'mia',
    text: 'a question',
    label: HERE_LABEL,
    isPromptable: true,
    externalId: 'm1',
    at: nowMs,
  };
  await deps.store.commit(TEST_AUDIT, async (tx) => {
    await tx.next('message');
    await tx.insert('context_message', input);
    await queueRun(tx, {
      id: RUN,
      task: task.id,
      workspace,
      context,
      conversation,
      input: input.id,
      state: 'queued',
      attempt: 1,
      label: HERE_LABEL,
      createdAt: nowMs,
      pendingApprovals: [],
    });
  });
});

async function placed(state: Run['state'] = 'running'): Promise<RunPlace> {
  await tamper(at.world, 'run', { id: RUN }, { state });
  return loadPlace(at.world.deps.store.read, RUN);
}
const row = async () => must(await at.world.deps.store.read.get('run', { id: RUN }));
const work = async () => (await at.world.deps.journal.get(RUN))?.state;
const said = async () =>
  (await at.world.deps.store.read.find('context_message', { direction: 'out' })).map(({ text }) => text);

function finish(place: RunPlace, isStopped = false, seenSeq = input.seq) {
  const progress = {
    ...NO_PROGRESS,
    label: makeLabel(2, HERE_LABEL.audience),
    sources: new Map([['a.md', 3]]),
  };
  return at.world.deps.store.commit(TEST_AUDIT, (tx) =>
    finishRun(at.world.deps, tx, place, {
      text: 'see a.md:2',
      progress,
      seenSeq,
      isStopped: () => isStopped,
    }),
  );
}

/** Nothing of an answer is there. */
async function expectNoAnswer(state: Run['state']): Promise<void> {
  const run = await row();
  expect([run.state, run.output]).toEqual([state, undefined]);
  expect(await said()).toEqual([]);
  expect(await at.world.deps.store.read.count('effect', {})).toBe(0);
  expect(await at.world.actions(RUN)).toEqual([]);
}

describe('an answer', () => {
  test('ends its run, work, message and effect at once, as words of a model', async () => {
    const place = await placed();
    expect(await finish(place)).toBe('over');
    const nowMs = at.world.clock.nowMs();
    expect(await row()).toMatchObject({
      state: 'succeeded',
      finishedAt: nowMs,
      output: 'see a.md:2',
      citations: [{ path: 'a.md', line: 2 }],
      label: HERE_LABEL,
    });
    expect(await work()).toBe('done');
    expect(await said()).toEqual(['see a.md:2']);
    const [effect] = await at.world.deps.store.read.find('effect', {});
    expect(effect).toMatchObject({ kind: 'message.reply', run: RUN, label: HERE_LABEL, state: 'approved' });
    expect(await at.world.actions(RUN)).toEqual(['run.succeed']);
    const { id } = place.conversation;
    expect(await at.world.deps.store.read.get('context_conversation', { id })).toMatchObject({
      lastAt: nowMs,
    });
  });

  test.each(['aborted', 'succeeded', 'failed'] as const)('of a run that is %s is over', async (state) => {
    expect(await finish(await placed(state))).toBe('over');
    await expectNoAnswer(state);
  });

  test('of a run that was aborted meanwhile is not shown', async () => {
    expect(await finish(await placed('aborting'))).toBe('over');
    await expectNoAnswer('aborted');
    expect(await row()).toMatchObject({ error: { code: 'run.abort.cancelled' } });
    expect(await work()).toBe('cancelled');
  });

  test('that does not know the newest words waits for the model', async () => {
    const place = await placed();
    await at.world.deps.store.commit(TEST_AUDIT, async (tx) => {
      const seq = await tx.next('message');
      await tx.insert('context_message', { ...input, id: at.world.deps.ids.make('message'), seq, run: RUN });
    });
    expect(await finish(place)).toBe('steered');
    await expectNoAnswer('running');
    expect(await finish(place, false, input.seq + 1)).toBe('over');
  });

  test.each([
    ['the role is gone', 'run.rights.cancelled', () => at.world.ungrant(MEMBER), false],
    ['panic came', 'run.rights.cancelled', async () => at.world.panic.turnOn('test', 0), false],
    ['it was stopped', 'run.stop.cancelled', async () => {}, true],
  ] as const)('writes nothing where %s', async (_name, code, happen, isStopped) => {
    const place = await placed();
    await happen();
    await expect(finish(place, isStopped)).rejects.toMatchObject({ code, kind: 'cancelled' });
    await expectNoAnswer('running');
  });

  test('writes nothing where panic comes while it is written', async () => {
    const place = await placed();
    const { panic } = at.world;
    // Off for the look at the rights, on at the last look.
    let looks = 0;
    const late = {
      ...panic,
      isOn: () => {
        looks += 1;
        return looks > 1;
      },
    };
    await expect(
      at.world.deps.store.commit(TEST_AUDIT, (tx) =>
        finishRun({ ...at.world.deps, panic: late }, tx, place, {
          text: 'x',
          progress: NO_PROGRESS,
          seenSeq: 1,
          isStopped: () => false,
        }),
      ),
    ).rejects.toMatchObject({ code: 'run.panic.cancelled' });
    await expectNoAnswer('running');
  });
});

describe('a run without an answer', () => {
  const failure = new AppError({ code: 'llm.call.rejected', kind: 'rejected', message: 'No model.' });
  const stop = new AppError({ code: 'run.stop.cancelled', kind: 'cancelled', message: 'Stopped.' });

  test.each([
    ['running', failure, 'failed', 'run.fail', 'failed'],
    ['queued', failure, 'failed', 'run.fail', 'failed'],
    ['running', stop, 'aborted', 'run.abort', 'cancelled'],
    ['queued', stop, 'aborted', 'run.abort', 'cancelled'],
  ] as const)('%s: %s', async (before, error, state, action, end) => {
    const ended = await endRun(at.world.deps, await placed(before), error);
    const nowMs = at.world.clock.nowMs();
    for (const one of [ended, await row()])
      expect(one).toMatchObject({ state, finishedAt: nowMs, error: { code: error.code } });
    expect(await work()).toBe(end);
    expect(await at.world.actions(RUN)).toEqual([action]);
    // People are told of a failure; who stopped it knows.
    expect(await said()).toEqual(error === failure ? [`That did not work: No model. (${RUN})`] : []);
  });

  test('that is aborting was stopped on request, whatever went wrong', async () => {
    await endRun(at.world.deps, await placed('aborting'), failure);
    expect(await row()).toMatchObject({ state: 'aborted', error: { code: 'run.abort.cancelled' } });
    expect(await work()).toBe('cancelled');
    expect(await said()).toEqual([]);
  });

  test('that is over stays as it is, and its work ends', async () => {
    const place = await placed('succeeded');
    expect(await endRun(at.world.deps, place, failure)).toMatchObject({ state: 'succeeded' });
    expect((await row()).error).toBeUndefined();
    expect(await work()).toBe('done');
    expect(await said()).toEqual([]);
  });

  test('and without a row is our own fault', async () => {
    const { run } = await placed();
    await at.world.deps.store.commit(TEST_AUDIT, (tx) => tx.remove('run', { id: RUN }));
    await expect(at.world.deps.store.commit(TEST_AUDIT, (tx) => currentRun(tx, run))).rejects.toMatchObject({
      code: 'run.row.bug',
      kind: 'bug',
    });
  });
});

test('a run goes on while who asked may ask', async () => {
  const place = await placed();
  await expect(assertMayGoOn(at.world.deps, place)).resolves.toBeUndefined();
  await at.world.ungrant(MEMBER);
  await expect(assertMayGoOn(at.world.deps, place)).rejects.toMatchObject({ code: 'run.rights.cancelled' });
});
