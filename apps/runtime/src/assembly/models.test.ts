import { AppError, type ModelRoute, publicLabel, routeModel, type TaskKind } from '@agent-runtime/domain';
import { recordingLogger } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import { type ModelConfig, makeModels } from './models.ts';

const TIMEOUT = { LLM_TIMEOUT_MS: 1_000 };
const make = (config: Partial<ModelConfig>, key?: string) =>
  makeModels({ ...TIMEOUT, ...config }, () => key, recordingLogger());

function refusal(config: Partial<ModelConfig>, key?: string): AppError {
  try {
    make(config, key);
  } catch (thrown) {
    if (thrown instanceof AppError) return thrown;
    throw thrown;
  }
  throw new Error('accepted');
}

/** Models in the order in which they would be tried. */
function tried(routes: readonly ModelRoute[], taskKind: TaskKind): readonly string[] {
  const request = {
    taskKind,
    settings: { allowed: [] },
    label: publicLabel(1),
    promptTokens: 100,
    nowMs: 0,
  };
  return routeModel(request, routes, new Map()).candidates.map(({ model }) => model);
}

describe('which provider', () => {
  test.each([
    ['nothing', {}, undefined, 'offline'],
    ['a key alone', {}, 'k', 'zai'],
    [
      'a base URL and a model, no key',
      { LLM_BASE_URL: 'http://h/v1', LLM_MODEL: 'm' },
      undefined,
      'openai-compatible',
    ],
    [
      'a base URL, a model and a key',
      { LLM_BASE_URL: 'http://h/v1', LLM_MODEL: 'm' },
      'k',
      'openai-compatible',
    ],
    ['z.ai at another address', { LLM_PROVIDER: 'zai', LLM_BASE_URL: 'http://h/v1' }, 'k', 'zai'],
    ['offline in spite of a key', { LLM_PROVIDER: 'offline' }, 'k', 'offline'],
  ] as const)('%s', (_name, config, key, provider) => {
    const models = make(config, key);
    expect(models.providers.map(({ id }) => id)).toEqual([provider]);
    expect(new Set(models.routes.map((route) => route.provider))).toEqual(new Set([provider]));
    expect(models.summary).toContain(provider);
  });

  test.each([
    ['LLM_API_KEY', { LLM_PROVIDER: 'zai' }],
    ['LLM_BASE_URL', { LLM_PROVIDER: 'openai-compatible', LLM_MODEL: 'm' }],
    ['LLM_MODEL', { LLM_BASE_URL: 'http://h/v1' }],
  ] as const)('without %s it does not start', (name, config) => {
    expect(refusal(config)).toMatchObject({ code: 'runtime.model.invalid', kind: 'invalid' });
    expect(refusal(config).message).toContain(`AGENT_RUNTIME_${name}`);
  });

  test('a secret inside the address is not shown', () => {
    const models = make({ LLM_BASE_URL: 'http://user:canary@h/v1?key=canary', LLM_MODEL: 'm' });
    expect(models.summary).not.toContain('canary');
  });
});

describe('which model for what', () => {
  const base = { LLM_BASE_URL: 'http://h/v1', LLM_MODEL: 'big' };

  test('small work goes to the small model first, everything else never', () => {
    const { routes } = make({ ...base, LLM_MODEL_SMALL: 'small', LLM_MODEL_FALLBACK: 'spare' });
    expect(tried(routes, 'triage')).toEqual(['small', 'big', 'spare']);
    expect(tried(routes, 'summarization')).toEqual(['small', 'big', 'spare']);
    expect(tried(routes, 'chat')).toEqual(['big', 'spare']);
    expect(tried(routes, 'research')).toEqual(['big', 'spare']);
  });

  test('one model serves everything, and a fallback to itself is none', () => {
    expect(tried(make(base).routes, 'triage')).toEqual(['big']);
    expect(tried(make({ ...base, LLM_MODEL_FALLBACK: 'big' }).routes, 'chat')).toEqual(['big']);
  });

  test('z.ai has its own small model and fallback, unless a model was chosen', () => {
    expect(tried(make({}, 'k').routes, 'triage')).toHaveLength(3);
    expect(tried(make({ LLM_MODEL: 'glm-4.7' }, 'k').routes, 'triage')).toEqual(['glm-4.7']);
  });

  test('a price of the settings wins over the list price, and counts for that model alone', () => {
    const price = { inputUsd: 0.6, outputUsd: 2.25 };
    const { routes } = make({ ...base, LLM_MODEL_FALLBACK: 'spare', LLM_PRICES: new Map([['big', price]]) });
    expect(routes.map((one) => [one.model, one.inputUsdMicrosPerMTok, one.outputUsdMicrosPerMTok])).toEqual([
      ['big', 600_000, 2_250_000],
      ['spare', 0, 0],
    ]);
    const [, main] = make({ LLM_PRICES: new Map([['glm-5.3', price]]) }, 'k').routes;
    expect(main).toMatchObject({ model: 'glm-5.3', inputUsdMicrosPerMTok: 600_000 });
  });

  test('a price of a model that is not in use is refused: it may be misspelt, and the real one would look free', () => {
    const LLM_PRICES = new Map([['bgi', { inputUsd: 1, outputUsd: 1 }]]);
    expect(() => make({ ...base, LLM_PRICES })).toThrow(
      expect.objectContaining({
        code: 'runtime.model.invalid',
        message: expect.stringMatching(/"bgi" is in use; these are: big/),
      }),
    );
    // Offline nothing is called; the key may come later.
    expect(make({ LLM_PRICES }).routes).toMatchObject([{ model: 'offline', inputUsdMicrosPerMTok: 0 }]);
  });

  test('prices and sizes are known where they are published; nobody reserves more output than answers need', () => {
    const [, main] = make({}, 'k').routes;
    expect(main?.inputUsdMicrosPerMTok).toBeGreaterThan(0);
    expect(main?.maxOutputTokens).toBeLessThanOrEqual(16_384);
  });
});
