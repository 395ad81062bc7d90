import { readFileSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { AppError } from '@agent-runtime/domain';
import { z } from 'zod';

const PREFIX = 'AGENT_RUNTIME_';

/** Host and port to bind, e.g. 127.0.0.1:8080. */
export interface Listen {
  readonly host: string;
  readonly port: number;
}

const listenText = (text: string, context: z.RefinementCtx): Listen => {
  const match = /^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) {
    context.addIssue({ code: 'custom', message: 'write it as host:port, e.g. 127.0.0.1:8080' });
    return z.NEVER;
  }
  return { host: (match[1] ?? '').replace(/^\[|\]$/g, ''), port };
};
const listen = z.string().transform(listenText);
const listenOrOff = z
  .string()
  .transform((text, context) => (text === '' ? undefined : listenText(text, context)));
const count = (text: string) =>
  z
    .string()
    .regex(/^\d{1,9}$/, text)
    .transform(Number);
const text = z.string().trim().min(1, 'it is blank; give a value or unset it');
/** What a model costs, US dollars per million tokens. */
export interface Price {
  readonly inputUsd: number;
  readonly outputUsd: number;
}

const PRICE = /^(.+)=(\d{1,6}(?:\.\d{1,6})?)\/(\d{1,6}(?:\.\d{1,6})?)$/;
const prices = text.transform((all, context): ReadonlyMap<string, Price> => {
  const parts = all.split(',').map((part) => PRICE.exec(part.trim()));
  const named = new Map(
    parts.map((part) => [
      part?.[1]?.trim() ?? '',
      { inputUsd: Number(part?.[2]), outputUsd: Number(part?.[3]) },
    ]),
  );
  if (!parts.includes(null) && !named.has('') && named.size === parts.length) return named;
  const message =
    'write each model once, with dollars per million tokens in and out, e.g. big-model=1.4/4.4,small-model=0.15/0.5';
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});
const oneOf = <const T extends readonly [string, ...string[]]>(names: T) =>
  z.enum(names, { error: `use one of ${names.join(', ')}` });
const url = z.url({ protocol: /^https?$/, error: 'write it as an address, e.g. https://llm.example/v1' });

/** `<bot id>:<secret>`; the number names the account before anything is asked of the network. */
export const telegramToken = text.regex(
  /^\d{1,16}:[A-Za-z0-9_-]{20,}$/,
  'it is not a bot token; BotFather gives one like 123456789:AA…',
);
/** `<application id in base64>.<…>.<…>` */
export const discordToken = text.regex(
  /^[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{20,}$/,
  'it is not a bot token; the developer portal gives three parts with dots between them',
);

/** Whoever guesses it speaks in everybody's name. */
export const webhookSecret = z
  .string()
  .trim()
  .regex(/^[A-Za-z0-9_-]{24,256}$/, 'use 24 to 256 of A-Z, a-z, 0-9, _ and -; it must not be guessed');

/** Everything that the environment may say; docs/guides/configuration.md explains each name. */
const shape = z.object({
  DATA_DIR: text.default('./data'),
  MASTER_KEY: text.optional(),
  /** Refused rather than ignored: whoever sets it believes that the data is elsewhere. */
  DATABASE_URL: z
    .never('only the embedded database is built; unset it, the data is kept in DATA_DIR')
    .optional(),
  PUBLIC_LISTEN: listen.default({ host: '127.0.0.1', port: 8080 }),
  ADMIN_LISTEN: listenOrOff.prefault('127.0.0.1:8443'),
  ADMIN_TLS: oneOf(['direct', 'proxy']).default('direct'),
  ADMIN_URL: z
    .url({ protocol: /^https$/, error: 'write it as an address, e.g. https://admin.example' })
    .optional(),
  PROXY_DIR: text.optional(),
  METRICS_LISTEN: listenOrOff.prefault('127.0.0.1:9090'),
  PUBLIC_URL: url.optional(),
  LOG_LEVEL: oneOf(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  LOG_FORMAT: oneOf(['json', 'pretty']).optional(),
  AUDIT_CONTENT: oneOf(['metadata', 'content']).default('metadata'),
  LLM_PROVIDER: oneOf(['zai', 'openai-compatible', 'offline']).optional(),
  LLM_BASE_URL: url.optional(),
  LLM_API_KEY: text.optional(),
  LLM_MODEL: text.optional(),
  LLM_MODEL_SMALL: text.optional(),
  LLM_MODEL_FALLBACK: text.optional(),
  LLM_PRICES: prices.optional(),
  LLM_TIMEOUT_MS: count('write milliseconds, e.g. 120000').default(120_000),
  RATE_PER_MINUTE: count('write a number of requests, e.g. 120').default(120),
  MEMORY_DIR: text.optional(),
  TELEGRAM_TOKEN: telegramToken.optional(),
  TELEGRAM_API_ROOT: url.optional(),
  TELEGRAM_PER_SECOND: z
    .string()
    .regex(/^[1-9]\d{0,8}$/, 'write calls per second, e.g. 25')
    .transform(Number)
    .default(25),
  TELEGRAM_MODE: oneOf(['polling', 'webhook']).default('polling'),
  TELEGRAM_WEBHOOK_SECRET: webhookSecret.optional(),
  DISCORD_TOKEN: discordToken.optional(),
  DISCORD_API_ROOT: url.optional(),
});

/** Secrets that may come from the environment or lie in the vault. */
export const VAULT_SECRETS = [
  'LLM_API_KEY',
  'TELEGRAM_TOKEN',
  'TELEGRAM_WEBHOOK_SECRET',
  'DISCORD_TOKEN',
] as const;
export type VaultSecret = (typeof VAULT_SECRETS)[number];

export type Config = Readonly<z.output<typeof shape>> & {
  /** Absolute. */
  readonly dataDir: string;
  /** Absolute; beside the data folder, never inside it. */
  readonly secretsDir: string;
  /** Absolute; where Caddy finds its certificates when it stands in front of the admin listener. */
  readonly proxyDir: string;
  /** Absolute folder of the file-backed memory connector, for the demo and tests. */
  readonly memoryDir: string | undefined;
  /** Names of the secrets that the environment supplies; the vault must not shadow them. */
  readonly suppliedSecrets: readonly string[];
  /** Variables with our prefix that mean nothing here: typing errors, or parts that are not built yet. */
  readonly unknown: readonly string[];
};

/**
 * Reads the configuration once.
 * @param env usually `process.env`; each variable may also come as `<name>_FILE`, a path to its value
 * @param cwd folder against which relative paths are resolved
 * @throws AppError runtime.config.invalid naming the variable and what to change; values are never repeated
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>, cwd: string): Config {
  const names = Object.keys(shape.shape);
  const values: Record<string, string> = {};
  for (const name of names) {
    const value = lookUp(env, name, cwd);
    if (value !== undefined) values[name] = value;
  }
  const parsed = shape.safeParse(values);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw invalid(String(issue?.path[0] ?? ''), issue?.message ?? 'it does not fit');
  }
  requireAdminUrl(parsed.data);
  requireWebhookUrl(parsed.data);
  const dataDir = absolute(parsed.data.DATA_DIR, cwd);
  const known = new Set(names.flatMap((name) => [PREFIX + name, `${PREFIX + name}_FILE`]));
  return {
    ...parsed.data,
    dataDir,
    secretsDir: resolve(dataDir, '..', 'secrets'),
    proxyDir:
      parsed.data.PROXY_DIR === undefined
        ? resolve(dataDir, '..', 'proxy')
        : absolute(parsed.data.PROXY_DIR, cwd),
    memoryDir: parsed.data.MEMORY_DIR === undefined ? undefined : absolute(parsed.data.MEMORY_DIR, cwd),
    suppliedSecrets: VAULT_SECRETS.filter((name) => parsed.data[name] !== undefined),
    unknown: Object.keys(env)
      .filter((name) => name.startsWith(PREFIX) && !known.has(name))
      .sort(),
  };
}

/** Certificates and signatures name the address that people dial; where it cannot be told from the listener it must be said. */
function requireAdminUrl(values: z.output<typeof shape>): void {
  const { ADMIN_LISTEN: place, ADMIN_TLS: mode, ADMIN_URL: address } = values;
  if (place === undefined || address !== undefined) return;
  if (mode === 'proxy') throw invalid('ADMIN_URL', 'with ADMIN_TLS=proxy say which https address people use');
  if (['0.0.0.0', '::'].includes(place.host))
    throw invalid(
      'ADMIN_URL',
      `ADMIN_LISTEN=${place.host} is every address; say which https address people use`,
    );
}

/** Telegram calls us at this address. The secret may still lie in the vault, so its absence is found where connectors are made. */
function requireWebhookUrl(values: z.output<typeof shape>): void {
  if (values.TELEGRAM_MODE !== 'webhook' || values.PUBLIC_URL !== undefined) return;
  throw invalid('PUBLIC_URL', 'with TELEGRAM_MODE=webhook say at which address Telegram reaches this host');
}

function lookUp(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
  cwd: string,
): string | undefined {
  const direct = env[PREFIX + name];
  const file = env[`${PREFIX + name}_FILE`];
  if (direct !== undefined && file !== undefined)
    throw invalid(name, 'give either the value or the _FILE, not both');
  if (file === undefined) return direct;
  try {
    return readFileSync(absolute(file, cwd), 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    throw invalid(`${name}_FILE`, 'the file cannot be read', cause);
  }
}

function absolute(path: string, cwd: string): string {
  return isAbsolute(path) ? path : resolve(cwd, path);
}

function invalid(name: string, what: string, cause?: unknown): AppError {
  return new AppError({
    code: 'runtime.config.invalid',
    kind: 'invalid',
    message: `${PREFIX}${name}: ${what}.`,
    cause,
  });
}
