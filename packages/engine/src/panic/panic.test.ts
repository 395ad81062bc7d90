import { AppError, type Effect, type Store } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import type { Actor } from '../api.ts';
import { type Effects, makeEffects } from '../effects.ts';
import { fault } from '../settle/outside.fixture.ts';
import {
  approvedPost,
  arrivedOf,
  BOSS,
  HERE,
  inChat,
  insertReply,
  MEMBER,
  OPERATOR,
  person,
  proposePost,
  SECOND,
  signed,
  TEST_AUDIT,
  tamper,
  useWorld,
  type World,
} from '../settle/world.fixture.ts';
import { panicOff, settlePanic } from './panic.ts';

const at = useWorld();

function effectsOf(
  world: World,
  store: Store = world.deps.store,
): Effects & { readonly aborted: (string | undefined)[] } {
  const aborted: (string | undefined)[] = [];
  const effects = makeEffects({ ...world.deps, store }, { abortRuns: (key) => void aborted.push(key) });
  return { ...effects, aborted };
}

/** The outside takes a payload and never answers. */
function hanging(world: World): void {
  world.chat.onDeliver = () => 'hang';
}

async function states(world: World): Promise<readonly string[]> {
  const effects = await world.deps.store.read.find('effect', {}, { orderBy: 'createdAt' });
  return effects.map((effect) => effect.state);
}

describe('the sweep under panic', () => {
  test('writes what slipped in, in the name of who turned it on, and nothing where nothing did', async () => {
    const { world } = at;
    expect(await settlePanic(world.deps)).toBeUndefined();
    world.panic.turnOn(OPERATOR, 0);
    expect(await settlePanic(world.deps)).toEqual({ ended: 0, uncertain: [] });
    expect(await world.actions('panic')).toEqual([]);
    await insertReply(world, 'late');
    expect(await settlePanic(world.deps)).toMatchObject({ ended: 1 });
    const nobody = { ...world.panic, state: () => ({ isOn: true }) };
    await insertReply(world, 'later');
    expect(await settlePanic({ ...world.deps, panic: nobody })).toMatchObject({ ended: 1 });
    const events = await world.opened.audit.tail(2, { action: 'panic.sweep' });
    expect(events.map((event) => event.actor)).toEqual(['appliance', OPERATOR]);
  });

  test('the runs end before panic does, and only by who may end it', async () => {
    const { world } = at;
    const ended: unknown[] = [];
    const endRuns = async (by: string) => void ended.push(by, world.panic.isOn());
    world.panic.turnOn(OPERATOR, 0);
    await expect(panicOff(world.deps, inChat(MEMBER), endRuns)).rejects.toMatchObject({
      code: 'panic.off.denied',
    });
    expect([ended, world.panic.isOn()]).toEqual([[], true]);
    await panicOff(world.deps, signed(BOSS), endRuns);
    expect([ended, world.panic.isOn()]).toEqual([[BOSS, true], false]);
  });
});

describe('panic on', () => {
  test('pending and approved effects and their approvals are void; runs are told', async () => {
    const { world } = at;
    const effects = effectsOf(world);
    const pending = await proposePost(world, 'pending');
    const approved = await approvedPost(world, 'approved');
    const reply = await insertReply(world, 'answer');
    await effects.panicOn(signed(OPERATOR));
    expect(effects.aborted).toEqual([undefined]);
    await effects.start();
    await effects.outbox.idle();
    expect(world.chat.sent).toEqual([]);
    for (const id of [pending.effect.id, approved, reply])
      expect((await world.effect(id)).state).toBe('void');
    expect((await world.approval(pending.approval.id)).state).toBe('void');
    expect(await world.actions(approved)).toContain('effect.void');
    await effects.drain(0);
  });

  test('what is on its way ends uncertain at once, without waiting for the outside', async () => {
    const { world } = at;
    const effects = effectsOf(world);
    const post = await approvedPost(world, 'post');
    const reply = await insertReply(world, 'answer');
    hanging(world);
    await effects.start();
    await world.clock.settle();
    await effects.panicOn(signed(BOSS));
    await effects.outbox.idle();
    expect((await world.effect(post)).state).toBe('uncertain');
    // The card was on its way to the same place, so the answer behind it had not started.
    const [card] = await world.deps.store.read.find('effect', { kind: 'message.notice' });
    expect(card?.state).toBe('uncertain');
    expect((await world.effect(reply)).state).toBe('void');
    expect(world.chat.sent).toEqual([]);
    await effects.drain(0);
  });

  test('a second part never starts', async () => {
    const { world } = at;
    const effects = effectsOf(world);
    const post = await approvedPost(world, 'one\n\ntwo');
    world.chat.onDeliver = (sent) => {
      if (sent.effectId === post && sent.part === 0) world.panic.turnOn('test', 0);
    };
    await effects.start();
    await effects.outbox.idle();
    expect(arrivedOf(world, post)).toEqual([{ text: 'one' }]);
    expect((await world.effect(post)).state).toBe('uncertain');
    await effects.drain(0);
  });

  test('an answer whose outcome is lost under panic is not tried again', async () => {
    const { world } = at;
    const effects = effectsOf(world);
    const reply = await insertReply(world, 'answer');
    world.chat.onDeliver = () => {
      world.panic.turnOn('test', 0);
      throw fault('uncertain');
    };
    await effects.start();
    await effects.outbox.idle();
    expect((await world.effect(reply)).state).toBe('uncertain');
    await effects.drain(0);
  });

  test('panic between claim and delivery: nothing leaves', async () => {
    const { world } = at;
    const post = await approvedPost(world, 'post');
    let isOn = false;
    const store: Store = {
      ...world.deps.store,
      commit: async (audit, body) => {
        const done = await world.deps.store.commit(audit, body);
        const [first] = [audit].flat();
        if (first?.action === 'effect.perform' && !isOn) {
          isOn = true;
          world.panic.turnOn('test', 0);
        }
        return done;
      },
    };
    const effects = effectsOf(world, store);
    await effects.start();
    await effects.outbox.idle();
    expect(arrivedOf(world, post)).toEqual([]);
    expect((await world.effect(post)).state).toBe('uncertain');
    await effects.drain(0);
  });

  test('an effect of which a part has left is uncertain, not void', async () => {
    const { world } = at;
    const effects = effectsOf(world);
    const post = await approvedPost(world, 'one\n\ntwo');
    world.chat.onDeliver = (sent) => {
      if (sent.effectId === post && sent.part === 1) throw fault('unavailable');
    };
    await effects.start();
    await effects.outbox.idle();
    expect((await world.effect(post)).state).toBe('approved');
    await effects.panicOn(signed(BOSS));
    expect((await world.effect(post)).state).toBe('uncertain');
    await effects.drain(0);
  });

  test('an answer whose first try may have arrived is uncertain while it waits for the next, not void', async () => {
    const { world } = at;
    const effects = effectsOf(world);
    const reply = await insertReply(world, 'answer');
    world.chat.script = [{ kind: 'accept-then-throw', error: fault('uncertain') }];
    await effects.start();
    await effects.outbox.idle();
    expect((await world.effect(reply)).state).toBe('approved');
    await effects.panicOn(signed(BOSS));
    expect(arrivedOf(world, reply)).toHaveLength(1);
    const { state, error } = await world.effect(reply);
    expect([state, error?.code]).toEqual(['uncertain', 'panic.effect.uncertain']);
    await effects.drain(0);
  });

  test('works on a full disk; what it ended is written when there is space', async () => {
    const { world } = at;
    const post = await approvedPost(world, 'post');
    let isFull = true;
    const store: Store = {
      ...world.deps.store,
      commit: (audit, body) => {
        if (!isFull) return world.deps.store.commit(audit, body);
        throw new AppError({ code: 'database.disk.unavailable', kind: 'unavailable', message: 'full' });
      },
    };
    const effects = effectsOf(world, store);
    await effects.panicOn(signed(BOSS));
    expect([world.panic.isOn(), effects.aborted]).toEqual([true, [undefined]]);
    await effects.start();
    await effects.outbox.idle();
    expect(world.chat.sent).toEqual([]);
    expect((await world.effect(post)).state).toBe('approved');
    await expect(effects.panicOff(signed(BOSS))).rejects.toMatchObject({ code: 'database.disk.unavailable' });
    expect(world.panic.isOn()).toBe(true);
    isFull = false;
    await effects.sweep();
    expect((await world.effect(post)).state).toBe('void');
    await effects.drain(0);
  });

  test('works when the rules cannot be read', async () => {
    const { world } = at;
    const broken = new AppError({ code: 'database.file.unavailable', kind: 'unavailable', message: 'gone' });
    const refuse = async () => {
      throw broken;
    };
    const store: Store = {
      ...world.deps.store,
      read: { get: refuse, find: refuse, count: refuse, tokensSpent: refuse, spentByRoute: refuse },
      commit: refuse,
    };
    await effectsOf(world, store).panicOn(inChat(MEMBER));
    expect(world.panic.isOn()).toBe(true);
  });

  test.each<readonly [string, Actor, boolean]>([
    ['the local socket, unsigned', { principal: person(BOSS), via: 'socket' }, true],
    ['an operator in chat', inChat(OPERATOR), true],
    ['a member in chat', inChat(MEMBER), false],
    ['a signed member', signed(MEMBER), false],
    ['a guest', { principal: { kind: 'guest', connector: 'chat', sender: '1' }, via: 'chat' }, false],
  ])('%s', async (_name, actor, isAllowed) => {
    const done = effectsOf(at.world).panicOn(actor);
    if (isAllowed) await done;
    else await expect(done).rejects.toMatchObject({ code: 'panic.on.denied' });
    expect(at.world.panic.isOn()).toBe(isAllowed);
  });

  test('an operator of one place may stop everything', async () => {
    await at.world.ungrant(SECOND);
    await at.world.grant(SECOND, 'operator', HERE);
    await effectsOf(at.world).panicOn(inChat(SECOND));
    expect(at.world.panic.isOn()).toBe(true);
  });
});

describe('panic off', () => {
  test('sends nothing old, also what slipped in while it was on', async () => {
    const { world } = at;
    const effects = effectsOf(world);
    await approvedPost(world, 'old');
    await effects.panicOn(signed(BOSS));
    const late = await insertReply(world, 'slipped in');
    await effects.start();
    await effects.panicOff(signed(BOSS));
    await effects.outbox.idle();
    await world.clock.advance(3_600_000);
    expect(world.chat.sent).toEqual([]);
    expect((await world.effect(late)).state).toBe('void');
    expect(new Set(await states(world))).toEqual(new Set(['void']));
    const fresh = await insertReply(world, 'new');
    effects.outbox.wake();
    await effects.outbox.idle();
    expect(arrivedOf(world, fresh)).toEqual([{ text: 'new' }]);
    await effects.drain(0);
  });

  test.each<readonly [string, Actor]>([
    ['from chat', inChat(BOSS)],
    ['from the unsigned socket', { principal: person(BOSS), via: 'socket' }],
    ['by an operator', signed(OPERATOR)],
  ])('not %s', async (_name, actor) => {
    at.world.panic.turnOn('test', 0);
    await expect(effectsOf(at.world).panicOff(actor)).rejects.toMatchObject({ code: 'panic.off.denied' });
    expect(at.world.panic.isOn()).toBe(true);
  });

  test('stays on when its file cannot be written', async () => {
    at.world.panic.turnOn('test', 0);
    at.world.panic.setPersistable(false);
    await expect(effectsOf(at.world).panicOff(signed(BOSS))).rejects.toMatchObject({
      code: 'panic.file.unavailable',
    });
    expect(at.world.panic.isOn()).toBe(true);
  });
});

describe('a restart under panic', () => {
  test('ends what an older process left, without asking the outside', async () => {
    const id = await approvedPost(at.world, 'post');
    await tamper(at.world, 'effect', { id }, { state: 'performing', claimEpoch: 1 });
    at.world.chat.reconciles = 'truth';
    at.world.panic.turnOn('test', 0);
    const world = await at.restart();
    const effects = effectsOf(world);
    await effects.start();
    await effects.outbox.idle();
    expect((await world.effect(id)).state).toBe('uncertain');
    expect(world.chat.sent).toEqual([]);
    await effects.drain(0);
  });
});

describe('rights taken away', () => {
  test('ends the work of that principal and of their tokens, and of nobody else', async () => {
    const { world } = at;
    const effects = effectsOf(world);
    const mine = await approvedPost(world, 'mine');
    const theirs = await proposePost(world, 'theirs', { requester: person(SECOND) });
    const token = { kind: 'token', token: 'tokn_00000000000000000001', owner: MEMBER, workspace: 'acme' };
    const byToken = await proposePost(world, 'by token');
    await tamper(world, 'effect', { id: byToken.effect.id }, { requester: token as Effect['requester'] }); // safe: a token's shape
    await effects.revoked(MEMBER);
    expect(effects.aborted).toEqual([MEMBER]);
    expect((await world.effect(mine)).state).toBe('void');
    expect((await world.effect(byToken.effect.id)).state).toBe('void');
    expect((await world.effect(theirs.effect.id)).state).toBe('proposed');
    expect((await world.approval(theirs.approval.id)).state).toBe('pending');
  });

  test('what is on its way for them is cut off at once, the others go on', async () => {
    const { world } = at;
    const effects = effectsOf(world);
    const mine = await approvedPost(world, 'mine');
    world.chat.onDeliver = (sent) => (sent.effectId === mine ? 'hang' : undefined);
    await effects.start();
    await world.clock.settle();
    await effects.revoked(MEMBER);
    await effects.outbox.idle();
    expect((await world.effect(mine)).state).toBe('uncertain');
    const notice = await world.deps.store.read.find('effect', { kind: 'message.notice' });
    expect(notice.map((effect) => effect.state)).not.toContain('void');
    await effects.drain(0);
  });
});

describe('the sweep', () => {
  test('runs by the clock and ends with drain', { timeout: 60_000 }, async () => {
    const { world } = at;
    const effects = effectsOf(world);
    const { effect } = await proposePost(world, 'wait');
    await effects.start();
    await world.clock.advance(24 * 3_600_000 + 60_000);
    expect((await world.effect(effect.id)).state).toBe('expired');
    await effects.drain(0);
    await world.clock.settle();
    expect(world.clock.sleeping).toBe(0);
  });

  test('a failure is logged and tried again', async () => {
    const { world } = at;
    let isBroken = true;
    const store: Store = {
      ...world.deps.store,
      commit: (audit, body) => {
        if (isBroken)
          throw new AppError({ code: 'database.disk.unavailable', kind: 'unavailable', message: 'x' });
        return world.deps.store.commit(audit, body);
      },
    };
    const { effect } = await proposePost(world, 'wait');
    await world.deps.store.commit(TEST_AUDIT, async (tx) => {
      await tx.remove('effect', { kind: 'message.notice' });
    });
    const effects = effectsOf(world, store);
    await effects.start();
    await world.clock.advance(24 * 3_600_000 + 60_000);
    expect((await world.effect(effect.id)).state).toBe('proposed');
    isBroken = false;
    await world.clock.advance(60_000);
    expect((await world.effect(effect.id)).state).toBe('expired');
    await effects.drain(0);
  });
});
