// `npm run corpora -- DIR [--chats]`: runs public collections of hostile inputs against the guards they are about. DIR holds one folder per
// collection, as its authors publish it (one JSON value per line); folders nobody knows are named and left out. The collections
// themselves are no part of this repository.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  AppError,
  canonicalJson,
  filterReply,
  isSlug,
  NOTHING_READ,
  parseArguments,
  parseWorkspaceId,
  slugify,
} from '@agent-runtime/domain';
import {
  formatRecord,
  makeWorkspaceFiles,
  openMemoryStore,
  parseRecords,
  readFrontMatter,
} from '@agent-runtime/store';
import { crashPoints, manualClock, recordingLogger } from '@agent-runtime/testkit';

/** Longest time that one input may take, ms: far above what any of them needs, far below a hang. */
const LIMIT_MS = 2_000;

/** A schema without wishes: what is judged is the parser before it. */
const ANYTHING = { safeParse: (data) => ({ success: true, data }) };

/** @returns whether it is refused, and by nothing but our own error */
async function isRefused(act) {
  try {
    await act();
    return false;
  } catch (error) {
    if (error instanceof AppError && error.kind !== 'bug') return true;
    throw error;
  }
}

function linesOf(file) {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}

/** Each path is asked for as it stands and with a Markdown name at its end; a file of that name lies where it would lead. */
async function pathTraversal(folder) {
  const dataDir = mkdtempSync(join(tmpdir(), 'corpora-'));
  const open = await openMemoryStore({ dataDir, clock: manualClock() });
  const workspace = parseWorkspaceId('garden');
  try {
    const { store, paths, projectorKey } = open;
    mkdirSync(join(paths.workspaces, workspace), { recursive: true });
    for (const place of [dataDir, paths.workspaces]) writeFileSync(join(place, 'secret.md'), 'secret\n');
    await store.commit({ action: 'workspace.write', actor: 'corpora', subject: workspace }, (tx) =>
      tx.insert('workspace', {
        id: workspace,
        title: 'Garden',
        kind: 'community',
        owner: 'user_corpora',
        outsideEdits: 'staff',
        settings: {},
        createdAt: 0,
      }),
    );
    const files = makeWorkspaceFiles({
      root: paths.workspaces,
      goodFolder: join(dataDir, 'good'),
      macKey: projectorKey,
      store,
      clock: manualClock(),
      crash: crashPoints.none(),
      log: recordingLogger(),
    });
    return await judge(linesOf(join(folder, 'path-traversal.jsonl')), async ({ payload }) => {
      const asked = [payload, payload.replaceAll('{FILE}', 'secret.md'), `${payload}/secret.md`];
      const refused = await Promise.all(asked.map((path) => isRefused(() => files.read(workspace, path))));
      return refused.every((is) => is);
    });
  } finally {
    await open.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** Front matter is read or refused; no input throws anything else, none hangs, and what is read is plain data. */
async function yamlFrontMatter(folder) {
  return judge(linesOf(join(folder, 'yaml-test-suite.jsonl')), ({ yaml }) => {
    try {
      canonicalJson(readFrontMatter(`---\n${yaml}\n---\nbody\n`, ANYTHING) ?? {});
      return true;
    } catch (error) {
      return error instanceof AppError && error.kind !== 'bug';
    }
  });
}

/** Any text survives as a record and as canonical JSON, names a folder, and is shown without doing anything by itself. */
async function naughtyStrings(folder) {
  const key = new Uint8Array(32).fill(3);
  return judge(JSON.parse(readFileSync(join(folder, 'blns.json'), 'utf8')), (text) => {
    const { records, foreignLines } = parseRecords(
      formatRecord({ head: { kind: 'message', name: text }, text }, 'title', key),
      key,
    );
    const filter = (words) =>
      filterReply({
        text: words,
        label: NOTHING_READ,
        clearance: { kind: 'tags', tags: [] },
        trustedUrls: new Set(),
      }).text;
    return (
      foreignLines === 0 &&
      records.length === 1 &&
      records[0].text === text &&
      records[0].head.name === text &&
      JSON.parse(canonicalJson(text)) === text &&
      isSlug(slugify(text)) &&
      filter(filter(text)) === filter(text)
    );
  });
}

/** The parser of tool arguments agrees with the collection; an empty text is none, it means "no arguments". */
async function jsonParsing(folder) {
  const spec = { name: 'any', input: ANYTHING };
  const cases = linesOf(join(folder, 'json-parsing.jsonl'))
    .map((line) => ({ ...line, bytes: Buffer.from(line.base64, 'base64') }))
    .filter(({ bytes }) => bytes.toString('utf8').trim() !== '');
  return judge(cases, async ({ bytes, expect }) => {
    const refused = await isRefused(() => {
      const argumentsJson = decode(bytes);
      parseArguments(spec, { id: 'call', name: 'any', argumentsJson });
    });
    return expect === 'either' || refused === (expect === 'reject');
  });
}

function decode(bytes) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new AppError({ code: 'tool.arguments.invalid', kind: 'invalid', message: 'not UTF-8' });
  }
}

async function judge(cases, isRight) {
  const wrong = [];
  for (const [at, one] of cases.entries()) {
    const began = performance.now();
    const verdict = await isRight(one);
    const tookMs = performance.now() - began;
    if (!verdict || tookMs > LIMIT_MS) wrong.push(`${at}: ${JSON.stringify(one).slice(0, 200)}`);
  }
  return { all: cases.length, wrong };
}

/**
 * The same strings as names, titles, topics, files and texts, in and out, through both platforms: the suites of the connectors take them in
 * and say how many of how many. @returns how many suites failed
 */
function throughChats(folder) {
  const suites = ['telegram', 'discord'].map(
    (name) => `packages/adapters/src/connectors/${name}/hostile.test.ts`,
  );
  const { status } = spawnSync(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', '--testTimeout=600000', ...suites],
    {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      env: { ...process.env, AGENT_RUNTIME_CORPORA: resolve(folder) },
      stdio: 'inherit',
    },
  );
  return status === 0 ? 0 : 1;
}

const CORPORA = {
  'path-traversal': pathTraversal,
  'yaml-frontmatter': yamlFrontMatter,
  'naughty-strings': naughtyStrings,
  'json-parsing': jsonParsing,
};

const [dir, how] = process.argv.slice(2);
if (dir === undefined || !existsSync(dir)) {
  process.stderr.write('Say where the collections lie: npm run corpora -- DIR\n');
  process.exit(2);
}
let failed = 0;
for (const name of readdirSync(dir).sort()) {
  if (!Object.hasOwn(CORPORA, name)) {
    process.stdout.write(`${name}: left out, nothing here is about it\n`);
    continue;
  }
  const { all, wrong } = await CORPORA[name](join(dir, name));
  process.stdout.write(`${name}: ${all - wrong.length} of ${all}\n`);
  for (const line of wrong.slice(0, 20)) process.stdout.write(`  ${line}\n`);
  failed += wrong.length;
}
if (how === '--chats') failed += throughChats(dir);
process.exit(failed === 0 ? 0 : 1);
