import { type Effect, effectDigest, makeLabel } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import {
  approvedPost,
  arrivedOf,
  MEMBER,
  OPERATOR,
  ORIGIN,
  proposePost,
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

describe('an approved effect', () => {
  test('leaves exactly once, byte for byte as stored, and says so in the log', async () => {
    const { world } = at;
    const id = await approvedPost(world, 'one\n\ntwo');
    const outbox = await runOutbox(world);
    expect(arrivedOf(world, id)).toEqual((await world.effect(id)).payloads);
    expect((await world.effect(id)).state).toBe('done');
    outbox.wake();
    await outbox.idle();
    await runOutbox(world);
    expect(arrivedOf(world, id)).toHaveLength(2);
    expect(await world.actions(id)).toEqual([
      'effect.propose',
      'effect.perform',
      'effect.receipt',
      'effect.done',
    ]);
  });

  test('its claim and used approval are durable before the first byte leaves (T4)', async () => {
    const { world } = at;
    const id = await approvedPost(world, 'hello');
    const seen: unknown[] = [];
    world.chat.onDeliver = async (sent) => {
      if (sent.effectId !== id) return;
      const effect = await world.effect(id);
      seen.push(effect.state, (await world.approval(String(effect.approval))).state);
      seen.push(...(await world.actions(id)));
    };
    await runOutbox(world);
    expect(seen).toEqual(['performing', 'consumed', 'effect.propose', 'effect.perform']);
  });

  test('is not sent before it is approved', async () => {
    const { world } = at;
    const { effect } = await proposePost(world, 'wait');
    await runOutbox(world);
    expect(arrivedOf(world, effect.id)).toEqual([]);
    expect((await world.effect(effect.id)).state).toBe('proposed');
  });

  test('its outcome enters the conversation with its own label and leaves a notice at the origin', async () => {
    const { world } = at;
    const id = await approvedPost(world, 'hello');
    await runOutbox(world);
    const events = await world.deps.store.read.find('context_message', { direction: 'event' });
    expect(events.map((event) => event.text)).toEqual([expect.stringContaining(`${id} is done.`)]);
    expect(events[0]?.label).toEqual((await world.effect(id)).label);
    expect(world.chat.sent.map((sent) => sent.payload)).toContainEqual({ text: `${id} is done.` });
  });

  test('two workers of one process perform it once', async () => {
    const { world } = at;
    const id = await approvedPost(world, 'hello');
    await Promise.all([runOutbox(world), runOutbox(world), runOutbox(world)]);
    expect(arrivedOf(world, id)).toHaveLength(1);
  });
});

describe('right before it leaves, policy is asked again and refuses', () => {
  const cases: readonly (readonly [
    string,
    (world: World, id: Effect['id']) => Promise<void>,
    string,
    string,
  ])[] = [
    [
      'one stored byte changed',
      async (world, id) => tamper(world, 'effect', { id }, { payloads: [{ text: 'hellp' }] }),
      'denied',
      'not the ones that were shown',
    ],
    [
      'a recipient changed',
      async (world, id) => tamper(world, 'effect', { id }, { recipients: ['elsewhere'] }),
      'denied',
      'not the ones that were shown',
    ],
    [
      'the digest changed with the bytes',
      async (world, id) => {
        const forged = { ...(await world.effect(id)), payloads: [{ text: 'forged' }] };
        await tamper(world, 'effect', { id }, { payloads: forged.payloads, digest: effectDigest(forged) });
      },
      'denied',
      'for other bytes',
    ],
    [
      'its approval was taken from another effect',
      async (world, id) =>
        tamper(world, 'approval', { effect: id }, { effect: 'efct_00000000000000000000' as Effect['id'] }),
      'denied',
      'nobody has approved',
    ],
    [
      'it expired between grant and settle',
      async (world) => world.clock.advance(24 * 3_600_000),
      'expired',
      'expired',
    ],
    [
      'the approver lost the role',
      async (world) => world.ungrant(OPERATOR),
      'denied',
      'who approved it no longer has the role',
    ],
    [
      'the approver left',
      async (world) => tamper(world, 'identity_user', { id: OPERATOR }, { isActive: false }),
      'denied',
      'who approved it no longer has the role',
    ],
    [
      'the requester lost the role',
      async (world) => world.ungrant(MEMBER),
      'denied',
      'the person who asked for it no longer has the role',
    ],
    [
      'the tool was taken from the context',
      async (world) => tamper(world, 'context', { id: ORIGIN }, { settings: { tools: ['md_read'] } }),
      'denied',
      'no longer allows what made this',
    ],
    [
      'the effect says no tool',
      async (world, id) => tamper(world, 'effect', { id }, { tool: undefined }),
      'denied',
      'no longer allows what made this',
    ],
    [
      'the effect was relabelled with another workspace',
      async (world, id) => tamper(world, 'effect', { id }, { label: makeLabel(1, ['ws:other']) }),
      'denied',
      'another workspace',
    ],
    [
      'an ask was turned into a permit',
      async (world, id) => tamper(world, 'effect', { id }, { decision: 'permit' }),
      'denied',
      'needs an approval',
    ],
  ];
  test.each(cases)('%s', async (_name, change, state, words) => {
    const { world } = at;
    const id = await approvedPost(world, 'hello');
    await change(world, id);
    await runOutbox(world);
    expect(arrivedOf(world, id)).toEqual([]);
    const effect = await world.effect(id);
    expect(effect.state).toBe(state);
    expect(effect.error?.message).toContain(words);
    expect(await world.actions(id)).toContain('effect.refuse');
    expect(await world.actions(id)).not.toContain('effect.perform');
    const approvals = await world.deps.store.read.find('approval', {});
    expect(approvals.map((approval) => approval.state)).not.toContain('consumed');
    expect(await lastEvent(world)).toContain('was stopped right before it would have left');
  });

  test('an unregistered tool performs nothing either', async () => {
    const id = await approvedPost(at.world, 'hello');
    const world = await at.restart({ tools: [] });
    await runOutbox(world);
    expect(arrivedOf(world, id)).toEqual([]);
    expect((await world.effect(id)).state).toBe('denied');
  });
});
