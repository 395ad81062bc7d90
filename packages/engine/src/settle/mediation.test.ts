import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppError, type Approval, effectDigest, grantersOf } from '@agent-runtime/domain';
import { Crash } from '@agent-runtime/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Actor } from '../api.ts';
import type { Proposal } from '../effect/index.ts';
import { makeEffects } from '../effects.ts';
import { type ArmedCrashPoints, armed, fault } from './outside.fixture.ts';
import {
  askPost,
  BOSS,
  HERE_LABEL,
  inChat,
  insertReply,
  MEMBER,
  makeWorld,
  must,
  OPERATOR,
  person,
  proposePost,
  SECOND,
  signed,
  tamper,
  type World,
} from './world.fixture.ts';

/** One thing that somebody does, or that befalls the appliance. Numbers choose among what is there. */
type Move =
  | { readonly do: 'propose'; readonly parts: number }
  /** Asked, and answered with a yes right away. */
  | { readonly do: 'ask and grant'; readonly parts: number }
  | { readonly do: 'reply' }
  | {
      readonly do: 'approve' | 'deny' | 'withdraw' | 'edit' | 'forge';
      readonly nth: number;
      readonly by: number;
    }
  | { readonly do: 'outside'; readonly mood: Mood }
  | { readonly do: 'settle' }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'role'; readonly isGiven: boolean }
  | { readonly do: 'panic'; readonly isOn: boolean }
  | { readonly do: 'die'; readonly after: number }
  | { readonly do: 'restart' };

const MOODS = ['fine', 'fine', 'fine', 'fine', 'down', 'refuses', 'breaks before', 'breaks after'] as const;
type Mood = (typeof MOODS)[number];
const PEOPLE = [OPERATOR, SECOND, BOSS, MEMBER] as const;

const nth = fc.nat({ max: 5 });
const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('propose' as const), parts: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('ask and grant' as const),
      parts: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reply' as const) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'approve' as const,
        'approve' as const,
        'approve' as const,
        'deny' as const,
        'withdraw' as const,
        'edit' as const,
        'forge' as const,
      ),
      nth,
      by: fc.nat({ max: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('outside' as const), mood: fc.constantFrom(...MOODS) }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.constantFrom(1_000, 2_000, 9_000, 9_000, 25 * 3_600_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('role' as const), isGiven: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('panic' as const), isOn: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('die' as const), after: fc.integer({ min: 1, max: 12 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
);

/** A world under test with the witness that stands outside and looks at every byte that arrives. */
class History {
  world: World;
  crash: ArmedCrashPoints;
  mood: Mood = 'fine';
  /** What the witness found wrong. */
  readonly faults: string[] = [];
  /** Approved parts that arrived: `<effect>/<part>` -> times. */
  readonly arrived = new Map<string, number>();

  constructor(world: World, crash: ArmedCrashPoints) {
    this.world = world;
    this.crash = crash;
    this.watch();
  }

  watch(): void {
    this.world.chat.onDeliver = async (sent) => {
      const effect = await this.world.effect(sent.effectId);
      if (this.world.panic.isOn()) this.faults.push(`${effect.id} began under panic`);
      if (effect.decision === 'ask') await this.inspect(effect.id, sent.payload, sent.part);
      if (this.mood === 'down') throw fault('unavailable');
      if (this.mood === 'refuses') throw fault('rejected');
      if (this.mood === 'breaks before') throw fault('uncertain');
      const key = `${effect.id}/${sent.part}`;
      if (effect.decision === 'ask') this.arrived.set(key, (this.arrived.get(key) ?? 0) + 1);
      if (this.mood === 'breaks after') throw fault('uncertain');
    };
  }

  /** T1 and T4 at the moment a byte leaves. */
  async inspect(id: string, payload: unknown, part: number): Promise<void> {
    const effect = await this.world.effect(id);
    const approval = await this.world.approval(must(effect.approval));
    const say = (what: string): void => void this.faults.push(`${id} part ${part}: ${what}`);
    if (effect.state !== 'performing') say(`it is ${effect.state}`);
    if (approval.state !== 'consumed') say(`its approval is ${approval.state}`);
    if (approval.effect !== id || approval.digest !== effectDigest(effect)) say('approved were other bytes');
    if (grantersOf(approval).length < approval.needed) say('too few people granted it');
    if (JSON.stringify(payload) !== JSON.stringify(effect.payloads[part])) say('the wire has other bytes');
    if (part !== effect.receipts.length) say(`${effect.receipts.length} parts are on record`);
    if (this.world.clock.nowMs() >= approval.expiresAt) say('its approval has expired');
    const decided = (await this.world.actions(id)).filter((action) => action === 'effect.perform').length;
    if (decided !== effect.attempts) say(`${decided} decisions on record for try ${effect.attempts}`);
  }

  async play(one: Move): Promise<void> {
    try {
      await this.act(one);
    } catch (thrown) {
      // Refusals are part of life; a death is mended below; anything else is a fault of the product.
      if (!(thrown instanceof Crash) && !isRefusal(thrown)) throw thrown;
    }
    if (this.crash.hasCrashed) await this.restart();
  }

  async act(one: Move): Promise<void> {
    const { world } = this;
    const effects = makeEffects(world.deps, { abortRuns: () => {} });
    switch (one.do) {
      case 'propose':
        await this.propose(one.parts);
        return;
      case 'ask and grant':
        return this.askAndGrant(one.parts);
      case 'reply':
        return void (await insertReply(world, 'answer'));
      case 'outside':
        this.mood = one.mood;
        return;
      case 'settle':
        return this.settle();
      case 'wait':
        return world.clock.advance(one.ms);
      case 'role':
        return one.isGiven ? world.grant(OPERATOR, 'operator') : world.ungrant(OPERATOR);
      case 'panic':
        if (one.isOn) await effects.panicOn(signed(BOSS));
        else await effects.panicOff(signed(BOSS));
        return;
      case 'die':
        return this.crash.arm(one.after);
      case 'restart':
        return this.restart();
      default:
        return this.answer(one);
    }
  }

  async propose(parts: number): Promise<Proposal | undefined> {
    const decision = await askPost(this.world, HERE_LABEL);
    if (decision.kind !== 'ask') return undefined;
    const text = Array.from({ length: parts }, (_, i) => `part ${i}`).join('\n\n');
    return proposePost(this.world, text, { decision });
  }

  async askAndGrant(parts: number): Promise<void> {
    const effects = makeEffects(this.world.deps, { abortRuns: () => {} });
    const proposal = await this.propose(parts);
    if (proposal !== undefined)
      await effects.approve(proposal.approval.id, proposal.effect.digest, signed(SECOND));
  }

  async answer(one: Extract<Move, { readonly nth: number }>): Promise<void> {
    const { world } = this;
    const effects = makeEffects(world.deps, { abortRuns: () => {} });
    const asked = await world.deps.store.read.find(
      'approval',
      {},
      { orderBy: 'createdAt', direction: 'desc' },
    );
    const approval: Approval | undefined = asked[one.nth % Math.max(1, asked.length)];
    if (approval === undefined) return;
    const by = must(PEOPLE[one.by]);
    const actor: Actor = one.by === 0 ? inChat(by) : signed(by);
    if (one.do === 'approve') await effects.approve(approval.id, approval.digest, actor);
    if (one.do === 'deny') await effects.deny(approval.id, '', actor);
    if (one.do === 'withdraw')
      await effects.withdraw(approval.id, { principal: person(MEMBER), via: 'chat' });
    if (one.do === 'edit') await effects.edit(approval.id, 'other words', actor);
    if (one.do === 'forge')
      await tamper(world, 'effect', { id: approval.effect }, { payloads: [{ text: 'forged' }] });
  }

  async settle(): Promise<void> {
    const effects = makeEffects(this.world.deps, { abortRuns: () => {} });
    try {
      await effects.start();
      await effects.outbox.idle();
    } finally {
      await effects.drain(0);
    }
  }

  async restart(): Promise<void> {
    this.crash = armed();
    this.world = await this.world.restart({ crash: this.crash });
    this.watch();
  }

  /** What must hold in the end, whatever was played. */
  async verdict(): Promise<void> {
    expect(this.faults).toEqual([]);
    for (const [key, times] of this.arrived) expect([key, times]).toEqual([key, 1]);
    const executed = new Set([...this.arrived.keys()].map((key) => must(key.split('/')[0])));
    const used = await this.world.deps.store.read.count('approval', { state: 'consumed' });
    expect(executed.size).toBeLessThanOrEqual(used);
    expect((await this.world.opened.audit.verify()).problems).toEqual([]);
  }
}

function isRefusal(thrown: unknown): boolean {
  return thrown instanceof AppError && thrown.kind !== 'bug';
}

const IS_SOAK = process.env.SOAK === '1';

describe('whatever people, models, outsides and crashes do', {
  timeout: IS_SOAK ? 3_600_000 : 240_000,
}, () => {
  test('T1: executions <= approvals, each under its own; T4: the decision is on record first', async () => {
    let executions = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(move, { minLength: 8, maxLength: 30 }), async (moves) => {
        const folder = mkdtempSync(join(tmpdir(), 'mediation-'));
        const crash = armed();
        const history = new History(await makeWorld(folder, { crash }), crash);
        try {
          for (const one of moves) await history.play(one);
          await history.restart();
          await history.settle();
          await history.verdict();
          executions += history.arrived.size;
        } finally {
          await history.world.close();
          rmSync(folder, { recursive: true, force: true });
        }
      }),
      { numRuns: IS_SOAK ? 1_000 : 60 },
    );
    // A property over histories in which nothing ever leaves would prove nothing.
    expect(executions).toBeGreaterThan(20);
  });
});
