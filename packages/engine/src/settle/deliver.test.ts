import { makeLabel } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { deliverPart, reconcilePart } from './deliver.ts';
import { makeOutbox } from './outbox.ts';
import { fault } from './outside.fixture.ts';
import {
  approvedPost,
  arrivedOf,
  insertReply,
  MEMBER,
  OPERATOR,
  runOutbox,
  tamper,
  useWorld,
  type World,
} from './world.fixture.ts';

const at = useWorld();

async function lastEvent(world: World): Promise<string> {
  const events = await world.deps.store.read.find(
    'context_message',
    { direction: 'event' },
    { orderBy: 'seq' },
  );
  return events.at(-1)?.text ?? '';
}

describe('a part that is not accepted', () => {
  test('a refused second part stops the third and says so (P1)', async () => {
    const { world } = at;
    const id = await approvedPost(world, 'one\n\ntwo\n\nthree');
    world.chat.onDeliver = (sent) => {
      if (sent.effectId === id && sent.part === 1) throw fault('rejected');
    };
    await runOutbox(world);
    expect(arrivedOf(world, id)).toEqual([{ text: 'one' }]);
    expect((await world.effect(id)).state).toBe('rejected');
    expect(await lastEvent(world)).toContain('1 of 3 parts had left; nothing more will');
    await world.clock.advance(3_600_000);
    expect(arrivedOf(world, id)).toHaveLength(1);
  });

  test('stored bytes that change between two parts stop the rest', async () => {
    const { world } = at;
    const id = await approvedPost(world, 'one\n\ntwo');
    world.chat.onDeliver = async (sent) => {
      if (sent.effectId !== id) return;
      // Only the memory of this process can be changed here; the row is read once, with its digest.
      const payloads = sent.payload as { text: string }; // safe: the fixture renders texts
      if (sent.part === 0) payloads.text = 'changed';
    };
    await runOutbox(world);
    expect(arrivedOf(world, id)).toHaveLength(1);
    expect((await world.effect(id)).error?.code).toBe('effect.digest.conflict');
  });

  test('unavailable: waits twice as long each time, and is decided and consumed again', async () => {
    const { world } = at;
    const id = await approvedPost(world, 'hello');
    world.chat.onDeliver = (sent) => {
      if (sent.effectId === id && world.clock.monotonicMs() < 3_000) throw fault('unavailable');
    };
    const outbox = await runOutbox(world);
    const effect = await world.effect(id);
    expect(effect.state).toBe('approved');
    expect((await world.approval(String(effect.approval))).state).toBe('granted');
    await world.clock.advance(999);
    await outbox.idle();
    expect((await world.effect(id)).attempts).toBe(1);
    await world.clock.advance(1);
    await outbox.idle();
    expect((await world.effect(id)).attempts).toBe(2);
    await world.clock.advance(1_999);
    await outbox.idle();
    expect((await world.effect(id)).attempts).toBe(2);
    await world.clock.advance(1);
    await outbox.idle();
    expect((await world.effect(id)).state).toBe('done');
    expect(arrivedOf(world, id)).toHaveLength(1);
    expect((await world.approval(String(effect.approval))).state).toBe('consumed');
    expect((await world.actions(id)).filter((action) => action === 'effect.perform')).toHaveLength(3);
    await outbox.drain(0);
  });

  test('exhausted: waits exactly as long as the outside says', async () => {
    const { world } = at;
    const id = await approvedPost(world, 'hello');
    const nowMs = world.clock.nowMs();
    let isSpent = false;
    world.chat.onDeliver = (sent) => {
      if (sent.effectId !== id || isSpent) return;
      isSpent = true;
      throw fault('exhausted', 7_777);
    };
    const outbox = await runOutbox(world);
    expect((await world.effect(id)).notBefore).toBe(nowMs + 7_777);
    await world.clock.advance(7_777);
    await outbox.idle();
    expect((await world.effect(id)).state).toBe('done');
    await outbox.drain(0);
  });

  test('tries end: rejected, and nothing more leaves', async () => {
    const { world } = at;
    const id = await approvedPost(world, 'hello');
    let tries = 0;
    world.chat.onDeliver = (sent) => {
      if (sent.effectId !== id) return;
      tries += 1;
      throw fault('unavailable');
    };
    const outbox = await runOutbox(world);
    await world.clock.advance(60_000);
    await outbox.idle();
    const effect = await world.effect(id);
    expect(effect.state).toBe('rejected');
    expect(effect.error?.message).toContain('Given up after 4 tries');
    await world.clock.advance(600_000);
    expect(tries).toBe(4);
    await outbox.drain(0);
  });

  test('the role is asked for again at every try', async () => {
    const { world } = at;
    const id = await approvedPost(world, 'hello');
    world.chat.onDeliver = (sent) => {
      if (sent.effectId === id) throw fault('unavailable');
    };
    const outbox = await runOutbox(world);
    await world.ungrant(OPERATOR);
    world.chat.onDeliver = undefined;
    await world.clock.advance(1_000);
    await outbox.idle();
    expect(arrivedOf(world, id)).toEqual([]);
    expect((await world.effect(id)).state).toBe('denied');
    await outbox.drain(0);
  });

  test('after a part has left, the rest goes on under the approval that was consumed for it', async () => {
    const { world } = at;
    const id = await approvedPost(world, 'one\n\ntwo');
    let isDown = true;
    world.chat.onDeliver = (sent) => {
      if (sent.effectId === id && sent.part === 1 && isDown) throw fault('unavailable');
    };
    const outbox = await runOutbox(world);
    const waiting = await world.effect(id);
    expect([waiting.state, waiting.receipts.length]).toEqual(['approved', 1]);
    expect((await world.approval(String(waiting.approval))).state).toBe('consumed');
    isDown = false;
    await world.clock.advance(1_000);
    await outbox.idle();
    expect(arrivedOf(world, id)).toEqual([{ text: 'one' }, { text: 'two' }]);
    expect((await world.effect(id)).state).toBe('done');
    await outbox.drain(0);
  });

  test('a consumed approval is no way in for an effect of which nothing has left', async () => {
    const { world } = at;
    const id = await approvedPost(world, 'hello');
    await tamper(world, 'approval', { effect: id }, { state: 'consumed' });
    await runOutbox(world);
    expect(arrivedOf(world, id)).toEqual([]);
    expect((await world.effect(id)).error?.message).toContain('its approval is consumed');
  });

  test.each(['uncertain', 'cancelled', 'bug', 'denied', 'invalid'])(
    '%s: nobody knows, so it is uncertain and never sent again',
    async (kind) => {
      const { world } = at;
      const id = await approvedPost(world, 'hello');
      let tries = 0;
      world.chat.onDeliver = (sent) => {
        if (sent.effectId !== id) return;
        tries += 1;
        throw fault(kind);
      };
      const outbox = await runOutbox(world);
      expect((await world.effect(id)).state).toBe('uncertain');
      expect((await world.approval(String((await world.effect(id)).approval))).state).toBe('consumed');
      await world.clock.advance(3_600_000);
      await outbox.idle();
      expect(tries).toBe(1);
      expect(await lastEvent(world)).toContain('an operator must look and say');
      await outbox.drain(0);
    },
  );

  test('a connector that throws something foreign is an unknown outcome too', async () => {
    const { world } = at;
    const id = await approvedPost(world, 'hello');
    world.chat.onDeliver = (sent) => {
      if (sent.effectId === id) throw new TypeError('socket hang up with a secret');
    };
    await runOutbox(world);
    const effect = await world.effect(id);
    expect(effect.state).toBe('uncertain');
    expect(effect.error?.message).not.toContain('secret');
  });

  test('no answer in time: uncertain; the late answer changes nothing', async () => {
    const { world } = at;
    const id = await approvedPost(world, 'hello');
    let answer: () => void = () => {};
    world.chat.onDeliver = (sent) =>
      sent.effectId === id
        ? new Promise<void>((resolve) => {
            answer = resolve;
          })
        : undefined;
    const outbox = makeOutbox(world.deps);
    await outbox.start();
    await world.clock.advance(10_000);
    await outbox.idle();
    expect((await world.effect(id)).state).toBe('uncertain');
    answer();
    await world.clock.settle();
    expect((await world.effect(id)).state).toBe('uncertain');
  });

  test('a try that is stopped before it begins waits for nothing', async () => {
    const { world } = at;
    const effect = await world.effect(await approvedPost(world, 'hello'));
    const never = () => new Promise<never>(() => {});
    const performer = { dropsRepeats: false, isFinalWitness: false, deliver: never, reconcile: never };
    const one = { effect, part: 0, performer, signal: AbortSignal.abort() };
    expect(await deliverPart(world.deps, one)).toMatchObject({
      kind: 'lost',
      error: { code: 'settle.stop.uncertain' },
    });
    expect(await reconcilePart(world.deps, one)).toEqual({ kind: 'unknown' });
  });

  test('a lost answer that the outside can confirm is done', async () => {
    const { world } = at;
    world.chat.reconciles = 'truth';
    const id = await approvedPost(world, 'one\n\ntwo');
    let isLost = false;
    world.chat.onDeliver = (sent) => {
      if (sent.effectId !== id || isLost) return;
      isLost = true;
      world.chat.script = [{ kind: 'accept-then-throw', error: fault('uncertain') }];
    };
    await runOutbox(world);
    expect((await world.effect(id)).state).toBe('done');
    expect(arrivedOf(world, id)).toHaveLength(2);
  });

  test('a "not sent" right after a loss may mean "not yet": still uncertain', async () => {
    const { world } = at;
    world.chat.reconciles = 'truth';
    const id = await approvedPost(world, 'hello');
    world.chat.onDeliver = (sent) => {
      if (sent.effectId === id) throw fault('uncertain');
    };
    await runOutbox(world);
    expect((await world.effect(id)).state).toBe('uncertain');
  });

  test('a connector that is not configured is an outside that is down', async () => {
    const id = await approvedPost(at.world, 'hello');
    const world = await at.restart({ connectors: [] });
    await runOutbox(world);
    const effect = await world.effect(id);
    expect([effect.state, effect.error?.code]).toEqual(['approved', 'settle.sink.unavailable']);
    expect((await world.approval(String(effect.approval))).state).toBe('granted');
  });
});

describe('an answer (E0)', () => {
  test('leaves without an approval, filtered', async () => {
    const { world } = at;
    const id = await insertReply(world, 'see https://evil.example/x');
    await runOutbox(world);
    expect(arrivedOf(world, id)).toEqual([{ text: 'see hxxps[:]//evil[.]example/x' }]);
    expect(await world.actions(id)).toEqual(['effect.perform', 'effect.done']);
    const [event] = await world.opened.audit.tail(1, { action: 'effect.perform', subject: id });
    expect(event?.data.content).toMatchObject({ digest: (await world.effect(id)).digest });
  });

  test('answers to one place keep their order, also when the first has to wait', async () => {
    const { world } = at;
    const first = await insertReply(world, 'first');
    await insertReply(world, 'second');
    let isDown = true;
    world.chat.onDeliver = (sent) => {
      if (sent.effectId === first && isDown) throw fault('unavailable');
    };
    const outbox = await runOutbox(world);
    expect(world.chat.sent).toEqual([]);
    isDown = false;
    await world.clock.advance(1_000);
    await outbox.idle();
    expect(world.chat.sent.map((sent) => sent.payload.text)).toEqual(['first', 'second']);
    await outbox.drain(0);
  });

  test('a doubtful one is sent again and listed', async () => {
    const { world } = at;
    const id = await insertReply(world, 'hello');
    world.chat.script = [{ kind: 'accept-then-throw', error: fault('uncertain') }];
    const outbox = await runOutbox(world);
    await world.clock.advance(1_000);
    await outbox.idle();
    expect(arrivedOf(world, id)).toHaveLength(2);
    const effect = await world.effect(id);
    expect([effect.state, effect.error?.code]).toEqual(['done', 'settle.repeat.uncertain']);
    expect(await world.actions(id)).toContain('effect.repeat');
    await outbox.drain(0);
  });

  test.each<readonly [string, (world: World) => Promise<void> | void]>([
    [
      'is refused',
      (world) => {
        world.chat.script = [{ kind: 'throw', error: fault('rejected') }];
      },
    ],
    ['may not leave any more', (world) => world.ungrant(MEMBER)],
  ])('a doubtful one whose next try %s ends uncertain: the first may have arrived', async (_name, stop) => {
    const { world } = at;
    const id = await insertReply(world, 'hello');
    world.chat.script = [{ kind: 'accept-then-throw', error: fault('uncertain') }];
    const outbox = await runOutbox(world);
    await stop(world);
    await world.clock.advance(1_000);
    await outbox.idle();
    expect(arrivedOf(world, id)).toHaveLength(1);
    const effect = await world.effect(id);
    expect([effect.state, effect.error?.kind]).toEqual(['uncertain', 'uncertain']);
    expect(effect.error?.message).toContain('An earlier try may have arrived.');
    await outbox.drain(0);
  });

  test('where the receiver drops repeats nothing is doubtful', async () => {
    const { world } = at;
    world.chat.dropsRepeats = true;
    const id = await insertReply(world, 'hello');
    world.chat.script = [{ kind: 'accept-then-throw', error: fault('uncertain') }];
    const outbox = await runOutbox(world);
    await world.clock.advance(1_000);
    await outbox.idle();
    expect(arrivedOf(world, id)).toHaveLength(1);
    expect((await world.effect(id)).error).toBeUndefined();
    await outbox.drain(0);
  });

  test('text that belongs to others is stopped although it was inserted', async () => {
    const { world } = at;
    const id = await insertReply(world, 'hello');
    await tamper(world, 'effect', { id }, { label: makeLabel(1, ['priv:user_00000000000000000009']) });
    await runOutbox(world);
    expect(arrivedOf(world, id)).toEqual([]);
    expect((await world.effect(id)).state).toBe('denied');
  });

  test('an answer to somebody who lost the role is not shown any more', async () => {
    const { world } = at;
    const id = await insertReply(world, 'hello');
    await world.ungrant(MEMBER);
    await runOutbox(world);
    expect(arrivedOf(world, id)).toEqual([]);
  });
});
