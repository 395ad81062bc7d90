import {
  AppError,
  type Approval,
  type ContextId,
  type Effect,
  makeLabel,
  type Run,
  type StoreReader,
  type ToolSpec,
} from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { type ProposeInput, propose } from '../effect/index.ts';
import { fault } from '../settle/outside.fixture.ts';
import {
  contextRow,
  HERE_LABEL,
  MEMBER,
  must,
  person,
  TEST_AUDIT,
  tamper,
  useWorld,
  WORKSPACE,
} from '../settle/world.fixture.ts';
import { NO_PROGRESS, type RunPlace } from './session.ts';
import { runTool } from './tool-call.ts';

const at = useWorld();
const RUN = 'run_00000000000000000001' as Run['id']; // safe: alphabet of ids
const POST = { channel: 'news-channel', text: 'hello' };

function place(): RunPlace {
  const { context, task } = at.world;
  const run = { id: RUN } as Run; // safe: no more of it is looked at
  const conversation = { id: task.conversation } as RunPlace['conversation']; // safe: as above
  return { context, task, run, conversation } as RunPlace; // safe: as above
}

/** One call, and what was asked of people because of it. */
async function call(
  name: string,
  args: unknown,
  how: {
    readonly label?: typeof HERE_LABEL;
    readonly ask?: (input: ProposeInput) => ReturnType<typeof propose>;
    readonly signal?: AbortSignal;
  } = {},
) {
  const asked: ProposeInput[] = [];
  const effects = {
    propose: (input: ProposeInput) => {
      asked.push(input);
      return how.ask === undefined ? propose(at.world.deps, input) : how.ask(input);
    },
  };
  const outcome = await runTool(at.world.deps, effects, {
    place: place(),
    progress: NO_PROGRESS,
    call: { id: 'c1', name, argumentsJson: typeof args === 'string' ? args : JSON.stringify(args) },
    label: how.label ?? HERE_LABEL,
    signal: how.signal ?? new AbortController().signal,
  });
  return { outcome, asked };
}

const approvals = (): Promise<readonly Approval[]> => at.world.deps.store.read.find('approval', {});

describe('a call of a tool', () => {
  test.each([
    ['that is not registered', 'rm_rf', {}, 'denied'],
    ['whose arguments are no JSON', 'post_message', '{', 'failed'],
    ['whose arguments are not of its schema', 'post_message', { text: 'x' }, 'failed'],
    ['to a connector that is not there', 'post_message', { ...POST, connector: 'mail' }, 'denied'],
    ['to a place that takes no posts', 'post_message', { ...POST, connector: 'cli' }, 'failed'],
    ['that writes a record', 'md_write', { path: 'tasks/x.md', text: 'x', mode: 'create' }, 'denied'],
    ['whose file is not there', 'md_write', { path: 'AGENTS.md', text: 'x', mode: 'replace' }, 'failed'],
  ])('%s does nothing, and the model reads why', async (_name, tool, args, outcome) => {
    const result = await call(tool, args);
    expect(result.outcome).toMatchObject({ outcome, label: HERE_LABEL, sources: [], urls: [] });
    expect(result.outcome.text).not.toBe('');
    expect(result.outcome.approval).toBeUndefined();
    expect(await approvals()).toEqual([]);
  });

  test('that is permitted is done, with the label of what it read', async () => {
    at.world.files.texts.set('handbook.md', 'a\nb\n');
    at.world.files.labels.set('handbook.md', makeLabel(2, [`ws:${WORKSPACE}`]));
    const { outcome, asked } = await call('md_read', { path: 'handbook.md' });
    expect(outcome).toMatchObject({ outcome: 'done', text: expect.stringContaining('a') });
    expect(outcome.label).toEqual(makeLabel(1, [...HERE_LABEL.audience, `ws:${WORKSPACE}`]));
    expect(outcome.sources).toEqual([{ path: 'handbook.md', line: 2 }]);
    expect(asked).toEqual([]);
  });

  test('is at most a member’s word, whatever the run had read', async () => {
    const staff = makeLabel(2, HERE_LABEL.audience);
    const { outcome, asked } = await call('post_message', POST, { label: staff });
    expect(outcome.label).toEqual(HERE_LABEL);
    expect(asked[0]?.label).toEqual(HERE_LABEL);
  });

  test('that must be asked is proposed for who asked for the run, once', async () => {
    const signal = new AbortController().signal;
    const first = await call('post_message', POST, { signal });
    expect(first.asked).toMatchObject([
      {
        act: { kind: 'message', channel: 'news-channel', draft: { text: 'hello' } },
        tool: 'post_message',
        run: { id: RUN },
        task: { id: at.world.task.id },
        requester: person(MEMBER),
        decision: { kind: 'ask' },
      },
    ]);
    expect(first.asked[0]?.signal).toBe(signal);
    const [approval] = await approvals();
    expect(first.outcome).toMatchObject({ outcome: 'proposed', approval: approval?.id });
    expect(first.outcome.text).toContain(`proposed ${approval?.id}`);
    // The run died before it was written down, and calls again.
    const again = await call('post_message', POST);
    expect([again.asked, again.outcome.approval]).toEqual([[], approval?.id]);
    expect(await approvals()).toHaveLength(1);
  });

  test.each<readonly [string, object, Partial<Effect>]>([
    ['other words', { ...POST, text: 'hello!' }, {}],
    ['another channel', { ...POST, channel: 'ops-channel' }, {}],
    ['what was edited since', POST, { state: 'superseded' }],
    ['what another run asked', POST, { run: 'run_00000000000000000002' as Run['id'] }], // safe: alphabet of ids
    ['what another tool asked', POST, { tool: 'md_write' }],
    ['what was of another kind', POST, { kind: 'file.write' }],
    ['other stored bytes', POST, { digest: 'sha256:x' as Effect['digest'] }], // safe: only compared
  ])('for %s asks anew', async (_name, args, change) => {
    await call('post_message', POST);
    if (Object.keys(change).length > 0)
      await tamper(at.world, 'effect', { run: RUN, kind: 'message.post' }, change);
    expect((await call('post_message', args)).asked).toHaveLength(1);
  });

  test('to a channel of the origin needs no connector, and never takes another one’s', async () => {
    const { asked } = await call('post_message', { ...POST, connector: 'chat' });
    expect(asked[0]?.act).toMatchObject({ connector: { name: 'chat' } });
    const { asked: plain } = await call('post_message', { ...POST, text: 'x' });
    expect(plain[0]?.act).toMatchObject({ connector: { name: 'chat' } });
  });

  test('of a change carries what stands already, and keeps its label', async () => {
    at.world.files.texts.set('handbook.md', 'old\n');
    at.world.files.labels.set('handbook.md', makeLabel(0, [`ws:${WORKSPACE}`]));
    const append = await call('md_write', { path: 'handbook.md', text: 'new', mode: 'append' });
    expect(append.asked).toMatchObject([{ act: { kind: 'write', text: 'old\nnew\n' } }]);
    const create = await call('md_write', { path: 'SOUL.md', text: 'x', mode: 'create' });
    expect(create.asked).toMatchObject([{ act: { kind: 'write', path: 'SOUL.md', expected: 'absent' } }]);
    expect(create.asked[0]?.label).toEqual(HERE_LABEL);
    expect(append.asked[0]?.label).toEqual(makeLabel(0, [...HERE_LABEL.audience, `ws:${WORKSPACE}`]));
  });
});

test('what nobody can carry out once it is approved is not asked, however much waits', async () => {
  const spec = must(at.world.deps.tools.find(({ name }) => name === 'post_message'));
  const fetch: ToolSpec = {
    ...spec,
    name: 'fetch_page',
    class: 'F',
    target: () => ({ kind: 'url', url: 'https://a.example/' }),
  };
  const world = await at.restart({ tools: [...at.world.deps.tools, fetch] });
  await tamper(world, 'workspace', { id: WORKSPACE }, { settings: { tools: ['*'] } });
  for (const text of ['1', '2', '3']) await call('post_message', { ...POST, text });
  const { outcome, asked } = await call('fetch_page', POST);
  expect(outcome).toMatchObject({ outcome: 'failed', text: 'This kind of act cannot be proposed here yet.' });
  expect(asked).toEqual([]);
});

describe('what goes wrong on the way', () => {
  const database = new AppError({ code: 'database.disk.unavailable', kind: 'unavailable', message: 'Full.' });
  test.each([
    ['a bug', fault('bug')],
    ['a stop', fault('cancelled')],
    ['a full disk', database],
  ])('%s ends the run, the model cannot mend it', async (_name, thrown) => {
    await expect(call('post_message', POST, { ask: () => Promise.reject(thrown) })).rejects.toBe(thrown);
  });

  test('anything unknown is a bug', async () => {
    const thrown = new TypeError('x');
    await expect(call('post_message', POST, { ask: () => Promise.reject(thrown) })).rejects.toBe(thrown);
  });

  test.each(['denied', 'invalid', 'exhausted', 'unavailable'])('%s is read by the model', async (kind) => {
    const { outcome } = await call('post_message', POST, { ask: () => Promise.reject(fault(kind)) });
    expect(outcome).toEqual({
      outcome: 'failed',
      text: `The outside says ${kind}.`,
      label: HERE_LABEL,
      sources: [],
      urls: [],
    });
  });

  test('three that wait and a no are enough for one task', async () => {
    for (const text of ['1', '2', '3']) await call('post_message', { ...POST, text });
    expect((await call('post_message', { ...POST, text: '4' })).outcome.outcome).toBe('denied');
    await tamper(at.world, 'effect', { kind: 'message.post' }, { state: 'denied' });
    expect((await call('post_message', { ...POST, text: '5' })).outcome.outcome).toBe('denied');
    // Other kinds are still open to it.
    const write = await call('md_write', { path: 'SOUL.md', text: 'x', mode: 'create' });
    expect(write.outcome.outcome).toBe('proposed');
  });

  test('a role that is gone is asked for again', async () => {
    await at.world.ungrant(MEMBER);
    expect((await call('post_message', POST)).outcome.outcome).toBe('denied');
  });
});

const read = (): StoreReader => at.world.deps.store.read;
test('whom it would reach is known to policy: a private chat of somebody else is more than a channel', async () => {
  await at.world.deps.store.commit(
    TEST_AUDIT,
    (tx) => tx.insert('context', { ...contextRow('dm-mia' as ContextId, 'mia', 0), directWith: MEMBER }), // safe: a slug
  );
  await call('post_message', POST);
  await call('post_message', { ...POST, channel: 'somebody-new' });
  const [known, fresh] = await read().find('approval', {}, { orderBy: 'createdAt' });
  expect([must(known).tier, must(fresh).tier]).toEqual(['medium', 'high']);
});
