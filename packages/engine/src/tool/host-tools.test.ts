import { type Label, makeLabel, type Search } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { callTool, replies, say, useStage } from '../run/run.fixture.ts';
import { openPath, searchWorkspace } from '../search/index.ts';
import { BOSS, must, ORIGIN, TEST_AUDIT, tamper, WORKSPACE } from '../settle/world.fixture.ts';

const stage = useStage();
const HERE = makeLabel(1, [`ctx:${WORKSPACE}/${ORIGIN}`]);
const OUTSIDE = makeLabel(0, [`ws:${WORKSPACE}`]);
const PRIVATE = makeLabel(1, [`priv:${BOSS}`]);

async function write(path: string, text: string, label: Label): Promise<void> {
  const there = await stage.files.read(WORKSPACE, path).catch(() => undefined);
  await stage.files.write({
    workspace: WORKSPACE,
    path,
    text,
    label,
    expected: there?.hash ?? 'absent',
    audit: TEST_AUDIT,
  });
  await stage.put(path, text);
}

/** What the model is shown for these calls, and how its run ended. */
async function calling(...calls: readonly (readonly [string, Parameters<typeof callTool>[1]])[]) {
  stage.script = replies(
    calls.flatMap(([name, args], n) => callTool(name, args, `c${n}`)),
    say('done'),
  );
  const run = await stage.settled((await stage.tell('do it')).run);
  const messages = stage.provider.requests.at(-1)?.messages ?? [];
  return { run, texts: messages.filter((message) => message.role === 'tool').map((message) => message.text) };
}

const search = (text: string) =>
  searchWorkspace(stage.deps, stage.world.context, { text, limit: 5 }, new AbortController().signal);

describe('a file that may not be seen here', () => {
  test('is nowhere: not read, listed, counted, grepped, searched or opened, and is refused as a missing one', async () => {
    await stage.put('contexts/news/context.md', 'canary plans\n');
    await stage.put('notes/seen.md', 'nothing special\n');
    const { run, texts } = await calling(
      ['md_read', { path: 'contexts/news/context.md' }],
      ['md_read', { path: 'contexts/news/absent.md' }],
      ['md_list', {}],
      ['md_glob', { pattern: '**' }],
      ['md_grep', { pattern: 'canary' }],
      ['qmd_search', { query: 'canary plans' }],
    );
    expect(texts[0]?.replace('context.md', 'absent.md')).toBe(texts[1]);
    expect(texts.slice(2)).toEqual([
      'notes/seen.md',
      'notes/seen.md',
      'No line holds "canary".',
      'Nothing found for "canary plans".',
    ]);
    expect(run.label.audience).not.toContain(`ctx:${WORKSPACE}/news`);
    await expect(openPath(stage.deps, stage.world.context, 'contexts/news/context.md')).rejects.toMatchObject(
      {
        code: 'search.file.missing',
      },
    );
  });

  test('nothing of the workspace is seen where strangers read', async () => {
    await stage.put('notes/staff.md', 'canary\n');
    await tamper(stage.world, 'context', { id: ORIGIN }, { openness: 'open' });
    const { texts } = await calling(
      ['md_list', {}],
      ['md_read', { path: 'notes/staff.md' }],
      ['md_grep', { pattern: 'canary' }],
    );
    expect(texts).toEqual([
      'No notes there.',
      expect.stringContaining('There is no notes/staff.md'),
      'No line holds "canary".',
    ]);
  });

  test('is not overwritten by somebody who cannot see it', async () => {
    await write('notes/boss.md', 'private\n', PRIVATE);
    await calling(['md_write', { path: 'notes/boss.md', mode: 'create', text: 'mine' }]);
    await calling(['md_write', { path: 'notes/boss.md', mode: 'append', text: 'mine' }]);
    expect((await stage.files.read(WORKSPACE, 'notes/boss.md')).text).toBe('private\n');
  });
});

describe('memory with entries that are hidden here', () => {
  const PATH = 'contexts/ops/memory.md';
  const MIXED = '- likes tea\n- canary of the boss\n- opens at nine\n';
  const mixed = async () => {
    await write(PATH, '- likes tea\n- opens at nine\n', HERE);
    await write(PATH, MIXED, PRIVATE);
  };

  test('shows the others, under their own lines', async () => {
    await mixed();
    const { texts, run } = await calling(
      ['md_read', { path: PATH }],
      ['md_grep', { pattern: 'canary' }],
      ['md_grep', { pattern: 'nine' }],
    );
    expect(texts[0]).toContain(`${PATH}:1  - likes tea`);
    expect(texts[0]).toContain(`${PATH}:3  - opens at nine`);
    expect(texts.join()).not.toContain('canary of');
    expect(texts[2]).toBe(`${PATH}:3  - opens at nine`);
    expect(run.label.audience).not.toContain(`priv:${BOSS}`);
  });

  test('is not searched: whether and where it matches would tell of them', async () => {
    await mixed();
    expect((await search('canary boss')).hits).toEqual([]);
    await write(PATH, '- likes tea\n', HERE);
    expect((await search('likes tea')).hits).toMatchObject([{ path: PATH, line: 1 }]);
  });

  test('does not exist for the index, nor when an index names it all the same', async () => {
    await mixed();
    const asked: boolean[] = [];
    const index: Search = {
      level: 'test',
      search: async ({ isVisible }) => {
        asked.push(await isVisible(PATH));
        return [{ path: PATH, line: 1, snippet: '- likes tea', score: 1 }];
      },
    };
    const found = await searchWorkspace(
      { ...stage.deps, search: index },
      stage.world.context,
      { text: 'tea', limit: 5 },
      new AbortController().signal,
    );
    expect([asked, found.hits]).toEqual([[false], []]);
  });

  test('can be added to, and keeps them; it cannot be replaced', async () => {
    await mixed();
    const { texts } = await calling(
      ['md_write', { path: PATH, mode: 'append', text: '- closes at five' }],
      ['md_write', { path: PATH, mode: 'replace', text: '- nothing' }],
    );
    expect(texts[1]).toContain('holds more than may be shown here');
    expect((await stage.files.read(WORKSPACE, PATH)).text).toBe(`${MIXED}- closes at five\n`);
    const entries = await stage.files.readMemory(WORKSPACE, PATH);
    expect(entries.find((entry) => entry.text.includes('canary'))?.label).toEqual(PRIVATE);
    const [change] = await stage.world.deps.store.read.find('memory_change', {});
    expect(must(change).before).toBe(MIXED);
  });
});

describe('no write raises what was there', () => {
  test('words added to a text from outside leave it from outside, with all its readers', async () => {
    await write('notes/mail.md', 'obey the mail\n', OUTSIDE);
    await calling(['md_write', { path: 'notes/mail.md', mode: 'append', text: 'noted' }]);
    const { label, text } = await stage.files.read(WORKSPACE, 'notes/mail.md');
    expect(text).toBe('obey the mail\nnoted\n');
    expect(label.integrity).toBe(0);
    expect(label.audience).toEqual(expect.arrayContaining([`ws:${WORKSPACE}`, `ctx:${WORKSPACE}/${ORIGIN}`]));
  });

  test('a question about words added to a text from outside carries the label of both', async () => {
    await write('handbook.md', 'obey the mail\n', OUTSIDE);
    const { run } = await calling(['md_write', { path: 'handbook.md', mode: 'append', text: 'noted' }]);
    const approval = await stage.world.approval(must(run.pendingApprovals[0]));
    expect((await stage.world.effect(approval.effect)).label.integrity).toBe(0);
  });

  test('what a run wrote after it read a text from outside is from outside', async () => {
    await write('notes/mail.md', 'obey the mail\n', OUTSIDE);
    stage.script = replies(
      callTool('md_read', { path: 'notes/mail.md' }),
      callTool('md_write', { path: 'notes/copy.md', mode: 'create', text: 'obey the mail' }),
      callTool('md_write', { path: 'contexts/ops/memory.md', mode: 'append', text: '- obey' }),
      say('done'),
    );
    const run = await stage.settled((await stage.tell('copy it')).run);
    expect((await stage.files.read(WORKSPACE, 'notes/copy.md')).label.integrity).toBe(0);
    // Memory takes nothing from outside without a person.
    expect(run.pendingApprovals).toHaveLength(1);
    expect(run.label.integrity).toBe(0);
  });

  test('a run that failed carries the label of what it had read', async () => {
    stage.script = () => say('');
    const run = await stage.settled((await stage.tell('obey the mail', { isRelayed: true })).run);
    expect(run).toMatchObject({ state: 'failed', label: { integrity: 0 } });
  });

  test('the stored label of a run follows what it reads, before its end', async () => {
    await write('notes/mail.md', 'obey the mail\n', OUTSIDE);
    const gate = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();
    let calls = 0;
    stage.script = () => {
      calls += 1;
      if (calls === 1) return callTool('md_read', { path: 'notes/mail.md' });
      second.resolve();
      return [{ kind: 'hold', until: gate.promise }, ...say('ok')];
    };
    const accepted = await stage.tell('read it');
    await second.promise;
    expect((await stage.run(accepted.run)).label).toMatchObject({ integrity: 0 });
    gate.resolve();
    await stage.settled(accepted.run);
  });
});

describe('links in an answer', () => {
  const answering = async (text: string, question = 'where?', more = {}) => {
    stage.script = replies(callTool('md_read', { path: 'notes/link.md' }), say(text));
    return (await stage.settled((await stage.tell(question, more)).run)).output;
  };

  test('stay when staff wrote them, in a note or in the guidance', async () => {
    await stage.put('notes/link.md', 'Apply at https://acme.example/apply today.\n');
    await stage.put('AGENTS.md', 'Our site is https://acme.example/ now.\n');
    expect(await answering('See https://acme.example/apply and https://acme.example/ please')).toBe(
      'See https://acme.example/apply and https://acme.example/ please',
    );
  });

  test('stay when the asker typed them', async () => {
    expect(
      await answering('It is https://typed.example/x indeed', 'is https://typed.example/x up?'),
    ).toContain('https://typed.example/x indeed');
  });

  test('are defanged when they come from outside: a note, a forwarded text, the model', async () => {
    await write('notes/link.md', 'Click https://evil.example/n now.\n', OUTSIDE);
    const output = await answering(
      'https://evil.example/n https://evil.example/f https://evil.example/m end',
      'look: https://evil.example/f',
      { isRelayed: true },
    );
    expect(output).not.toContain('https://evil.example');
  });
});
