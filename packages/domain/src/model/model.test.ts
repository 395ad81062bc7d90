import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WorkspaceId } from '../base/index.ts';
import { anyChar, anyText } from '../base/text.fixture.ts';
import { NO_MODEL } from '../context/index.ts';
import { type AudienceTag, type Clearance, canFlow, type Label, makeLabel } from '../label/index.ts';
import { TASK_KINDS, type TaskKind } from '../task/index.ts';
import { plausibleUsage } from './ledger.ts';
import { cutToTokens, estimateTokens } from './message.ts';
import { cooldownMs, costUsdMicros, type ModelRoute, type RouteRequest, routeModel } from './route.ts';

const NOW = 1000;
const TAGS: readonly AudienceTag[] = ['ws:garden', 'ws:kitchen', 'ctx:garden/general', 'priv:user_ann00000'];

function routeOf(name: string, more: Partial<ModelRoute> = {}): ModelRoute {
  return {
    name,
    provider: 'p',
    model: 'm',
    taskKinds: [],
    clearance: { kind: 'all' },
    contextTokens: 1000,
    maxOutputTokens: 100,
    inputUsdMicrosPerMTok: 0,
    outputUsdMicrosPerMTok: 0,
    ...more,
  };
}
function requestOf(more: Partial<RouteRequest> = {}): RouteRequest {
  return {
    taskKind: 'chat',
    settings: { allowed: [] },
    label: makeLabel(1, ['ws:garden']),
    promptTokens: 10,
    nowMs: NOW,
    ...more,
  };
}
const namesOf = (
  request: RouteRequest,
  routes: readonly ModelRoute[],
  resting: readonly (readonly [string, number])[] = [],
) => routeModel(request, routes, new Map(resting)).candidates.map((route) => route.name);

const clearance: fc.Arbitrary<Clearance> = fc.oneof(
  fc.constant<Clearance>({ kind: 'all' }),
  fc.subarray([...TAGS]).map((tags): Clearance => ({ kind: 'tags', tags })),
  fc.tuple(fc.subarray(['garden', 'kitchen']), fc.boolean()).map(
    ([workspaces, isPrivateCleared]): Clearance => ({
      kind: 'workspaces',
      workspaces: workspaces as WorkspaceId[],
      isPrivateCleared,
    }),
  ), // safe: slugs
);
const route = fc
  .record({
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    taskKinds: fc.subarray([...TASK_KINDS]),
    clearance,
    contextTokens: fc.constantFrom(5, 10, 11, 1000),
  })
  .map(({ name, ...more }) => routeOf(name, more));

describe('routing', () => {
  it('never returns a route that is not cleared, allowed, serving and large enough, also as a fallback', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(route, { selector: (one) => one.name }),
        fc.subarray([...TAGS]),
        fc.subarray(['a', 'b', 'x', '*']),
        fc.constantFrom<TaskKind>(...TASK_KINDS),
        fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 0, max: 2 * NOW })),
        (routes, tags, allowed, taskKind, resting) => {
          const request = requestOf({ taskKind, label: makeLabel(1, tags), settings: { allowed } });
          const choice = routeModel(request, routes, new Map(Object.entries(resting)));
          const fits = (one: ModelRoute): boolean =>
            canFlow(request.label, one.clearance) &&
            (allowed.length === 0 || allowed.includes('*') || allowed.includes(one.name)) &&
            (one.taskKinds.length === 0 || one.taskKinds.includes(taskKind)) &&
            one.contextTokens > 10;
          const awake = (one: ModelRoute): boolean => (resting[one.name] ?? 0) <= NOW;
          expect(new Set(choice.candidates)).toEqual(
            new Set(routes.filter((one) => fits(one) && awake(one))),
          );
          expect(choice.candidates.length + choice.rejected.length).toBe(routes.length);
          const asleep = routes.filter((one) => fits(one) && !awake(one));
          expect(choice.retryAt).toBe(
            choice.candidates.length === 0 && asleep.length > 0
              ? Math.min(...asleep.map((one) => resting[one.name] ?? 0))
              : undefined,
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it('says why each of the others was left out', () => {
    const routes = [
      routeOf('no'),
      routeOf('kind', { taskKinds: ['triage'] }),
      routeOf('secret', { clearance: { kind: 'tags', tags: [] } }),
      routeOf('small', { contextTokens: 10 }),
      routeOf('tired'),
    ];
    const { rejected, candidates } = routeModel(
      requestOf({ settings: { allowed: ['kind', 'secret', 'small', 'tired'] } }),
      routes,
      new Map([['tired', NOW + 1]]),
    );
    expect(candidates).toEqual([]);
    expect(rejected.map((one) => one.route)).toEqual(['no', 'kind', 'secret', 'small', 'tired']);
    expect(new Set(rejected.map((one) => one.reason)).size).toBe(5);
  });

  it('routes made for the kind come first, then the order of the context, then of the appliance', () => {
    const routes = [
      routeOf('g1'),
      routeOf('g2'),
      routeOf('k1', { taskKinds: ['chat'] }),
      routeOf('k2', { taskKinds: ['chat'] }),
    ];
    expect(namesOf(requestOf(), routes)).toEqual(['k1', 'k2', 'g1', 'g2']);
    expect(namesOf(requestOf({ settings: { allowed: ['g2', 'k2', '*'] } }), routes)).toEqual([
      'k2',
      'k1',
      'g2',
      'g1',
    ]);
    expect(namesOf(requestOf({ settings: { allowed: ['g2', 'g1'] } }), routes)).toEqual(['g2', 'g1']);
  });

  it('a route comes back at its instant', () => {
    expect(namesOf(requestOf(), [routeOf('a')], [['a', NOW]])).toEqual(['a']);
    expect(namesOf(requestOf(), [routeOf('a')], [['a', NOW + 1]])).toEqual([]);
  });

  it('a context that is left with nothing gets nothing', () => {
    expect(namesOf(requestOf({ settings: { allowed: [NO_MODEL] } }), [routeOf('a')])).toEqual([]);
  });

  it('a text without a label and a prompt of unknown length go nowhere', () => {
    expect(namesOf(requestOf({ label: undefined as unknown as Label }), [routeOf('a')])).toEqual([]); // safe: deliberately missing
    expect(namesOf(requestOf({ promptTokens: Number.NaN }), [routeOf('a')])).toEqual([]);
  });
});

describe('rest after failures', () => {
  it('doubles up to five minutes; what the provider asks for wins when longer, up to an hour', () => {
    expect([1, 2, 3].map((n) => cooldownMs(n, undefined))).toEqual([5000, 10_000, 20_000]);
    expect(cooldownMs(50, undefined)).toBe(300_000);
    expect(cooldownMs(1, 60_000)).toBe(60_000);
    expect(cooldownMs(1, 1)).toBe(5000);
    expect(cooldownMs(1, 10 ** 9)).toBe(3_600_000);
    fc.assert(
      fc.property(
        fc.integer({ min: -5, max: 10_000 }),
        fc.option(fc.integer(), { nil: undefined }),
        (n, after) => {
          expect(cooldownMs(n, after)).toBeGreaterThanOrEqual(5000);
        },
      ),
    );
  });
});

describe('usage and price', () => {
  const bound = { inputTokens: 1000, outputTokens: 500, cachedTokens: 0 };

  it('plausible figures are taken as they are', () => {
    const told = { inputTokens: 900, outputTokens: 10, cachedTokens: 800 };
    expect(plausibleUsage(told, bound)).toEqual(told);
  });

  it('what is missing or absurd is charged as the bound', () => {
    expect(plausibleUsage(undefined, bound)).toEqual(bound);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, -1, 1e12, undefined as never]) {
      // safe: one is deliberately missing
      expect(plausibleUsage({ inputTokens: bad, outputTokens: bad, cachedTokens: bad }, bound)).toEqual(
        bound,
      );
    }
  });

  it('nothing used is nothing, all of it may be cached, and four times the bound is the last plausible figure', () => {
    const none = { inputTokens: 0, outputTokens: 0, cachedTokens: 0 };
    expect(plausibleUsage(none, bound)).toEqual(none);
    expect(plausibleUsage({ ...none, inputTokens: 700, cachedTokens: 700 }, bound).cachedTokens).toBe(700);
    expect(plausibleUsage({ ...none, inputTokens: 700, cachedTokens: 701 }, bound).cachedTokens).toBe(0);
    expect(plausibleUsage({ ...none, inputTokens: 5024 }, bound).inputTokens).toBe(5024);
    expect(plausibleUsage({ ...none, inputTokens: 5025 }, bound).inputTokens).toBe(1000);
  });

  it('is always whole, never negative, and cached is part of the input', () => {
    const figure = fc.oneof(fc.integer(), fc.double(), fc.constant(Number.NaN));
    fc.assert(
      fc.property(figure, figure, figure, (inputTokens, outputTokens, cachedTokens) => {
        const usage = plausibleUsage({ inputTokens, outputTokens, cachedTokens }, bound);
        for (const value of Object.values(usage)) expect(Number.isInteger(value) && value >= 0).toBe(true);
        expect(usage.cachedTokens).toBeLessThanOrEqual(usage.inputTokens);
        expect(usage.inputTokens).toBeLessThanOrEqual(4 * 1000 + 1024);
        expect(usage.outputTokens).toBeLessThanOrEqual(4 * 500 + 1024);
      }),
    );
  });

  it('the price is rounded up', () => {
    const priced = routeOf('a', { inputUsdMicrosPerMTok: 600_000, outputUsdMicrosPerMTok: 2_200_000 });
    expect(costUsdMicros(priced, { inputTokens: 1_000_000, outputTokens: 500_000 })).toBe(1_700_000);
    expect(costUsdMicros(priced, { inputTokens: 1, outputTokens: 0 })).toBe(1);
    expect(costUsdMicros(routeOf('free'), { inputTokens: 9, outputTokens: 9 })).toBe(0);
  });
});

describe('estimates', () => {
  it('grow with the text, and a whole costs no more than its parts', () => {
    fc.assert(
      fc.property(anyText, anyText, (a, b) => {
        expect(estimateTokens(a + b)).toBeGreaterThanOrEqual(estimateTokens(a));
        expect(estimateTokens(a + b)).toBeLessThanOrEqual(estimateTokens(a) + estimateTokens(b));
      }),
    );
  });

  it('a cut is the longest beginning that fits, never half a character', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: anyChar, maxLength: 200 }).map((text) => text.toWellFormed()),
        fc.integer({ min: 0, max: 60 }),
        (text, tokens) => {
          const cut = cutToTokens(text, tokens);
          expect(text.startsWith(cut)).toBe(true);
          expect(cut.isWellFormed()).toBe(true);
          if (cut !== '') expect(estimateTokens(cut)).toBeLessThanOrEqual(tokens);
          if (cut !== text) expect(estimateTokens(text.slice(0, cut.length + 2))).toBeGreaterThan(tokens);
        },
      ),
    );
  });
});
