import { Crash } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import type { EngineDeps } from '../api.ts';
import { approve } from '../approval/index.ts';
import { armed, outrun } from './outside.fixture.ts';
import { recoverEffects } from './recover.ts';
import {
  approvedPost,
  arrivedOf,
  insertReply,
  OPERATOR,
  proposeWrite,
  runOutbox,
  signed,
  tamper,
  useWorld,
  type World,
} from './world.fixture.ts';

const at = useWorld();

interface Scene {
  readonly post: string;
  readonly write: string;
  readonly reply: string;
}

/** A post of two parts, a write into memory and an answer, all ready to leave. */
async function setScene(world: World): Promise<Scene> {
  const post = await approvedPost(world, 'one\n\ntwo');
  const write = await proposeWrite(world, 'memory.md', '- a fact\n');
  await approve(world.deps, write.approval.id, write.effect.digest, signed(OPERATOR));
  return { post, write: write.effect.id, reply: await insertReply(world, 'answer') };
}

/** Runs until nothing moves; a dead process stops in the middle. */
async function runDying(world: World): Promise<void> {
  try {
    await runOutbox(world);
  } catch (thrown) {
    if (!(thrown instanceof Crash)) throw thrown;
  }
  await world.clock.settle();
}

async function surviving(world: World, nth: number, setUp: (world: World) => void = () => {}) {
  const crash = armed();
  const first = await at.restart({ crash });
  setUp(first);
  const scene = await setScene(first);
  first.chat.sent.length = 0;
  crash.arm(nth);
  await runDying(first);
  const hasCrashed = crash.hasCrashed;
  const again = await at.restart();
  const outbox = await runOutbox(again);
  await again.clock.advance(60_000);
  await outbox.idle();
  await outbox.drain(0);
  return { again, scene, hasCrashed, world };
}

async function expectInvariants(world: World, scene: Scene): Promise<void> {
  const post = await world.effect(scene.post);
  const arrived = arrivedOf(world, scene.post);
  // Nothing approved leaves twice, and what is known as done has arrived whole.
  expect(arrived).toEqual(post.payloads.slice(0, arrived.length));
  expect(['done', 'uncertain', 'approved']).toContain(post.state);
  if (post.state === 'done') expect(arrived).toHaveLength(2);
  if (arrived.length > 0) {
    expect((await world.approval(String(post.approval))).state).toBe('consumed');
    expect(await world.actions(scene.post)).toContain('effect.perform');
  }
  // The write happened once or is known not to have; a file never needs a human.
  const write = await world.effect(scene.write);
  expect(write.state).toBe('done');
  expect(world.files.texts.get('memory.md')).toBe('- a fact\n');
  // An answer is never lost; one that may have arrived twice is listed.
  const reply = await world.effect(scene.reply);
  expect(reply.state).toBe('done');
  const answers = arrivedOf(world, scene.reply).length;
  expect(answers).toBeGreaterThanOrEqual(1);
  if (answers > 1) expect(reply.error?.code).toBe('settle.repeat.uncertain');
  const performing = await world.deps.store.read.count('effect', { state: 'performing' });
  expect(performing).toBe(0);
  expect((await world.opened.audit.verify()).problems).toEqual([]);
}

function knowing(world: World): void {
  world.chat.reconciles = 'truth';
}

function deduplicating(world: World): void {
  world.chat.dropsRepeats = true;
}

describe('death at every crash point of engine and store', { timeout: 240_000 }, () => {
  test.each([
    ['an outside that cannot tell', () => {}],
    ['an outside that knows', knowing],
    ['an outside that drops repeats', deduplicating],
  ])('%s', async (_name, setUp) => {
    let nth = 1;
    const states = new Set<string>();
    for (; nth < 200; nth += 1) {
      const { again, scene, hasCrashed } = await surviving(at.world, nth, setUp);
      await expectInvariants(again, scene);
      states.add((await again.effect(scene.post)).state);
      await tidy(again);
      if (!hasCrashed) break;
    }
    // More than one death per commit and per delivered part, and the last round met none.
    expect(nth).toBeGreaterThan(12);
    expect(nth).toBeLessThan(200);
    // Who can tell needs no human; who cannot makes one look.
    const isKnowing = at.world.chat.reconciles === 'truth';
    expect([...states].sort()).toEqual(isKnowing ? ['done'] : ['done', 'uncertain']);
  });
});

/** The next round begins with an empty outbox and an empty file. */
async function tidy(world: World): Promise<void> {
  world.files.texts.clear();
  const [task] = await world.deps.store.read.find('task', {});
  expect(task).toBeDefined();
}

describe('what an older process left performing', () => {
  async function leftPerforming(id: string, more: Partial<EngineDeps> = {}): Promise<World> {
    await tamper(
      at.world,
      'effect',
      { id: id as never },
      { state: 'performing', claimEpoch: 1, attempts: 1 },
    ); // safe: only compared
    const [approval] = await at.world.deps.store.read.find('approval', { effect: id as never }); // safe: only compared
    if (approval !== undefined)
      await tamper(at.world, 'approval', { id: approval.id }, { state: 'consumed' });
    return at.restart(more);
  }

  test('nobody can tell: uncertain, with a word to the people, and never sent again', async () => {
    const world = await leftPerforming(await approvedPost(at.world, 'hello'));
    await runOutbox(world);
    const [effect] = await world.deps.store.read.find('effect', { class: 'E1' });
    expect(effect?.state).toBe('uncertain');
    expect(world.chat.sent.map((sent) => String(sent.payload.text)).join()).toContain(
      'an operator must look',
    );
  });

  test('known as sent: done without another delivery', async () => {
    const id = await approvedPost(at.world, 'hello');
    at.world.chat.reconciles = 'truth';
    at.world.chat.sent.push({ payload: { text: 'hello' }, effectId: id, part: 0 });
    const world = await leftPerforming(id);
    await runOutbox(world);
    expect((await world.effect(id)).state).toBe('done');
    expect(arrivedOf(world, id)).toHaveLength(1);
  });

  test('known as not sent: its approval is given back, decided afresh and used again', async () => {
    const id = await approvedPost(at.world, 'hello');
    at.world.chat.reconciles = 'truth';
    const world = await leftPerforming(id);
    await runOutbox(world);
    expect((await world.effect(id)).state).toBe('done');
    expect(arrivedOf(world, id)).toHaveLength(1);
    expect(await world.actions(id)).toEqual([
      'effect.propose',
      'effect.retry',
      'effect.perform',
      'effect.done',
    ]);
  });

  test('known as not sent, but the approver has lost the role since: refused', async () => {
    const id = await approvedPost(at.world, 'hello');
    at.world.chat.reconciles = 'truth';
    await at.world.ungrant(OPERATOR);
    const world = await leftPerforming(id);
    await runOutbox(world);
    expect(arrivedOf(world, id)).toEqual([]);
    expect((await world.effect(id)).state).toBe('denied');
  });

  test('its tries are spent: uncertain instead of a loop of deaths', async () => {
    const id = await approvedPost(at.world, 'hello');
    at.world.chat.reconciles = 'truth';
    await tamper(at.world, 'effect', { id }, { state: 'performing', claimEpoch: 1, attempts: 4 });
    const world = await at.restart();
    await runOutbox(world);
    expect((await world.effect(id)).state).toBe('uncertain');
  });

  test('an effect of this very process is left alone', async () => {
    const { world } = at;
    const id = await approvedPost(world, 'hello');
    await tamper(world, 'effect', { id }, { state: 'performing', claimEpoch: world.deps.store.epoch });
    await runOutbox(world);
    expect((await world.effect(id)).state).toBe('performing');
  });

  const live = () => new AbortController().signal;

  test('a part is known as sent: the next one leaves under the same approval', async () => {
    const id = await approvedPost(at.world, 'one\n\ntwo');
    at.world.chat.reconciles = 'truth';
    at.world.chat.sent.push({ payload: { text: 'one' }, effectId: id, part: 0 });
    const world = await leftPerforming(id);
    const [recorded] = await recoverEffects(world.deps, live());
    expect(recorded?.effect).toMatchObject({ id, state: 'approved', receipts: [{}] });
    expect(await world.effect(id)).toMatchObject({ state: 'approved', receipts: [{}] });
    await runOutbox(world);
    expect(arrivedOf(world, id)).toEqual([{ text: 'one' }, { text: 'two' }]);
  });

  test.each(['truth', 'unknown'] as const)('what was taken away meanwhile is not told: %s', async (word) => {
    const id = await approvedPost(at.world, 'hello');
    at.world.chat.reconciles = word;
    at.world.chat.sent.push({ payload: { text: 'hello' }, effectId: id, part: 0 });
    const world = await leftPerforming(id);
    const deps = { ...world.deps, store: outrun(world.deps.store, 'effect') };
    expect(await recoverEffects(deps, live())).toEqual([]);
    expect((await world.effect(id)).state).toBe('performing');
  });

  test.each([
    ['in doubt', false, true, 'effect.repeat'],
    ['without a doubt where repeats are dropped', true, true, 'effect.retry'],
    ['in doubt where nobody serves the place any more', true, false, 'effect.repeat'],
  ])('an answer goes out once more, %s', async (_name, dropsRepeats, isServed, action) => {
    const id = await insertReply(at.world, 'hello');
    at.world.chat.dropsRepeats = dropsRepeats;
    const world = await leftPerforming(id, isServed ? {} : { connectors: [] });
    expect((await recoverEffects(world.deps, live())).map(({ effect }) => effect.state)).toEqual([
      'approved',
    ]);
    expect((await world.actions(id)).at(-1)).toBe(action);
  });
});
