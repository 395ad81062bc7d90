import { describe, expect, test } from 'vitest';
import { BOSS, must, signed } from '../settle/world.fixture.ts';
import {
  framesOf,
  type Held,
  PHASES,
  type Phase,
  REACH,
  seedToken,
  TAKINGS,
  type Taking,
  take,
} from './phases.fixture.ts';
import { say, useStage } from './run.fixture.ts';

const stage = useStage();

/** What is left of a thing that was stopped: its state, and the words that say why. */
interface End {
  readonly state: string;
  readonly says: RegExp;
}

const STOPPED: Readonly<Record<Taking, End>> = {
  panic: { state: 'aborted', says: /^Everything was stopped: panic/ },
  token: { state: 'aborted', says: /^Stopped: / },
  identity: { state: 'aborted', says: /^Stopped: / },
  grant: { state: 'aborted', says: /^Stopped: / },
};
const VOID: End = { state: 'void', says: /(Panic stopped it|were taken away)\. Nothing of it left\.$/ };
const DOUBT: End = { state: 'uncertain', says: /stopped|taken away/ };
const each = (end: End): Readonly<Record<Taking, End>> => ({
  panic: end,
  token: end,
  identity: end,
  grant: end,
});

/** The final state of every phase, for everything that may be taken away in it. Typed, so that no phase can be left out. */
const ENDS: Readonly<Record<Phase, Readonly<Partial<Record<Taking, End>>>>> = {
  queued: STOPPED,
  'the prompt is built': STOPPED,
  'the model is connected to': STOPPED,
  'the model speaks': STOPPED,
  'a tool runs': STOPPED,
  'between a tool and the next call': STOPPED,
  'a proposal is committed': STOPPED,
  'the answer is committed': STOPPED,
  // What a token asked is fetched, not sent: its answer never waits.
  'the answer waits behind another': { panic: VOID, identity: VOID, grant: VOID },
  'approved, not begun': each(VOID),
  'on its way': each(DOUBT),
  'a part has left, the next is on its way': each(DOUBT),
  'between two tries': each(VOID),
  'between two tries, a part has left': each(DOUBT),
  uncertain: each({ state: 'uncertain', says: /says uncertain/ }),
};

const CASES = PHASES.flatMap((phase) =>
  TAKINGS.flatMap((taking) => {
    const end = ENDS[phase][taking];
    return end === undefined ? [] : [{ phase, taking, end }];
  }),
);

const read = () => stage.world.deps.store.read;
const anHour = () => stage.world.clock.advance(3_600_000);

/** Everything that a run or an effect can begin. */
async function begunSoFar(): Promise<object> {
  return {
    calls: stage.provider.requests.length,
    frames: framesOf(stage).length,
    delivered: await deliveredSoFar(),
    tries: (await read().find('effect', { class: { in: ['E1'] } })).map(({ id, attempts }) => [id, attempts]),
    files: await stage.files.list(stage.world.context.workspace),
    answers: await read().count('effect', {
      kind: 'message.reply',
      state: { in: ['approved', 'performing', 'done'] },
    }),
    waiting: await read().count('approval', { state: { in: ['pending', 'granted'] } }),
  };
}
/** Cards and notices are left out: people may hear of what happened to what they know of. */
async function deliveredSoFar(): Promise<readonly unknown[]> {
  const notices = await read().find('effect', { kind: 'message.notice' });
  const ids = new Set<string>(notices.map(({ id }) => id));
  return stage.world.chat.sent.filter(({ effectId }) => !ids.has(effectId));
}

async function stateOf({
  run,
  effect,
}: Held): Promise<{ readonly state: string; readonly message: string | undefined }> {
  if (effect === undefined) {
    const { state, error, output } = await stage.run(run);
    expect(output).toBeUndefined();
    return { state, message: error?.message };
  }
  const { state, error } = await stage.world.effect(effect);
  return { state, message: error?.message };
}

async function expectEnd(held: Held, end: End): Promise<void> {
  const { state, message } = await stateOf(held);
  expect({ state, message }).toEqual({
    state: end.state,
    message: expect.stringMatching(end.says),
  });
}

test(`${PHASES.length} phases, ${CASES.length} cases: each phase meets panic and each revocation that can reach it`, () => {
  for (const phase of PHASES) expect(Object.keys(ENDS[phase]).length, phase).toBeGreaterThanOrEqual(3);
  expect(CASES.length).toBe(PHASES.length * TAKINGS.length - 1);
});

describe.each(CASES)('$phase: $taking', ({ phase, taking, end }) => {
  test('nothing new begins, the end is right and said, and nothing old comes back', async () => {
    await seedToken(stage);
    const held = await REACH[phase](stage, taking === 'token');
    const startMs = stage.world.clock.nowMs();
    await take(stage, taking);
    const seen = await begunSoFar();
    held.go();
    await stage.world.clock.settle();
    // No clock moved: within the second that is promised, with a second to spare.
    expect(stage.world.clock.nowMs() - startMs).toBe(0);
    expect(await begunSoFar()).toEqual(seen);
    await anHour();
    await expectEnd(held, end);
    expect(await begunSoFar()).toEqual(seen);
    if (taking !== 'panic') return;
    stage.script = () => say('a fresh answer');
    await stage.engine.panicOff(signed(BOSS));
    await anHour();
    expect(await begunSoFar()).toEqual(seen);
    await expectEnd(held, end);
    stage.world.chat.onDeliver = undefined;
    const fresh = await stage.settled(must((await stage.tell('a new question', { key: 'fresh' })).run));
    expect(fresh).toMatchObject({ state: 'succeeded', output: 'a fresh answer' });
  });
});
