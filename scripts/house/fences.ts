// The tables of the house: who may import whom. A new dependency of a room needs a line here first.

/** Floors from below: a package or app may import exactly these rooms. */
export const mayImport: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  engine: ['domain'],
  store: ['domain'],
  adapters: ['domain'],
  tools: ['domain'],
  pki: ['domain'],
  testkit: ['domain'],
  runtime: ['domain', 'engine', 'store', 'adapters', 'tools', 'pki'],
  tui: ['domain', 'pki'],
  toolrunner: ['domain', 'tools'],
  qmd: ['domain'],
  egress: ['domain'],
};

/** Rooms of packages/domain/src, lowest first: a file imports only from its own folder or those before it. */
export const domainRanks: readonly string[] = [
  'base',
  'label',
  'identity',
  'effect',
  'context',
  'hub',
  'approval',
  'tool',
  'policy',
  'task',
  'model',
  'prompt',
  'audit',
  'port',
  'contract',
];

/** Entries of packages besides their names: what a sandboxed tool does, and what is heavy and rarely needed. */
export const innerEntries: Readonly<Record<string, readonly string[]>> = {
  '@agent-runtime/tools/run': ['toolrunner'],
  // Certificates bring node-forge; most commands and a start without TLS never need it.
  '@agent-runtime/pki/certificate': ['runtime', 'tui'],
  // discord.js is heavy, and only who has a token there needs it.
  '@agent-runtime/adapters/discord': ['runtime'],
  // grammy costs 15 MB: loaded once a token is configured.
  '@agent-runtime/adapters/telegram': ['runtime'],
};

/** Modules of Node that floor 0 may use: digests are computation, not I/O. */
export const domainBuiltins: readonly string[] = ['crypto'];

const apps = ['runtime', 'toolrunner', 'egress', 'qmd', 'tui'];
const everyone = ['domain', 'engine', 'store', 'adapters', 'tools', 'pki', ...apps];

/** Outside libraries and the rooms that may know them; a trailing `/` fences a whole npm scope. */
export const fences: Readonly<Record<string, readonly string[]>> = {
  zod: everyone,

  'discord.js': ['adapters'],
  grammy: ['adapters'],
  '@grammyjs/': ['adapters'],
  '@discordjs/': ['adapters'],
  'discord-api-types': ['adapters'],
  'mdast-util-from-markdown': ['adapters'],
  'mdast-util-gfm': ['adapters'],
  'micromark-extension-gfm': ['adapters'],
  mdast: ['adapters'],
  ws: ['testkit'],
  imapflow: ['adapters'],
  nodemailer: ['adapters'],
  croner: ['adapters'],
  chokidar: ['adapters'],
  ai: ['adapters'],
  '@ai-sdk/': ['adapters'],
  '@dbos-inc/': ['adapters'],

  'better-sqlite3': ['store'],
  kysely: ['store'],
  pg: ['store'],
  yaml: ['store'],

  'node-forge': ['pki'],
  'structured-headers': ['pki'],

  turndown: ['tools'],
  'postal-mime': ['tools'],
  'just-bash': ['tools'],

  undici: ['adapters', 'tools', ...apps],
  '@modelcontextprotocol/': ['adapters', 'toolrunner'],

  hono: apps,
  '@hono/': apps,
  pino: apps,
  'prom-client': apps,
  commander: ['tui', 'runtime'],
  ink: ['tui'],
  react: ['tui'],
  '@tobilu/qmd': ['qmd'],
};

/** The test runner and its companion: tests, testkit and conformance suites only. */
export const testLibraries: readonly string[] = ['vitest', 'fast-check'];
