import { mkdirSync, renameSync, rmdirSync } from 'node:fs';
import {
  AppError,
  type Approval,
  type Effect,
  effectDigest,
  type StandingId,
  type Store,
  sha256,
} from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import type { EngineDeps } from '../api.ts';
import { claim } from './claim.ts';
import { fault, outrun } from './outside.fixture.ts';
import { record } from './record.ts';
import {
  approvedPost,
  insertReply,
  must,
  OPERATOR,
  ORIGIN,
  proposePost,
  runOutbox,
  TEST_AUDIT,
  tamper,
  useWorld,
  WORKSPACE,
} from './world.fixture.ts';

const at = useWorld();
const UNKNOWN = 'efct_00000000000000000000' as Effect['id']; // safe: alphabet of ids

describe('a claim', () => {
  test('takes nothing before its time', async () => {
    const id = await approvedPost(at.world, 'hello');
    await tamper(at.world, 'effect', { id }, { notBefore: at.world.clock.nowMs() + 1 });
    expect(await claim(at.world.deps, id)).toEqual({ kind: 'gone' });
    expect((await at.world.effect(id)).state).toBe('approved');
  });

  test('is held under panic and takes nothing', async () => {
    const id = await insertReply(at.world, 'hello');
    at.world.panic.turnOn('test', 0);
    expect(await claim(at.world.deps, id)).toEqual({ kind: 'held' });
    expect((await at.world.effect(id)).state).toBe('approved');
  });

  test.each(['effect', 'approval'])('that lost the race for its %s wrote nothing at all', async (table) => {
    const id = await approvedPost(at.world, 'hello');
    const deps = { ...at.world.deps, store: outrun(at.world.deps.store, table) };
    expect(await claim(deps, id)).toEqual({ kind: 'gone' });
    const effect = await at.world.effect(id);
    expect([effect.state, effect.attempts]).toEqual(['approved', 0]);
    expect((await at.world.approval(String(effect.approval))).state).toBe('granted');
    expect(await at.world.actions(id)).toEqual(['effect.propose']);
  });

  test('of a refused effect that lost the race wrote nothing either', async () => {
    const id = await approvedPost(at.world, 'hello');
    await tamper(at.world, 'effect', { id }, { recipients: ['elsewhere'] });
    const deps = { ...at.world.deps, store: outrun(at.world.deps.store, 'effect') };
    expect(await claim(deps, id)).toEqual({ kind: 'gone' });
    expect(await at.world.actions(id)).not.toContain('effect.refuse');
  });
});

describe('what is claimed', () => {
  test('is an approved effect, and nothing else', async () => {
    const { effect } = await proposePost(at.world, 'waits');
    const over = await approvedPost(at.world, 'over');
    await tamper(at.world, 'effect', { id: over }, { state: 'done' });
    for (const id of [UNKNOWN, effect.id, over])
      expect(await claim(at.world.deps, id)).toEqual({ kind: 'gone' });
    expect((await at.world.effect(effect.id)).state).toBe('proposed');
    expect(await at.world.actions(over)).toEqual(['effect.propose']);
  });

  test('is nothing behind the gate', async () => {
    const id = await approvedPost(at.world, 'hello');
    await closeGate();
    expect(await claim(at.world.deps, id)).toEqual({ kind: 'held' });
    expect((await at.world.effect(id)).state).toBe('approved');
  });

  test('says who, what and how often, and knows its own epoch', async () => {
    const id = await approvedPost(at.world, 'one\n\ntwo');
    expect(await claim(at.world.deps, id)).toMatchObject({
      effect: { id, state: 'performing', attempts: 1, claimEpoch: at.world.deps.store.epoch },
    });
    const [event] = await at.world.opened.audit.tail(1, { action: 'effect.perform', subject: id });
    expect(event?.data).toMatchObject({ attempt: 1, from: 0, parts: 2, epoch: at.world.deps.store.epoch });
    expect(event?.data.content).toBeUndefined();
  });

  test('is refused where its context is gone', async () => {
    const id = await approvedPost(at.world, 'hello');
    await at.world.deps.store.commit(TEST_AUDIT, (tx) => tx.remove('context', { id: ORIGIN }));
    expect(await claim(at.world.deps, id)).toEqual({ kind: 'refused' });
    expect((await at.world.effect(id)).state).toBe('denied');
    expect((await at.world.approval(must((await at.world.effect(id)).approval))).state).toBe('void');
  });

  async function closeGate(): Promise<void> {
    await at.world.deps.store.commit(TEST_AUDIT, (tx) =>
      tx.insert('gate_state', { id: 'gate', isClosed: true, reason: '', at: 0 }),
    );
  }
});

describe('the tool that made it', () => {
  test.each<readonly [string | undefined, readonly string[], string]>([
    ['post_message', ['post_message'], 'claimed'],
    ['post_message', ['*'], 'claimed'],
    ['post_message', ['md_read'], 'refused'],
    ['post_message', [], 'refused'],
    ['unregistered', ['*', 'unregistered'], 'refused'],
    [undefined, ['*'], 'refused'],
  ])('%s, where %j may be used: %s', async (tool, tools, kind) => {
    const id = await approvedPost(at.world, 'hello');
    await tamper(at.world, 'workspace', { id: WORKSPACE }, { settings: { tools } });
    await tamper(at.world, 'effect', { id }, { tool });
    expect((await claim(at.world.deps, id)).kind).toBe(kind);
  });

  test('an answer has none and needs none', async () => {
    const id = await insertReply(at.world, 'hello');
    await tamper(at.world, 'workspace', { id: WORKSPACE }, { settings: { tools: [] } });
    expect((await claim(at.world.deps, id)).kind).toBe('claimed');
    const [event] = await at.world.opened.audit.tail(1, { action: 'effect.perform', subject: id });
    expect(event?.data.content).toMatchObject({ digest: (await at.world.effect(id)).digest });
  });
});

describe('what is refused', () => {
  test.each([
    ['in time', 0, 'denied', 'void'],
    ['too late', 24 * 3_600_000, 'expired', 'expired'],
  ])('%s ends with its question, and says when', async (_name, waitMs, state, question) => {
    const id = await approvedPost(at.world, 'hello');
    await at.world.clock.advance(waitMs);
    await at.world.ungrant(OPERATOR);
    expect(await claim(at.world.deps, id)).toEqual({ kind: 'refused' });
    const settledAt = at.world.clock.nowMs();
    expect(await at.world.effect(id)).toMatchObject({ state, settledAt });
    const { approval } = await at.world.effect(id);
    expect(await at.world.approval(must(approval))).toMatchObject({ state: question, decidedAt: settledAt });
  });

  test('leaves an answered question as it was', async () => {
    const id = await approvedPost(at.world, 'hello');
    await tamper(at.world, 'approval', { effect: id }, { state: 'withdrawn' });
    expect(await claim(at.world.deps, id)).toEqual({ kind: 'refused' });
    expect((await at.world.approval(must((await at.world.effect(id)).approval))).state).toBe('withdrawn');
  });
});

describe('a world that moves between looking and claiming', () => {
  /** Lets something happen right before the claim is committed. */
  function meanwhile(happen: () => unknown): EngineDeps {
    const { store } = at.world.deps;
    const late: Store = {
      ...store,
      commit: async (audit, body) => {
        await happen();
        return store.commit(audit, body);
      },
    };
    return { ...at.world.deps, store: late };
  }

  /** Other bytes under an approval of the same bytes: policy alone would let them pass. */
  async function rewrite(id: Effect['id']): Promise<void> {
    const forged = { ...(await at.world.effect(id)), payloads: [{ text: 'forged' }] };
    const digest = effectDigest(forged);
    await tamper(at.world, 'effect', { id }, { payloads: forged.payloads, digest });
    const [vote] = (await at.world.approval(must(forged.approval))).votes;
    await tamper(at.world, 'approval', { effect: id }, { digest, votes: [{ ...must(vote), digest }] });
  }

  test.each<readonly [string, (id: Effect['id']) => unknown]>([
    ['panic', () => at.world.panic.turnOn('test', 0)],
    ['a role that is lost', () => at.world.ungrant(OPERATOR)],
    ['other bytes', rewrite],
    ['a withdrawal', (id) => tamper(at.world, 'effect', { id }, { state: 'withdrawn' })],
  ])('%s: nothing is claimed and nothing written under what was seen before', async (_name, happen) => {
    const id = await approvedPost(at.world, 'hello');
    expect(
      await claim(
        meanwhile(() => happen(id)),
        id,
      ),
    ).toEqual({ kind: 'gone' });
    expect(await at.world.actions(id)).toEqual(['effect.propose']);
    expect((await at.world.approval(must((await at.world.effect(id)).approval))).state).toBe('granted');
  });

  test('a fault of the disk is told, and a claim that was made stands', async () => {
    const foreign = (code: string) => Object.assign(new Error('x'), { code });
    const head = new AppError({ code: 'audit.head.unavailable', kind: 'unavailable', message: 'x' });
    const faults = [
      ['before', head],
      ['before', foreign('settle.claim.conflict')],
      ['after', fault('unavailable')],
      ['after', foreign('audit.head.unavailable')],
    ] as const;
    for (const [when, thrown] of faults) {
      const id = await approvedPost(at.world, 'hello');
      const { store } = at.world.deps;
      const broken: Store = {
        ...store,
        commit: async (audit, body) => {
          if (when === 'after') await store.commit(audit, body);
          throw thrown;
        },
      };
      await expect(claim({ ...at.world.deps, store: broken }, id)).rejects.toBe(thrown);
      expect((await at.world.effect(id)).state).toBe(when === 'after' ? 'performing' : 'approved');
      await at.world.deps.store.commit(TEST_AUDIT, (tx) => tx.remove('effect', { id }));
    }
  });
});

describe('a standing approval', () => {
  const rule = 'stnd_00000000000000000001' as StandingId; // safe: alphabet of ids

  async function under(revokedAt: number | undefined): Promise<Effect['id']> {
    const id = await approvedPost(at.world, 'hello');
    await tamper(at.world, 'approval', { effect: id }, { standing: rule });
    await at.world.deps.store.commit(TEST_AUDIT, (tx) =>
      tx.insert('approval_standing', {
        id: rule,
        workspace: WORKSPACE,
        effectKind: 'message.post',
        connector: 'chat',
        account: 'test',
        body: { kind: 'recipients' },
        recipients: ['news-channel'],
        perDay: 1,
        maxUses: 1,
        grantedBy: OPERATOR,
        uses: [],
        createdAt: 0,
        endsAt: 1,
        revokedAt,
      }),
    );
    return id;
  }

  test('that stands lets go what it approved', async () => {
    expect((await claim(at.world.deps, await under(undefined))).kind).toBe('claimed');
  });

  test.each(['revoked', 'gone'])('that is %s stops what it approved before, and says why', async (how) => {
    const id = await under(how === 'revoked' ? 1 : undefined);
    if (how === 'gone')
      await at.world.deps.store.commit(TEST_AUDIT, (tx) => tx.remove('approval_standing', { id: rule }));
    expect(await claim(at.world.deps, id)).toEqual({ kind: 'refused' });
    expect((await at.world.effect(id)).error?.message).toContain('standing approval');
    const [event] = await at.world.opened.audit.tail(1, { action: 'effect.refuse', subject: id });
    expect(event?.data.reasons).toEqual(['policy.standing']);
  });
});

describe('an effect of which a part has left', () => {
  async function begun(change: Partial<Approval>, receipts = 1): Promise<Effect['id']> {
    const id = await approvedPost(at.world, 'one\n\ntwo');
    await tamper(at.world, 'effect', { id }, { receipts: Array(receipts).fill({ externalId: 'x' }) });
    await tamper(at.world, 'approval', { effect: id }, change);
    return id;
  }

  test('goes on under the approval it used, and uses it no second time', async () => {
    const id = await begun({ state: 'consumed' });
    expect((await claim(at.world.deps, id)).kind).toBe('claimed');
    expect((await at.world.approval(must((await at.world.effect(id)).approval))).state).toBe('consumed');
  });

  test('uses a granted approval as ever', async () => {
    const id = await begun({ state: 'granted' });
    expect((await claim(at.world.deps, id)).kind).toBe('claimed');
    expect((await at.world.approval(must((await at.world.effect(id)).approval))).state).toBe('consumed');
  });

  test.each<readonly [string, Partial<Approval>, number]>([
    ['a void approval', { state: 'void' }, 1],
    ['a withdrawn approval', { state: 'withdrawn' }, 1],
    ['the used approval of another effect', { state: 'consumed', effect: UNKNOWN }, 1],
    ['an approval that was used for other bytes', { state: 'consumed', digest: sha256('x') }, 1],
    ['a used approval where nothing has left', { state: 'consumed' }, 0],
  ])('does not go on under %s', async (_name, change, receipts) => {
    const id = await begun(change, receipts);
    expect(await claim(at.world.deps, id)).toEqual({ kind: 'refused' });
    expect((await at.world.effect(id)).state).toBe('denied');
  });

  test('and is stopped between two says what had left', async () => {
    const id = await begun({ state: 'void' });
    await claim(at.world.deps, id);
    const events = await at.world.deps.store.read.find('context_message', { direction: 'event' });
    expect(events.at(-1)?.text).toContain('would have left after 1 of 2 parts had left. Denied');
  });
});

describe('the signed head of the log', () => {
  test('is on the disk before an approved effect is ours, and knows of its claim', async () => {
    const id = await approvedPost(at.world, 'hello');
    expect((await claim(at.world.deps, id)).kind).toBe('claimed');
    const { audit } = at.world.opened;
    const [event] = await audit.tail(1, { action: 'effect.perform', subject: id });
    expect(event?.data).toMatchObject({ class: 'E1' });
    expect((await audit.checkpoints()).at(-1)?.seq).toBeGreaterThanOrEqual(event?.seq ?? Number.NaN);
  });

  test('is not asked of an answer', async () => {
    const { audit } = at.world.opened;
    const id = await insertReply(at.world, 'hello');
    const before = (await audit.checkpoints()).length;
    expect((await claim(at.world.deps, id)).kind).toBe('claimed');
    expect(await audit.checkpoints()).toHaveLength(before);
  });

  test('that cannot be written: nothing leaves, the approval is given back, and it leaves once when it can', async () => {
    const { world } = at;
    const id = await approvedPost(world, 'hello');
    const { checkpoints } = world.opened.paths;
    renameSync(checkpoints, `${checkpoints}.kept`);
    mkdirSync(checkpoints);
    await runOutbox(world);
    const left = () => world.chat.sent.filter(({ effectId }) => effectId === id);
    expect(left()).toEqual([]);
    const effect = await world.effect(id);
    expect([effect.state, effect.error?.code]).toEqual(['approved', 'audit.head.unavailable']);
    expect((await world.approval(String(effect.approval))).state).toBe('granted');
    // A log that cannot be signed uses up none of the tries that the outside may need.
    expect(effect.attempts).toBe(0);
    expect(await world.actions(id)).toEqual(['effect.propose', 'effect.perform', 'effect.retry']);
    rmdirSync(checkpoints);
    renameSync(`${checkpoints}.kept`, checkpoints);
    await world.clock.advance(world.deps.config.deliverBackoffMaxMs);
    await runOutbox(world);
    expect((await world.effect(id)).state).toBe('done');
    expect(left()).toHaveLength(1);
  });
});

describe('an outcome', () => {
  async function claimed() {
    const id = await approvedPost(at.world, 'hello');
    const taken = await claim(at.world.deps, id);
    if (taken.kind !== 'claimed') throw new Error('not claimed');
    return taken.effect;
  }

  const receipt = { kind: 'receipt', receipt: { externalId: 'x' } } as const;

  test.each([
    ['whose effect was ended meanwhile', { state: 'uncertain' as const }],
    ['whose effect a newer process holds', { claimEpoch: 99 }],
  ])('%s changes nothing', async (_name, change) => {
    const effect = await claimed();
    await tamper(at.world, 'effect', { id: effect.id }, change);
    expect(await record(at.world.deps, effect, receipt)).toBeUndefined();
    expect((await at.world.effect(effect.id)).receipts).toEqual([]);
    expect(await at.world.actions(effect.id)).not.toContain('effect.done');
  });

  test('gives no approval back that is not its own consumed one', async () => {
    const effect = await claimed();
    await tamper(at.world, 'approval', { effect: effect.id }, { state: 'void' });
    const retry = {
      kind: 'retry',
      error: { code: 'x', kind: 'unavailable', message: 'x' },
      notBefore: 0,
      isDoubtful: false,
    } as const;
    await expect(record(at.world.deps, effect, retry)).rejects.toMatchObject({ code: 'settle.approval.bug' });
    expect((await at.world.effect(effect.id)).state).toBe('performing');
  });
});
