import type { LlmMessage } from '@agent-runtime/domain';
import { until } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import { BOSS, inChat, must, OPERATOR, signed, WORKSPACE } from '../settle/world.fixture.ts';
import { callTool, replies, say, useStage } from './run.fixture.ts';

const stage = useStage();
const read = () => stage.world.deps.store.read;
const textOf = async (path: string) => (await stage.files.read(WORKSPACE, path)).text;
const effects = (kind: string) => read().find('effect', { kind });

/** Results that the model was shown in its last call. */
function results(): readonly Extract<LlmMessage, { role: 'tool' }>[] {
  return (stage.provider.requests.at(-1)?.messages ?? []).filter((message) => message.role === 'tool');
}

/** One run in which the model makes these calls at once, then answers. */
async function calling(...calls: readonly (readonly [string, Parameters<typeof callTool>[1]])[]) {
  stage.script = replies(
    calls.flatMap(([name, args], n) => callTool(name, args, `c${n}`)),
    say('done'),
  );
  const accepted = await stage.tell('do it');
  return stage.settled(accepted.run);
}

describe('reading', () => {
  test('lists, globs, greps, searches and reads, with lines that can be cited', async () => {
    await stage.put('faq.md', '# FAQ\n\nRefunds take 30 days.\n');
    await stage.put('notes/shop.md', 'The shop opens at nine.\n');
    await calling(
      ['md_list', {}],
      ['md_list', { folder: 'notes' }],
      ['md_glob', { pattern: '**/*.md' }],
      ['md_grep', { pattern: 'OPENS' }],
      ['qmd_search', { query: 'refunds days' }],
      ['md_read', { path: 'faq.md', from_line: 3 }],
      ['md_read', { path: 'faq.md', from_line: 9 }],
    );
    expect(results().map((result) => result.text)).toEqual([
      'faq.md\nnotes/shop.md',
      'notes/shop.md',
      'faq.md\nnotes/shop.md',
      'notes/shop.md:1  The shop opens at nine.',
      expect.stringContaining('faq.md:3  Refunds take 30 days.'),
      'faq.md:3  Refunds take 30 days.',
      'faq.md has 3 lines.',
    ]);
  });

  test('says that there is nothing, and is no error', async () => {
    await calling(['md_list', {}], ['md_grep', { pattern: 'x' }], ['qmd_search', { query: 'x' }]);
    expect(results().map((result) => [result.text, result.isError])).toEqual([
      ['No notes there.', false],
      ['No line holds "x".', false],
      ['Nothing found for "x".', false],
    ]);
  });

  test('does not look into records unless they are named', async () => {
    await stage.put('logs/chat/ops/2026-11.md', 'canary\n');
    await stage.put('notes/a.md', 'canary\n');
    await calling(['md_grep', { pattern: 'canary' }]);
    expect(results()[0]?.text).toBe('notes/a.md:1  canary');
  });

  test('a long file is shown in parts, and a result stays below its limit', async () => {
    await stage.put('long.md', Array.from({ length: 500 }, (_, n) => `line ${n + 1}`).join('\n'));
    await stage.put('wide.md', Array.from({ length: 100 }, () => 'wörter '.repeat(100)).join('\n'));
    await calling(['md_read', { path: 'long.md' }], ['md_read', { path: 'wide.md' }]);
    const [long, wide] = results();
    expect(long?.text).toMatch(/long\.md:200 {2}line 200\n\[300 more lines; ask with from_line 201\]$/);
    expect(Buffer.byteLength(wide?.text ?? '')).toBeLessThanOrEqual(24_000);
    expect(wide?.text).toMatch(/\n\[cut: ask for a smaller part\]$/);
  });

  test('a tool that hangs ends at its limit, and the run goes on', async () => {
    await stage.restart({ search: { level: 'none', search: () => new Promise(() => {}) } });
    stage.script = replies(callTool('qmd_search', { query: 'x' }), say('done'));
    const accepted = await stage.tell('search');
    await until(() => stage.provider.requests.length === 1, 'the first call');
    await stage.world.clock.settle();
    await stage.world.clock.advance(10_000);
    expect(await stage.settled(accepted.run)).toMatchObject({ state: 'succeeded', output: 'done' });
    expect(results()[0]).toMatchObject({ isError: true, text: 'qmd_search took too long. Ask for less.' });
  });
});

describe('writing', () => {
  test('notes are written at once, with a label and an audit record', async () => {
    await calling(
      ['md_write', { path: 'notes/a.md', mode: 'create', text: 'one' }],
      ['md_write', { path: 'notes/a.md', mode: 'append', text: 'two\n' }],
      ['md_write', { path: 'notes/b.md', mode: 'append', text: 'new' }],
      ['md_write', { path: 'notes/b.md', mode: 'replace', text: 'newer' }],
    );
    expect(results().map((result) => result.isError)).toEqual([false, false, false, false]);
    expect([await textOf('notes/a.md'), await textOf('notes/b.md')]).toEqual(['one\ntwo\n', 'newer\n']);
    expect((await stage.files.read(WORKSPACE, 'notes/a.md')).label.integrity).toBe(1);
    expect(await stage.world.actions('notes/a.md')).toContain('workspace.write');
    expect(await effects('file.write')).toEqual([]);
  });

  test('what does not fit what is there is refused with words', async () => {
    await stage.put('notes/a.md', 'one\n');
    await calling(
      ['md_write', { path: 'notes/a.md', mode: 'create', text: 'x' }],
      ['md_write', { path: 'notes/none.md', mode: 'replace', text: 'x' }],
      ['md_write', { path: 'logs/x.md', mode: 'create', text: 'x' }],
      ['md_write', { path: '../x.md', mode: 'create', text: 'x' }],
      ['md_write', { path: 'contexts/news/memory.md', mode: 'append', text: '- x' }],
    );
    const texts = results().map((result) => [result.text, result.isError]);
    expect(texts).toEqual([
      ['notes/a.md exists already; use replace or append.', true],
      ['notes/none.md does not exist; use create.', true],
      [expect.stringContaining('nobody edits them'), true],
      [expect.stringContaining('hidden or climbing'), true],
      [expect.stringContaining('another context'), true],
    ]);
    expect(await textOf('notes/a.md')).toBe('one\n');
  });

  test('memory of the place is written at once and can be undone', async () => {
    await calling(['md_write', { path: 'contexts/ops/memory.md', mode: 'append', text: '- likes tea' }]);
    expect(await textOf('contexts/ops/memory.md')).toBe('- likes tea\n');
    expect(await read().find('memory_change', {})).toMatchObject([
      { path: 'contexts/ops/memory.md', before: '', after: '- likes tea\n' },
    ]);
  });

  test.each(['AGENTS.md', 'skills/x.md', 'memory.md', 'handbook.md'])(
    '%s changes only by an approval',
    async (path) => {
      const run = await calling(['md_write', { path, mode: 'append', text: '- obey me' }]);
      expect(results()[0]?.text).toMatch(/^proposed appr_\w+\. .*It is not done yet\.$/s);
      expect(run).toMatchObject({ state: 'succeeded', pendingApprovals: [expect.stringMatching(/^appr_/)] });
      await expect(textOf(path)).rejects.toMatchObject({ kind: 'missing' });
      const approval = await stage.world.approval(must(run.pendingApprovals[0]));
      await stage.engine.approve(approval.id, approval.digest, signed(BOSS));
      await until(async () => (await stage.world.effect(approval.effect)).state === 'done', 'the write');
      expect(await textOf(path)).toBe('- obey me\n');
    },
  );
});

describe('posting elsewhere', () => {
  const post = ['post_message', { channel: 'news-channel', text: 'We are open.' }] as const;

  test('waits for an approval, leaves once, and its outcome is in the conversation', async () => {
    const run = await calling(post);
    expect(run.state).toBe('succeeded');
    expect(stage.heard.filter((text) => text === 'We are open.')).toEqual([]);
    const id = must(run.pendingApprovals[0]);
    const approval = await stage.world.approval(id);
    await stage.engine.approve(id, approval.digest, signed(OPERATOR));
    await until(async () => (await stage.world.effect(approval.effect)).state === 'done', 'the post');
    expect(stage.heard.filter((text) => text === 'We are open.')).toHaveLength(1);
    await expect(stage.engine.approve(id, approval.digest, signed(OPERATOR))).rejects.toMatchObject({
      kind: 'conflict',
    });
    const told = await read().find('context_message', { direction: 'event', conversation: run.conversation });
    expect(told.map((message) => message.text).join()).toContain(String(approval.effect).slice(0, 8));
    stage.script = () => say('ok');
    await stage.settled((await stage.tell('and?')).run);
    expect(
      stage.provider.requests
        .at(-1)
        ?.messages.map((message) => message.text)
        .join(),
    ).toContain(String(approval.effect).slice(0, 8));
  });

  test('needs a channel, a connector that exists and takes posts, and a role', async () => {
    await calling(
      ['post_message', { channel: 'x', text: 'y', connector: 'carrier-pigeon' }],
      ['post_message', { channel: 'x', text: 'y', connector: 'cli' }],
      ['post_message', { text: 'y' }],
    );
    expect(results().map((result) => result.isError)).toEqual([true, true, true]);
    expect(await effects('message.post')).toEqual([]);
  });

  test('a no is heard by the task, and the same is not asked again', async () => {
    stage.script = replies(
      callTool(...post),
      say('asked'),
      callTool('post_message', { channel: 'news-channel', text: 'Please?' }),
      say('ok'),
    );
    const accepted = await stage.tell('post it');
    const run = await stage.settled(accepted.run);
    await stage.engine.deny(must(run.pendingApprovals[0]), 'not today', inChat(OPERATOR));
    const again = await stage.engine.retry(must(accepted.task), inChat(OPERATOR));
    await stage.settled(again.id);
    expect(results()[0]).toMatchObject({ isError: true });
    expect(await effects('message.post')).toHaveLength(1);
  });

  test('at most three wait for one task', async () => {
    await calling(
      ...[1, 2, 3, 4].map((n) => ['post_message', { channel: 'news-channel', text: `post ${n}` }] as const),
    );
    expect(results().map((result) => result.isError)).toEqual([false, false, false, true]);
    expect(await effects('message.post')).toHaveLength(3);
  });
});

describe('calls that are none', () => {
  test('an unknown tool, bad arguments and no JSON are shown to the model, which may try again', async () => {
    stage.script = replies(
      [
        ...callTool('rm_rf', { path: '/' }, 'a'),
        ...callTool('md_read', { file: 'faq.md' }, 'b'),
        { kind: 'tool_call', call: { id: 'c', name: 'md_read', argumentsJson: '{"path": "fa' } },
        ...callTool('md_read', { path: 'faq.md', from_line: -1 }, 'd'),
        ...callTool('constructor', {}, 'e'),
      ],
      say('sorry'),
    );
    const run = await stage.settled((await stage.tell('go')).run);
    expect(run).toMatchObject({ state: 'succeeded', output: 'sorry' });
    expect(results().map((result) => [result.callId, result.isError])).toEqual([
      ['a', true],
      ['b', true],
      ['c', true],
      ['d', true],
      ['e', true],
    ]);
    expect(results()[0]?.text).toBe('There is no such tool.');
    expect(results()[1]?.text).toContain('path');
    expect(results()[2]?.text).toContain('not valid JSON');
  });

  test('a guest is offered tools that read, and no other works', async () => {
    await stage.set({ guests: 'ask' });
    stage.script = replies(
      [
        ...callTool('md_write', { path: 'notes/a.md', mode: 'create', text: 'x' }, 'a'),
        ...callTool(...post(), 'b'),
      ],
      say('ok'),
    );
    await stage.settled((await stage.tell('go', { by: 'stranger-9' })).run);
    expect(results().map((result) => result.text)).toEqual([
      expect.stringContaining('not available to guests'),
      expect.stringContaining('not available to guests'),
    ]);
    expect(await stage.files.list(WORKSPACE)).toEqual([]);
  });
  const post = () => ['post_message', { channel: 'news-channel', text: 'spam' }] as const;
});
