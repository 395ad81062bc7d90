import {
  offlineProvider,
  openAiCompatibleProvider,
  ZAI_BASE_URL,
  ZAI_DEFAULTS,
  ZAI_MODELS,
  zaiProvider,
} from '@agent-runtime/adapters';
import {
  AppError,
  type LlmProvider,
  type Logger,
  type ModelRoute,
  oneLine,
  type TaskKind,
} from '@agent-runtime/domain';
import type { Config, Price } from '../config.ts';

/** Models as the engine takes them, and one line for people. */
export interface Models {
  readonly providers: readonly LlmProvider[];
  readonly routes: readonly ModelRoute[];
  /** e.g. `openai-compatible, model llama at http://127.0.0.1:11434/v1` */
  readonly summary: string;
}

export type ModelConfig = Pick<
  Config,
  'LLM_PROVIDER' | 'LLM_BASE_URL' | 'LLM_MODEL' | 'LLM_MODEL_SMALL' | 'LLM_MODEL_FALLBACK' | 'LLM_TIMEOUT_MS'
> &
  Partial<Pick<Config, 'LLM_PRICES'>>;

/** Work for which a small model is good enough. */
const SMALL_WORK: readonly TaskKind[] = ['triage', 'summarization'];
/** Of models nobody told us about: what common servers offer at least. */
const UNKNOWN_MODEL = {
  contextTokens: 128_000,
  maxOutputTokens: 8_192,
  inputUsdMicrosPerMTok: 0,
  outputUsdMicrosPerMTok: 0,
};
/** The whole allowance is reserved before each call, so a route does not ask for more than answers need. */
const MAX_ROUTE_OUTPUT_TOKENS = 16_384;

/**
 * Providers and routes of this process. A base URL means a server of the OpenAI protocol, a key alone means z.ai, nothing means the
 * offline responder; LLM_PROVIDER says otherwise.
 * @param apiKey read at each call; environment first, vault second
 * @throws AppError runtime.model.invalid naming what is missing
 */
export function makeModels(config: ModelConfig, apiKey: () => string | undefined, log: Logger): Models {
  const models = unpricedModels(config, apiKey, log);
  return { ...models, routes: withPrices(models.routes, config.LLM_PRICES ?? new Map()) };
}

const USD_MICROS = 1_000_000;

/** A configured price wins over the list price that we know. @throws AppError runtime.model.invalid for a model that is not used */
function withPrices(
  routes: readonly ModelRoute[],
  prices: ReadonlyMap<string, Price>,
): readonly ModelRoute[] {
  // Without a model nothing costs anything; the key of the one that was meant may still be missing.
  if (routes.every(({ provider }) => provider === 'offline')) return routes;
  const used = routes.map(({ model }) => model);
  const stray = [...prices.keys()].find((model) => !used.includes(model));
  if (stray !== undefined) throw strayPrice(stray, used);
  return routes.map((one) => {
    const price = prices.get(one.model);
    if (price === undefined) return one;
    return {
      ...one,
      inputUsdMicrosPerMTok: Math.round(price.inputUsd * USD_MICROS),
      outputUsdMicrosPerMTok: Math.round(price.outputUsd * USD_MICROS),
    };
  });
}

/** With the list prices of z.ai, the others without any. */
function unpricedModels(config: ModelConfig, apiKey: () => string | undefined, log: Logger): Models {
  const kind = providerOf(config, apiKey);
  switch (kind) {
    case 'offline':
      return {
        providers: [offlineProvider()],
        routes: [route('offline', 'offline', 'offline')],
        summary: 'offline responder (no model is configured)',
      };
    case 'openai-compatible':
      return compatible(config, apiKey, log);
    case 'zai':
      return zai(config, apiKey, log);
    default:
      return kind satisfies never;
  }
}

function providerOf(
  config: ModelConfig,
  apiKey: () => string | undefined,
): NonNullable<ModelConfig['LLM_PROVIDER']> {
  if (config.LLM_PROVIDER !== undefined) return config.LLM_PROVIDER;
  if (config.LLM_BASE_URL !== undefined) return 'openai-compatible';
  return apiKey() === undefined ? 'offline' : 'zai';
}

function compatible(config: ModelConfig, apiKey: () => string | undefined, log: Logger): Models {
  const { LLM_BASE_URL: baseUrl, LLM_MODEL: model } = config;
  if (baseUrl === undefined) throw lacks('LLM_BASE_URL', 'the address of the server');
  if (model === undefined) throw lacks('LLM_MODEL', 'the name of the model');
  const id = 'openai-compatible';
  const provider = openAiCompatibleProvider({
    id,
    baseUrl,
    apiKey: () => apiKey() ?? '',
    timeouts: { firstByteMs: config.LLM_TIMEOUT_MS },
    log,
  });
  const routes = routesOf(id, {
    main: model,
    small: config.LLM_MODEL_SMALL,
    fallback: config.LLM_MODEL_FALLBACK,
  });
  return { providers: [provider], routes, summary: `${id}, model ${model} at ${withoutSecrets(baseUrl)}` };
}

function zai(config: ModelConfig, apiKey: () => string | undefined, log: Logger): Models {
  if (apiKey() === undefined)
    throw lacks('LLM_API_KEY', 'the key of z.ai (or put it into the vault: `secret set LLM_API_KEY`)');
  const provider = zaiProvider({
    baseUrl: config.LLM_BASE_URL,
    apiKey: () => apiKey() ?? '',
    timeouts: { firstByteMs: config.LLM_TIMEOUT_MS },
    log,
  });
  // Who chose a model may have a plan without the others: then only what was named is used.
  const isDefault = config.LLM_MODEL === undefined;
  const main = config.LLM_MODEL ?? ZAI_DEFAULTS.model;
  const routes = routesOf('zai', {
    main,
    small: config.LLM_MODEL_SMALL ?? (isDefault ? ZAI_DEFAULTS.small : undefined),
    fallback: config.LLM_MODEL_FALLBACK ?? (isDefault ? ZAI_DEFAULTS.fallback : undefined),
  });
  const place = withoutSecrets(config.LLM_BASE_URL ?? ZAI_BASE_URL);
  return { providers: [provider], routes, summary: `zai, model ${main} at ${place}` };
}

/** Small work goes to the small model and, when that fails, to the others; the rest tries main, then the fallback. */
function routesOf(
  provider: string,
  models: {
    readonly main: string;
    readonly small?: string | undefined;
    readonly fallback?: string | undefined;
  },
): readonly ModelRoute[] {
  const { main, small, fallback } = models;
  return [
    ...(small === undefined ? [] : [route('small', provider, small, SMALL_WORK)]),
    route('main', provider, main),
    ...(fallback === undefined || fallback === main ? [] : [route('fallback', provider, fallback)]),
  ];
}

function route(
  name: string,
  provider: string,
  model: string,
  taskKinds: readonly TaskKind[] = [],
): ModelRoute {
  const known = ZAI_MODELS.find((one) => provider === 'zai' && one.model === model) ?? UNKNOWN_MODEL;
  return {
    name,
    provider,
    model,
    taskKinds,
    // Until a policy narrows it, a configured provider may read every workspace.
    clearance: { kind: 'all' },
    contextTokens: known.contextTokens,
    maxOutputTokens: Math.min(known.maxOutputTokens, MAX_ROUTE_OUTPUT_TOKENS),
    inputUsdMicrosPerMTok: known.inputUsdMicrosPerMTok,
    outputUsdMicrosPerMTok: known.outputUsdMicrosPerMTok,
  };
}

/** Some put a key into the address; people and logs see it without. */
function withoutSecrets(address: string): string {
  const { origin, pathname } = new URL(address);
  return origin + pathname;
}

/** Ignored, a misspelt name would look like a model that costs nothing. */
function strayPrice(model: string, used: readonly string[]): AppError {
  return new AppError({
    code: 'runtime.model.invalid',
    kind: 'invalid',
    message: `AGENT_RUNTIME_LLM_PRICES: no model "${oneLine(model, 80)}" is in use; these are: ${used.join(', ')}.`,
  });
}

function lacks(name: string, what: string): AppError {
  return new AppError({
    code: 'runtime.model.invalid',
    kind: 'invalid',
    message: `AGENT_RUNTIME_${name}: give ${what}, or unset AGENT_RUNTIME_LLM_* to work offline.`,
  });
}
