import type { Effect } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import type { EngineDeps } from '../api.ts';
import { approve } from '../approval/index.ts';
import { claim } from './claim.ts';
import { fault, type Sent } from './outside.fixture.ts';
import { DRAINED, perform } from './perform.ts';
import { type Ending, record } from './record.ts';
import { mustWait } from './wait.ts';
import { approvedPost, BOSS, insertReply, must, proposeWrite, signed, useWorld } from './world.fixture.ts';

const at = useWorld();

async function claimed(id: Effect['id'], change: Partial<Effect> = {}): Promise<Effect> {
  const taken = await claim(at.world.deps, id);
  if (taken.kind !== 'claimed') throw new Error('not claimed');
  return { ...taken.effect, ...change };
}
const post = async (text = 'hello', change?: Partial<Effect>) =>
  claimed(await approvedPost(at.world, text), change);
const reply = async (change?: Partial<Effect>) => claimed(await insertReply(at.world, 'hello'), change);

/** What each part ended with, in order. */
async function endingsOf(
  effect: Effect,
  how: { readonly signal?: AbortSignal; readonly deps?: Partial<EngineDeps> } = {},
): Promise<readonly Ending[]> {
  const deps = { ...at.world.deps, ...how.deps };
  const endings: Ending[] = [];
  await perform(deps, effect, how.signal ?? new AbortController().signal, (one, ending) => {
    endings.push(ending);
    return record(at.world.deps, one, ending);
  });
  return endings;
}

/** The outside takes what arrives and is asked what it knows. */
function outside(deliver: ((sent: Sent) => unknown) | undefined, asked: () => unknown = () => {}): void {
  const { chat } = at.world;
  chat.onDeliver = deliver;
  const { reconcile } = chat;
  chat.reconcile = async (...all) => {
    asked();
    return reconcile(...all);
  };
}
const lose = () => {
  throw fault('uncertain');
};

describe('before a part leaves', () => {
  test('without a connector nothing is tried, and it waits', async () => {
    const endings = await endingsOf(await post(), { deps: { connectors: [] } });
    expect(endings).toMatchObject([
      { kind: 'retry', error: { code: 'settle.sink.unavailable' }, isDoubtful: false },
    ]);
  });

  test('bytes that are not the stored ones end it', async () => {
    const effect = await post('hello', { payloads: [{ text: 'hullo' }] });
    expect(await endingsOf(effect)).toMatchObject([
      { kind: 'reject', error: { code: 'effect.digest.conflict' } },
    ]);
    expect(at.world.chat.sent).toEqual([]);
  });

  test('panic and a stop end it, and nothing leaves', async () => {
    const stopped = [{ kind: 'lose', error: { code: 'settle.stop.uncertain' } }];
    expect(await endingsOf(await post(), { signal: AbortSignal.abort() })).toMatchObject(stopped);
    const effect = await post();
    at.world.panic.turnOn('test', 0);
    expect(await endingsOf(effect)).toMatchObject(stopped);
    expect(at.world.chat.sent).toEqual([]);
  });

  test('an effect that was taken away meanwhile sends no further part', async () => {
    const effect = await post('one\n\ntwo');
    const signal = new AbortController().signal;
    expect(await perform(at.world.deps, effect, signal, async () => undefined)).toBeUndefined();
    expect(at.world.chat.sent).toHaveLength(1);
  });

  test('a part that is not accepted is the last one', async () => {
    outside((sent) => {
      if (sent.part === 1) throw fault('rejected');
    });
    expect((await endingsOf(await post('one\n\ntwo\n\nthree'))).map(({ kind }) => kind)).toEqual([
      'receipt',
      'reject',
    ]);
    expect(at.world.chat.sent).toHaveLength(1);
  });
});

describe('a lost outcome', () => {
  test('is asked after once; what the outside saw counts', async () => {
    let asked = 0;
    at.world.chat.reconciles = 'truth';
    at.world.chat.script = [{ kind: 'accept-then-throw', error: fault('uncertain') }];
    outside(undefined, () => {
      asked += 1;
    });
    expect(await endingsOf(await post())).toMatchObject([{ kind: 'receipt' }]);
    expect(asked).toBe(1);
  });

  test.each(['panic', 'a stop'])('under %s nobody is asked any more', async (what) => {
    const stop = new AbortController();
    let asked = 0;
    outside(
      () => {
        if (what === 'panic') at.world.panic.turnOn('test', 0);
        else stop.abort();
        return lose();
      },
      () => {
        asked += 1;
      },
    );
    expect(await endingsOf(await post(), { signal: stop.signal })).toMatchObject([{ kind: 'lose' }]);
    expect(asked).toBe(0);
  });

  test('an answer is tried again, in doubt unless the receiver drops repeats, until its tries are spent', async () => {
    outside(lose);
    const max = at.world.deps.config.deliverMaxAttempts;
    for (const dropsRepeats of [false, true]) {
      at.world.chat.dropsRepeats = dropsRepeats;
      expect(await endingsOf(await reply({ attempts: max - 1 }))).toMatchObject([
        { kind: 'retry', isDoubtful: !dropsRepeats },
      ]);
    }
    expect(await endingsOf(await reply({ attempts: max }))).toMatchObject([{ kind: 'lose' }]);
  });

  test('stopped while it is asked after stays unknown', async () => {
    const stop = new AbortController();
    outside(lose, () => stop.abort());
    expect(await endingsOf(await reply(), { signal: stop.signal })).toMatchObject([{ kind: 'lose' }]);
  });

  test('of a file that nobody can vouch for is not tried again', async () => {
    const { effect, approval } = await proposeWrite(at.world, 'memory.md', '- a fact\n');
    await approve(at.world.deps, approval.id, effect.digest, signed(BOSS));
    const files = { ...at.world.files, write: () => Promise.reject(fault('uncertain')) };
    at.world.files.texts.set('memory.md', 'somebody else’s');
    expect(await endingsOf(await claimed(effect.id), { deps: { files } })).toMatchObject([{ kind: 'lose' }]);
  });
});

describe('the end of the process', () => {
  test.each([
    ['sends an answer again later, in doubt', DRAINED, 'reply', false, { kind: 'retry', isDoubtful: true }],
    ['is no doubt where repeats are dropped', DRAINED, 'reply', true, { kind: 'retry', isDoubtful: false }],
    ['leaves what was approved unknown', DRAINED, 'post', false, { kind: 'lose' }],
    ['is not what stops for another reason', 'over', 'reply', false, { kind: 'lose' }],
  ] as const)('%s', async (_name, reason, what, dropsRepeats, ending) => {
    at.world.chat.dropsRepeats = dropsRepeats;
    const effect = await (what === 'post' ? post() : reply());
    expect(await endingsOf(effect, { signal: AbortSignal.abort(reason) })).toMatchObject([ending]);
    expect(at.world.chat.sent).toEqual([]);
  });
});

describe('nothing happened outside', () => {
  test('and so it waits, twice as long each time, capped; then it is given up', async () => {
    outside(() => {
      throw fault('unavailable');
    });
    const { clock, deps } = at.world;
    const waits: unknown[] = [];
    for (const attempts of [0, 1, 2, 3]) {
      const [ending] = await endingsOf(await reply({ attempts }));
      waits.push(ending?.kind === 'retry' && [ending.notBefore - clock.nowMs(), ending.isDoubtful]);
    }
    expect(waits).toEqual([1_000, 1_000, 2_000, 4_000].map((ms) => [ms, false]));
    const patient = { config: { ...deps.config, deliverMaxAttempts: 99 } };
    const [late] = await endingsOf(await reply({ attempts: 50 }), { deps: patient });
    expect(late).toMatchObject({ notBefore: clock.nowMs() + deps.config.deliverBackoffMaxMs });
    const given = must((await endingsOf(await reply({ attempts: 4 })))[0]);
    expect(given).toMatchObject({ kind: 'reject', error: { code: 'connectors.test.unavailable' } });
  });

  test('no receiver makes it wait longer than a day', async () => {
    outside(() => {
      throw fault('exhausted', 10 * 24 * 3_600_000);
    });
    expect(await endingsOf(await reply())).toMatchObject([
      { kind: 'retry', notBefore: at.world.clock.nowMs() + 24 * 3_600_000 },
    ]);
  });

  test.each([
    [0, false],
    [1, true],
    [24 * 3_600_000, true],
    [24 * 3_600_000 + 1, false],
  ])('an instant %i ms ahead holds it up: %s', (ms, expected) => {
    expect(mustWait({ notBefore: 7 + ms }, 7)).toBe(expected);
  });
});
