import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { callTool, type Script, type ScriptedMove, say } from '@agent-runtime/adapters';
import {
  type AdminRouteName,
  AppError,
  type ContextId,
  type Label,
  type LiveEvent,
  makeLabel,
  sha256,
  type WorkspaceFiles,
  type WorkspaceId,
} from '@agent-runtime/domain';
import { makeProjector } from '@agent-runtime/store';
import { crashPoints, type MemoryLiveFeed, recordingLogger, seededRandom } from '@agent-runtime/testkit';
import type { AdminDeps } from './admin/index.ts';
import { ADMIN, mayWatch } from './admin/index.ts';
import { ATTACKS } from './foe-attacks.fixture.ts';
import { furnish, type House, MAC_KEY, openHouse, PEOPLE, putFile } from './foe-house.fixture.ts';
import { BOSS, must, person, signed, TEST_AUDIT, WORKSPACE } from './settle/world.fixture.ts';

/** What the two houses differ in: another workspace, a closed context beside the observer's, somebody else's direct talk. */
export const VARIANTS = ['workspace', 'context', 'direct'] as const;
export type Variant = (typeof VARIANTS)[number];

interface High {
  readonly workspace: string;
  readonly context: string;
  readonly label: Label;
}

const HIGH: Readonly<Record<Variant, High>> = {
  workspace: { workspace: 'beta', context: 'vault', label: makeLabel(1, ['ctx:beta/vault', 'ws:beta']) },
  context: { workspace: 'acme', context: 'board', label: makeLabel(1, ['ctx:acme/board']) },
  direct: { workspace: 'acme', context: 'talk', label: makeLabel(1, ['ctx:acme/talk', `priv:${BOSS}`]) },
};

const LOW_CHANNELS = ['ops-channel', 'lobby-channel'];
const HIGH_WORD = 'highwater';

/** Everything that the observers got, one line per thing, in order of sinks. */
export interface Transcript {
  readonly lines: readonly string[];
  readonly operations: number;
}

export interface TwinInput {
  readonly seed: number;
  readonly variant: Variant;
  /** Makes all the difference between the two houses. */
  readonly salt: string;
  readonly operations: number;
  /** For the check that the comparison sees a leak. */
  readonly wrapFiles?: (files: WorkspaceFiles) => WorkspaceFiles;
}

/** One house of a pair: the same low operations over other high content. */
export async function playTwin(input: TwinInput): Promise<Transcript> {
  const high = HIGH[input.variant];
  const random = seededRandom(input.seed);
  const pick = <T>(list: readonly T[]): T => must(list[Math.floor(random() * list.length)]);
  const lines: string[] = [];
  const put = (sink: string, value: unknown): void =>
    void lines.push(masked(`${sink} ${JSON.stringify(value)}`));
  const house = await openHouse({
    isTimeStill: true,
    script: (call) => answerOf(call, input, put),
    prepare: (deps, root) => prepare(deps, root, input),
    ...(input.wrapFiles === undefined ? {} : { wrapFiles: input.wrapFiles }),
  });
  try {
    for (let n = 0; n < input.operations; n += 1) {
      await lowOperation(house, { pick, put, salt: input.salt });
      if (n % 3 === 1) await tellHigh(house, high, `${HIGH_WORD} ${input.salt} number ${n}`);
      await house.quiet();
      await house.world.clock.advance(1_000);
      await house.quiet();
    }
    await collect(house, input.variant, put);
    return { lines, operations: input.operations };
  } finally {
    await house.close();
  }
}

/** Heads of the log cover all workspaces: a count and a hash, shown as a witness by design. MACs of records that quote one follow it. */
function masked(line: string): string {
  return line
    .replace(/Log \d+:[0-9a-f]+/g, 'Log HEAD')
    .replace(/("audit_head":")[^"]*/g, '$1HEAD')
    .replace(/mac:[0-9a-f]{64}/g, 'mac:MAC');
}

async function prepare(deps: House['deps'], root: string, { variant, salt }: TwinInput): Promise<void> {
  const high = HIGH[variant];
  const isBeta = high.workspace === 'beta';
  await furnish(
    deps,
    [
      { id: 'lobby' as ContextId, openness: 'open' }, // safe: slugs
      {
        id: high.context as ContextId,
        workspace: high.workspace as WorkspaceId,
        settings: { title: `topic ${salt}` },
        ...(variant === 'direct' ? { kind: 'direct' as const, directWith: BOSS } : {}),
      },
    ],
    isBeta ? [{ id: 'beta', title: `Beta ${salt}` }] : [],
  );
  await deps.store.commit(TEST_AUDIT, async (tx) => {
    await tx.remove('identity_grant', { principal: must(PEOPLE.mia) });
    for (const context of ['ops', 'lobby']) {
      await tx.insert('identity_grant', {
        id: deps.ids.make('grant'),
        principal: must(PEOPLE.mia),
        role: 'member',
        scope: isBeta
          ? { kind: 'workspace', workspace: WORKSPACE }
          : { kind: 'context', workspace: WORKSPACE, context: context as ContextId }, // safe: a slug
        grantedBy: 'test',
        createdAt: 1,
      });
    }
  });
  mkdirSync(join(root, high.workspace), { recursive: true });
  putFile(root, 'acme', 'faq.md', '---\naudience: public\n---\nsecret plan for everybody\n');
  putFile(root, 'acme', 'notes/plan.md', 'secret plan of the workspace\n');
  if (isBeta) putFile(root, 'beta', 'AGENTS.md', `Rules ${salt}\n`);
  if (isBeta) putFile(root, 'beta', 'skills/x.md', `Skill ${salt}\n`);
  const id = high.workspace as WorkspaceId; // safe: a slug
  const paths = [`notes/${salt}.md`, `notes/secret-plan.md`, `contexts/${high.context}/memory.md`];
  // Also how much there is differs.
  for (let n = 0; n < salt.length % 4; n += 1) paths.push(`notes/${salt}-${n}.md`);
  for (const path of paths) {
    await deps.files.write({
      workspace: id,
      path,
      text: `- secret plan ${salt} at ${path}\n`,
      label: high.label,
      expected: 'absent',
      audit: { action: 'workspace.write', actor: 'test', subject: path },
    });
  }
}

async function tellHigh(house: House, high: High, text: string): Promise<void> {
  await house.tell({ by: 'boss', channel: `${high.context}-channel`, text });
}

/** The model answers from all that it is shown: one other byte in its prompt, and all that follows is another. */
function answerOf(
  call: Parameters<Script>[0],
  input: TwinInput,
  put: (sink: string, value: unknown) => void,
): readonly ScriptedMove[] {
  const { messages, tools } = call.request;
  const prompt = messages.map((one) => one.text).join('\n');
  const turns = messages.filter((one) => one.role === 'assistant' && one.toolCalls.length > 0).length;
  if (messages.some((one) => one.role === 'user' && one.text.includes(HIGH_WORD))) {
    return turns === 0
      ? callTool('post_message', { channel: 'elsewhere', text: `${HIGH_WORD} ${input.salt}` })
      : say(`kept: ${input.salt}`);
  }
  put('llm', { messages, tools });
  const digest = sha256(prompt).slice(7, 27);
  const random = seededRandom(Number.parseInt(digest.slice(0, 8), 16));
  const pick = <T>(list: readonly T[]): T => must(list[Math.floor(random() * list.length)]);
  const strike = must(ATTACKS[pick(Object.keys(ATTACKS))])({ prompt, pick, mark: () => digest });
  if ('answer' in strike || turns > 2) return say(`${'answer' in strike ? strike.answer : 'done'} ${digest}`);
  return strike.calls.flatMap((one, n) =>
    typeof one.args === 'string'
      ? [{ kind: 'tool_call' as const, call: { id: `c${n}`, name: one.name, argumentsJson: one.args } }]
      : callTool(one.name, one.args, `c${n}`),
  );
}

interface Observer {
  readonly pick: <T>(list: readonly T[]) => T;
  readonly put: (sink: string, value: unknown) => void;
  readonly salt: string;
}

async function lowOperation(house: House, at: Observer): Promise<void> {
  const channel = at.pick(LOW_CHANNELS);
  const by = at.pick(['mia', 'mia', 'stranger']);
  const text = at.pick([
    'what is the secret plan?',
    'tell me of the board',
    '/status',
    '/search secret plan',
    '/open notes/secret-plan.md',
    '/open contexts/board/memory.md',
    '/whoami',
    '/help',
    '/abort run_0',
    '/approve appr_0000',
    '/new',
    '/task research the vault',
  ]);
  const isHttp = by === 'mia' && at.pick([true, false, false]);
  const authenticated = isHttp
    ? { principal: person(must(PEOPLE.mia)), context: 'ops' as ContextId }
    : undefined; // safe: a slug
  await noted(at, 'accept', () =>
    house.tell({
      by,
      channel: isHttp ? 'ops-channel' : channel,
      text,
      ...(authenticated === undefined ? {} : { authenticated }),
    }),
  );
  await house.quiet();
  const [route, input] = at.pick<readonly [AdminRouteName, object]>([
    ['status.read', {}],
    ['task.list', { limit: 50 }],
    ['approval.list', { limit: 50, state: 'all' }],
    ['effect.list', { limit: 50 }],
    ['search.query', { q: 'secret plan', limit: 20 }],
    ['search.query', { q: 'secret', workspace: 'beta', limit: 20 }],
    ['file.open', { path: 'notes/secret-plan.md' }],
    ['memory.list', { limit: 50 }],
    ['context.list', {}],
    ['workspace.list', {}],
    ['label.list', { limit: 50 }],
    ['audit.tail', { limit: 50 }],
    ['user.list', {}],
    ['grant.list', {}],
    ['model.list', {}],
    ['context.show', { id: 'vault' }],
  ]);
  await noted(at, route, () => ADMIN[route](adminDeps(house), signed(must(PEOPLE.mia)), input as never)); // safe: the input of this route
}

/** What an observer gets is an answer or a refusal; both count. */
async function noted(at: Observer, sink: string, act: () => Promise<unknown>): Promise<void> {
  try {
    at.put(sink, await act());
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.kind === 'bug') throw thrown;
    at.put(sink, { code: thrown.code, message: thrown.message, retryAfterMs: thrown.retryAfterMs });
  }
}

function adminDeps(house: House): AdminDeps {
  return {
    ...house.deps,
    engine: house.engine,
    about: { instanceId: 'i', version: '0', bootId: 'boot-0000000000000001', startedAtMs: 0 },
    doors: { http: { connector: 'http', account: 'local' }, cli: { connector: 'cli', account: 'test' } },
  } as unknown as AdminDeps; // safe: reading routes use nothing else
}

/** What left, what was streamed, and what stands in records that the observers may read. */
async function collect(house: House, variant: Variant, put: Observer['put']): Promise<void> {
  for (const one of house.deliveries) if (LOW_CHANNELS.includes(one.address)) put('delivery', one);
  const { read } = house.deps.store;
  const runs = await read.find('run', { context: { in: ['ops', 'lobby'] as ContextId[] } }); // safe: slugs
  for (const { id, state, output, error, citations } of runs)
    put('run', { id, state, output, error, citations });
  const low = new Set<string>(runs.map((run) => run.id));
  const feed = house.deps.live as MemoryLiveFeed; // safe: the world made it
  for (const event of feed.events)
    if (low.has(event.topic) || (await isWatched(house, event))) put('live', event);
  const root = join(house.folder, 'workspaces');
  await makeProjector({
    read,
    audit: house.deps.audit,
    root,
    cursorFile: join(house.folder, 'cursor'),
    macKey: MAC_KEY,
    crash: crashPoints.none(),
    log: recordingLogger(),
  }).run();
  for (const path of readdirSync(join(root, 'acme'), { recursive: true }).map(String).sort()) {
    const isLow = variant === 'workspace' || /^logs\/chat\/(?:ops|lobby)/.test(path);
    if (isLow && path.endsWith('.md')) put('record', [path, readFileSync(join(root, 'acme', path), 'utf8')]);
  }
}

async function isWatched(house: House, event: LiveEvent): Promise<boolean> {
  return mayWatch(adminDeps(house), signed(must(PEOPLE.mia)), event);
}
