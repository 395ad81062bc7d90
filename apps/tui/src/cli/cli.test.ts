import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  AppError,
  type ApprovalDetail,
  ERROR_KINDS,
  type ErrorKind,
  type HubRow,
} from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { AT, DIGEST, fakeWorld } from './cli.fixture.ts';
import { COMMANDS } from './specs.ts';

const detail: ApprovalDetail = {
  id: 'appr_0001',
  effect: 'efct_0001',
  kind: 'message.post',
  tier: 'medium',
  state: 'pending',
  summary: 'post to news',
  workspace: 'acme',
  context: 'ops',
  requester: 'mia',
  created_at: AT,
  expires_at: AT,
  digest: DIGEST,
  is_intact: true,
  label: 'text of a paired person or a model; public',
  bytes: {
    sink: { connector: 'chat', account: 'test', address: 'news' },
    recipients: ['news'],
    payloads: [{ text: 'pay\u202eevil\u001b[31m' }],
    visible: '',
    has_hidden: true,
  },
  approver_role: 'operator',
  needed: 1,
  reasons: ['What leaves its origin needs an approval.'],
  votes: [],
  missing_releases: [],
  audit_head: '7:sha256:00',
  expiry: 1_800_000_000_000,
};

describe('every command', () => {
  test.each(COMMANDS.map((spec) => [spec.usage, spec] as const))(
    '%s loads, and its help shows its example',
    async (usage, spec) => {
      expect(typeof (await spec.load())).toBe('function');
      const cli = fakeWorld();
      const words = usage.split(' ').filter((word) => /^[a-z]/.test(word));
      expect(await cli.run(...words, '--help')).toBe(0);
      expect(cli.out()).toContain(spec.example);
      expect(cli.out()).toContain('--json');
      expect(cli.calls).toEqual([]);
    },
  );

  test('stands in the guide with its example', () => {
    const guide = readFileSync(new URL('../../../../docs/guides/command-line.md', import.meta.url), 'utf8');
    for (const spec of COMMANDS) {
      expect(guide).toContain(`\`${spec.usage.replace(/ [<[].*$/, '')}`);
      expect(guide).toContain(spec.example);
    }
  });
});

describe('words', () => {
  test.each(['--version', '-V'])('%s prints the version', async (flag) => {
    const cli = fakeWorld();
    expect(await cli.run(flag)).toBe(0);
    expect(cli.out()).toBe('1.2.3\n');
  });

  test.each([
    [['help'], 'Usage: agent-runtime [options]'],
    [['help', 'ask'], 'Usage: agent-runtime ask'],
    [['help', 'task', 'list'], 'Usage: agent-runtime task list'],
    [['task', 'help', 'list'], 'Usage: agent-runtime task list'],
    [['task', 'help'], 'Usage: agent-runtime task'],
  ])('%j is help', async (argv, text) => {
    const cli = fakeWorld();
    expect(await cli.run(...argv)).toBe(0);
    expect(cli.out()).toContain(text);
    expect(cli.calls).toEqual([]);
  });

  test('none: help', async () => {
    const cli = fakeWorld();
    expect(await cli.run()).toBe(0);
    expect(cli.out()).toContain('Usage: agent-runtime');
  });

  test.each([
    [['statsu'], 'status'],
    [['task', 'lst'], 'list'],
    [['approval', 'aprove', 'appr_0001'], 'approve'],
  ])('unknown ones suggest: %j', async (argv, suggestion) => {
    const cli = fakeWorld();
    expect(await cli.run(...argv)).toBe(ERROR_KINDS.invalid.exit);
    expect(cli.err()).toContain(suggestion);
  });

  test.each([
    [['task', 'show']],
    [['task', 'list', '--limt', '3']],
    [['task', 'list', '--limit', 'many']],
    [['effect', 'list', '--state', 'gone']],
    [['effect', 'resolve', 'efct_0001', 'maybe']],
    [['grant', 'add', '--user', 'ada']],
    [['context', 'bind', 'memory', 'x', '--workspace', 'acme']],
    [['open', 'faq.md:9-3']],
    [['token', 'create', 'x', '--role', 'admin']],
    [['context', 'set', 'ops', '--inherit', 'everything']],
    [['context', 'set', 'ops', '--output', 'nothing']],
    [['context', 'set', 'ops', '--messages-per-minute', 'few']],
    [['workspace', 'set', 'acme', '--bind', 'telegram']],
    [['workspace', 'set', 'acme', '--unbind', 'telegram:1']],
  ])('mistakes are refused before anything is asked: %j', async (argv) => {
    const cli = fakeWorld();
    expect(await cli.run(...argv)).toBe(ERROR_KINDS.invalid.exit);
    expect(cli.err()).not.toBe('');
    expect(cli.calls).toEqual([]);
  });

  test('mistakes are JSON where JSON is wanted', async () => {
    const cli = fakeWorld();
    expect(await cli.run('task', 'lst', '--json')).toBe(2);
    expect(JSON.parse(cli.out())).toMatchObject({ error: { kind: 'invalid' } });
  });
});

describe('errors', () => {
  test.each(Object.keys(ERROR_KINDS) as ErrorKind[])(
    'of kind %s: sentence, envelope and exit code',
    async (kind) => {
      const connect = async () => {
        throw new AppError({
          code: `base.x.${kind}`,
          kind,
          message: 'why it \u001b[31mfailed',
          detail: 'canary',
        });
      };
      const plain = fakeWorld({ connect });
      expect(await plain.run('task', 'list')).toBe(ERROR_KINDS[kind].exit);
      expect(plain.err()).toContain('why it ⟨U+001B⟩[31mfailed');
      expect(plain.out()).toBe('');
      const json = fakeWorld({ connect });
      expect(await json.run('task', 'list', '--json')).toBe(ERROR_KINDS[kind].exit);
      expect(JSON.parse(json.out())).toEqual({
        error: { code: `base.x.${kind}`, kind, message: 'why it \u001b[31mfailed' },
      });
    },
  );
});

describe('lists', () => {
  const items = [1, 2].map((n) => ({
    id: `task_000000000000000000${n}`,
    kind: 'chat' as const,
    status: 'succeeded' as const,
    title: `\u001b[2Jq ${n} ${'long '.repeat(40)}`,
    workspace: 'acme',
    context: 'ops',
    requester: 'mia',
    created_at: AT,
  }));

  test('fit the width, keep ids whole, and show no control characters', async () => {
    for (const columns of [80, 50, 40]) {
      const cli = fakeWorld({ answers: { 'task.list': { items } }, columns });
      expect(await cli.run('task', 'list')).toBe(0);
      const lines = cli.out().trimEnd().split('\n');
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
      for (const item of items) expect(cli.out()).toContain(item.id);
      expect(cli.out()).not.toContain('\u001b');
    }
  });

  test('are one line of JSON when wanted', async () => {
    const cli = fakeWorld({ answers: { 'task.list': { items } } });
    await cli.run('task', 'list', '--json', '--limit', '2', '--workspace', 'acme');
    expect(cli.out().trimEnd().split('\n')).toHaveLength(1);
    expect(JSON.parse(cli.out())).toEqual({ items });
    expect(cli.calls).toEqual([['task.list', { workspace: 'acme', limit: 2 }, 'signed']]);
  });

  test.each([
    ['task list', 'task.list', 'agent-runtime ask'],
    ['approval list', 'approval.list', 'approval list --state all'],
    ['approval list --state all', 'approval.list', 'no question yet'],
    ['approval list --state denied', 'approval.list', 'No question is denied'],
    ['effect list', 'effect.list', 'No effects'],
    ['token list', 'token.list', 'agent-runtime token create'],
    ['secret list', 'secret.list', 'agent-runtime secret set'],
    ['workspace list', 'workspace.list', 'agent-runtime workspace create'],
    ['memory list', 'memory.list', 'not been changed'],
    ['model list', 'model.list', 'AGENT_RUNTIME_LLM'],
    ['identity list', 'identity.list', 'pairing'],
    ['grant list', 'grant.list', 'agent-runtime grant add'],
    ['standing list', 'standing.list', 'agent-runtime standing add'],
    ['hub list', 'hub.list', '/hub'],
  ] as const)('an empty %s says what to do next', async (words, route, text) => {
    const cli = fakeWorld({ answers: { [route]: { items: [] } } });
    expect(await cli.run(...words.split(' '))).toBe(0);
    expect(cli.out()).toContain(text);
  });
});

describe('hub', () => {
  const row: HubRow = {
    id: 'ahub_00000001',
    state: 'active',
    connector: 'telegram',
    account: 'bot',
    channel: '-100',
    context: 'staff',
    workspace: 'community',
    asked_by: 'olga',
    asked_at: AT,
    cleared_for: ['community', 'garden'],
    cleared_more: 1,
    approved_by: 'ada',
    approved_at: AT,
  };
  const { approved_by: _by, approved_at: _at, ...bare } = row;
  const waits: HubRow = { ...bare, state: 'asked', cleared_for: [], cleared_more: 0, expires_at: AT };

  test('list: who is the hub, for whom, by whom, and what waits', async () => {
    const cli = fakeWorld({ answers: { 'hub.list': { items: [row, waits] } }, columns: 160 });
    expect(await cli.run('hub', 'list')).toBe(0);
    expect(cli.out()).toContain('hub since 2026-11-21 14:03, by ada');
    expect(cli.out()).toContain('community, garden, 1 more');
    expect(cli.out()).toContain('olga asks, until 2026-11-21 14:03');
  });

  test.each([
    [['--workspace', 'community', '--workspace', 'garden']],
    [['--workspace', 'community', 'garden']],
    [['--workspace', 'community,garden']],
  ])('approve takes workspaces as %j', async (words) => {
    const cli = fakeWorld({ answers: { 'hub.approve': { ...row, moved_from: 'old-staff' } } });
    expect(await cli.run('hub', 'approve', 'ahub_0000', ...words)).toBe(0);
    expect(cli.calls).toEqual([
      ['hub.approve', { id: 'ahub_0000', workspaces: ['community', 'garden'] }, 'signed'],
    ]);
    expect(cli.out()).toContain('staff is the admin hub of telegram');
    expect(cli.out()).toContain('old-staff is not the hub any more.');
  });

  test('approve without a workspace asks nothing of the server', async () => {
    const cli = fakeWorld();
    expect(await cli.run('hub', 'approve', 'ahub_0000')).toBe(2);
    expect(cli.err()).toContain('--workspace is needed');
    expect(cli.calls).toEqual([]);
  });

  test('rm ends a hub by the name of its connector, or sends a request away', async () => {
    const cli = fakeWorld({ answers: { 'hub.rm': row } });
    expect(await cli.run('hub', 'rm', 'telegram')).toBe(0);
    expect(cli.calls).toEqual([['hub.rm', { id: 'telegram' }, 'signed']]);
    expect(cli.out()).toContain('telegram has no admin hub any more');
    const other = fakeWorld({ answers: { 'hub.rm': waits } });
    await other.run('hub', 'rm', 'ahub_0000');
    expect(other.out()).toContain('staff was sent away');
  });
});

describe('approval', () => {
  test('show: what a write changes, hidden characters spelt out, and why there is none', async () => {
    const diff = { added: 1, removed: 1, text: '@@ -1 +1 @@\n-old\n+n\u200bew', is_cut: true };
    const cli = fakeWorld({ answers: { 'approval.show': { ...detail, diff } } });
    await cli.run('approval', 'show', 'appr_0001');
    expect(cli.out()).toContain('+1 -1 lines\n@@ -1 +1 @@\n-old\n+n⟨U+200B⟩ew\n[more changes');
    const changed = { ...detail, diff_note: 'The file is another.' };
    const other = fakeWorld({ answers: { 'approval.show': changed } });
    await other.run('approval', 'show', 'appr_0001');
    expect(other.out()).toContain('Changes     The file is another.');
  });

  test('show: every byte, hidden ones spelt out, digest, reasons', async () => {
    const cli = fakeWorld({ answers: { 'approval.show': detail } });
    await cli.run('approval', 'show', 'appr_0001');
    expect(cli.out()).toContain('text: pay⟨U+202E⟩evil⟨U+001B⟩[31m');
    expect(cli.out()).toContain(DIGEST);
    expect(cli.out()).toContain('What leaves its origin needs an approval.');
    expect(cli.out()).toContain('Attention');
    const json = fakeWorld({ answers: { 'approval.show': detail } });
    await json.run('approval', 'show', 'appr_0001', '--json');
    expect(JSON.parse(json.out())).toEqual(detail);
  });

  test.each([
    ['approve', 'grant'],
    ['deny', 'deny'],
    ['release', 'release'],
  ] as const)('%s signs what was shown, on the newest head of the log', async (word, decision) => {
    const answers = {
      'approval.show': detail,
      [`approval.${decision}`]: { ...detail, state: 'granted' as const },
    };
    const cli = fakeWorld({ answers });
    expect(await cli.run('approval', word, 'appr_0001')).toBe(0);
    // Once before, and once more with the answer in it.
    expect(cli.log.pages()).toBe(2);
    const { seq, hash } = cli.log.head();
    const head = `${seq}:${hash}`;
    expect(cli.signed).toEqual([
      `{"approval":"appr_0001","auditHead":"${head}","decision":"${decision}","digest":"${DIGEST}","effect":"efct_0001","expiry":1800000000000}`,
    ]);
    expect(cli.calls[1]).toEqual([
      `approval.${decision}`,
      {
        id: 'appr_0001',
        digest: DIGEST,
        audit_head: head,
        key_id: 'k'.repeat(43),
        signature: 'AAAA',
      },
      'signed',
    ]);
  });

  test('approve stops when the digest is another than the one that was looked at', async () => {
    const cli = fakeWorld({ answers: { 'approval.show': detail } });
    expect(await cli.run('approval', 'approve', 'appr_0001', '--digest', 'sha256:other')).toBe(
      ERROR_KINDS.conflict.exit,
    );
    expect(cli.signed).toEqual([]);
  });

  test('deny takes a reason; edit takes words from the line or from standard input, and approves when told', async () => {
    const answers = {
      'approval.show': detail,
      'approval.deny': detail,
      'approval.edit': { ...detail, id: 'appr_0002' },
      'approval.grant': detail,
    };
    const denied = fakeWorld({ answers });
    await denied.run('approval', 'deny', 'appr_0001', 'wrong', 'channel');
    expect(denied.calls[1]?.[1]).toMatchObject({ reason: 'wrong channel' });
    const edited = fakeWorld({ answers, input: 'new words\n' });
    await edited.run('approval', 'edit', 'appr_0001', '--approve');
    expect(edited.calls.map(([name]) => name)).toEqual(['approval.edit', 'approval.grant']);
    expect(edited.calls[0]?.[1]).toEqual({ id: 'appr_0001', text: 'new words\n' });
    expect(edited.signed[0]).toContain('appr_0002');
    const empty = fakeWorld({ answers });
    expect(await empty.run('approval', 'edit', 'appr_0001')).toBe(2);
  });
});

describe('the house', () => {
  test('panic on needs no key; panic off does', async () => {
    const cli = fakeWorld({ answers: { 'panic.on': { on: true }, 'panic.off': { on: false } } });
    await cli.run('panic', 'on');
    await cli.run('panic', 'off');
    expect(cli.calls.map(([name, , how]) => [name, how])).toEqual([
      ['panic.on', 'unsigned'],
      ['panic.off', 'signed'],
    ]);
  });

  test('panic on with no runtime writes the file of the stopped folder; other troubles are told', async () => {
    const failing = (code: string) => async () => {
      throw new AppError({ code, kind: 'unavailable', message: 'No runtime is running.' });
    };
    const cli = fakeWorld({ connect: failing('tui.runtime.unavailable'), exit: 10 });
    expect(await cli.run('panic', 'on', '--json')).toBe(10);
    expect(cli.spawned).toEqual([['panic-on', '--json']]);
    const other = fakeWorld({ connect: failing('panic.file.unavailable') });
    expect(await other.run('panic', 'on')).toBe(8);
    expect(other.spawned).toEqual([]);
  });

  test('a secret comes from standard input, without its last line end, and is printed nowhere', async () => {
    const cli = fakeWorld({ answers: { 'secret.set': { ok: true, message: 'kept' } }, input: 'canary-77\n' });
    expect(await cli.run('secret', 'set', 'LLM_API_KEY')).toBe(0);
    expect(cli.calls[0]?.[1]).toEqual({ name: 'LLM_API_KEY', value: 'canary-77' });
    expect(cli.out() + cli.err()).not.toContain('canary-77');
    const terminal = fakeWorld();
    expect(await terminal.run('secret', 'set', 'LLM_API_KEY')).toBe(2);
    for (const input of ['', '\n']) {
      const empty = fakeWorld({ input });
      expect(await empty.run('secret', 'set', 'LLM_API_KEY')).toBe(2);
      expect(empty.err()).toContain('Standard input was empty');
      expect(empty.calls).toEqual([]);
    }
  });

  test('a changed log exits with 6 and says where', async () => {
    const verdict = {
      ok: false,
      count: 9,
      head: 'x',
      problems: [{ kind: 'hash', seq: 4, text: 'record 4 was changed' }],
      signatures: { good: 3, unchecked: 0 },
    };
    const cli = fakeWorld({ answers: { 'audit.verify': verdict } });
    expect(await cli.run('audit', 'verify')).toBe(ERROR_KINDS.conflict.exit);
    expect(cli.out()).toContain('record 4 was changed');
  });

  test('commands on a stopped folder are sub-commands of the runtime, with its exit code', async () => {
    const cli = fakeWorld({ exit: 6 });
    for (const argv of [
      ['up'],
      ['setup', '--yes'],
      ['rebuild', '--yes', '--json'],
      ['audit', 'verify', '--file', 'copy.jsonl', '--json'],
    ])
      expect(await cli.run(...argv)).toBe(6);
    expect(cli.spawned).toEqual([
      ['up'],
      ['setup', '--yes'],
      ['rebuild', '--yes', '--json'],
      ['audit-verify', '--file', 'copy.jsonl', '--json'],
    ]);
    expect(cli.calls).toEqual([]);
  });

  test('open takes lines, search a place', async () => {
    const file = { path: 'faq.md', label: 'x', from: 9, total_lines: 20, lines: ['nine', 'ten'] };
    const cli = fakeWorld({
      answers: {
        'file.open': file,
        'search.query': {
          level: 'keyword',
          items: [{ path: 'faq.md', line: 3, snippet: 'refund', score: 1 }],
        },
      },
    });
    await cli.run('open', 'faq.md:9-10');
    expect(cli.out()).toBe(' 9  nine\n10  ten\n');
    await cli.run('search', 'my', 'refund', '--in', 'logs');
    expect(cli.out()).toContain('faq.md:3  refund');
    expect(cli.calls.map(([, input]) => input)).toEqual([
      { path: 'faq.md', from: 9, to: 10 },
      { q: 'my refund', in: 'logs' },
    ]);
  });

  test('open past the end is missing and says how long the file is', async () => {
    const file = { path: 'faq.md', label: 'x', from: 999, total_lines: 112, lines: [] };
    const cli = fakeWorld({ answers: { 'file.open': file } });
    expect(await cli.run('open', 'faq.md:999')).toBe(ERROR_KINDS.missing.exit);
    expect(cli.err()).toBe('faq.md has 112 lines.\n');
    const empty = fakeWorld({ answers: { 'file.open': { ...file, from: 1, total_lines: 0 } } });
    expect(await empty.run('open', 'faq.md')).toBe(0);
  });

  test('labels are short marks in a column', async () => {
    const row = { hash: DIGEST, words: 'long words '.repeat(20) };
    const items = [
      { ...row, path: 'faq.md', integrity: 2, audience: [] },
      { ...row, path: 'AGENTS.md', integrity: 2, audience: ['ws:acme'] },
      { ...row, path: 'notes.md', integrity: 1, audience: ['ctx:acme/ops', 'priv:user_1'] },
    ];
    const cli = fakeWorld({ answers: { 'label.list': { items } } });
    await cli.run('label', 'list');
    expect(cli.out().trimEnd().split('\n')).toEqual([
      'PATH       LABEL',
      'faq.md     staff public',
      'AGENTS.md  staff ws',
      'notes.md   member ctx:ops priv:user_1',
    ]);
  });

  test('workspace show stays inside the line, and says none for an empty list', async () => {
    const contexts = Array.from({ length: 30 }, (_, i) => `context-number-${i}`);
    const answer = {
      id: 'acme',
      title: 'Acme',
      kind: 'community' as const,
      owner: 'boss',
      outside_edits: 'staff' as const,
      concurrency: 5,
      approvers_for_high: 1,
      time_zone: 'UTC',
      tools: [],
      models: [],
      bindings: [],
      contexts,
      created_at: AT,
      etag: '0123456789abcdef',
    };
    const cli = fakeWorld({ answers: { 'workspace.show': answer } });
    await cli.run('workspace', 'show', 'acme');
    const lines = cli.out().trimEnd().split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    for (const context of contexts) expect(cli.out()).toContain(context);
    expect(cli.out()).toMatch(/^Tools +none$/m);
  });

  test('status says what the offline answerer is', async () => {
    const answer = {
      version: '1',
      instance_id: 'instance-1',
      ready: true,
      reasons: [],
      up_since: AT,
      panic: { on: false },
      gate: { closed: false },
      runs: { queued: 0, running: 0, failed_today: 0 },
      approvals_pending: 0,
      effects_uncertain: 0,
      tokens_today: 0,
      spent_today: [],
      audit_head: '1:x',
      models: ['offline'],
    };
    const cli = fakeWorld({ answers: { 'status.read': answer } });
    expect(await cli.run('status')).toBe(0);
    expect(cli.out()).toMatch(/^Models +offline \(no model/m);
  });

  test('settings: given, taken away, left alone', async () => {
    const cli = fakeWorld();
    await cli.run(
      'context',
      'set',
      'ops',
      '--tools',
      'md_read, qmd_search',
      '--inherit',
      'guests,temperature',
      '--closed',
    );
    expect(cli.calls[0]?.[1]).toEqual({
      id: 'ops',
      openness: 'closed',
      tools: ['md_read', 'qmd_search'],
      guests: null,
      temperature: null,
    });
  });

  test('limits, manners and groups of a workspace', async () => {
    const cli = fakeWorld();
    const flags = '--output answers --acknowledge confirm --messages-per-minute 5 --max-prompt-chars 900';
    await cli.run('workspace', 'set', 'acme', ...flags.split(' '), '--inherit', 'output');
    await cli.run(
      'workspace',
      'set',
      'acme',
      '--bind',
      'telegram:12/-1003',
      '--unbind',
      'discord:4/5',
      'discord:4/6',
    );
    expect(cli.calls.map(([, input]) => input)).toEqual([
      { id: 'acme', output: null, acknowledge: 'confirm', messages_per_minute: 5, max_prompt_chars: 900 },
      {
        id: 'acme',
        bind: [{ connector: 'telegram', account: '12', group: '-1003' }],
        unbind: [
          { connector: 'discord', account: '4', group: '5' },
          { connector: 'discord', account: '4', group: '6' },
        ],
      },
    ]);
  });

  test('unbound places are listed below the contexts, cleaned, and the command that binds one', async () => {
    const place = {
      connector: 'telegram',
      account: '12',
      channel: '-1003',
      kind: 'group' as const,
      title: 'Evil\u202e title',
      group: '-1003',
      first_seen_at: AT,
      last_seen_at: AT,
      is_gone: false,
    };
    const unbound = [{ ...place, channel: 'left', is_gone: true }, place];
    const cli = fakeWorld({ answers: { 'context.list': { items: [], unbound } } });
    expect(await cli.run('context', 'list')).toBe(0);
    expect(cli.out()).toContain('Seen, but unbound: nobody is answered there.');
    expect(cli.out()).toContain('Evil⟨U+202E⟩');
    expect(cli.out()).toContain('group, left');
    const command = /^Bind one: agent-runtime (.*)$/m.exec(cli.out())?.[1] ?? '';
    expect(command).toBe('context bind --workspace WORKSPACE --kind group -- telegram:12 -1003');
    await cli.run(...command.replace('WORKSPACE', 'acme').split(' '));
    expect(cli.calls.at(-1)?.slice(0, 2)).toEqual([
      'context.bind',
      { workspace: 'acme', connector: 'telegram', account: '12', channel: '-1003', kind: 'group' },
    ]);
  });

  test.each(['bash', 'zsh', 'fish'])('completion for %s knows every command', async (shell) => {
    const cli = fakeWorld();
    expect(await cli.run('completion', shell)).toBe(0);
    for (const { usage } of COMMANDS) expect(cli.out()).toContain(usage.split(' ')[0]);
    expect(await cli.run('completion', 'tcsh')).toBe(2);
  });

  test('the bash script completes', () => {
    const cli = fakeWorld();
    return cli.run('completion', 'bash').then(() => {
      const script = `${cli.out()}\nCOMP_WORDS=(agent-runtime appr); COMP_CWORD=1; _agent_runtime; echo "\${COMPREPLY[@]}"\nCOMP_WORDS=(agent-runtime task s); COMP_CWORD=2; _agent_runtime; echo "\${COMPREPLY[@]}"`;
      expect(execFileSync('bash', ['-c', script], { encoding: 'utf8' })).toBe('approval\nshow steer\n');
    });
  });
});

describe('doctor', () => {
  test('with nothing there, says what to do, and exits with 8', async () => {
    const connect = async () => {
      throw new AppError({
        code: 'tui.runtime.unavailable',
        kind: 'unavailable',
        message: 'No runtime is running.',
      });
    };
    const cli = fakeWorld({ connect });
    expect(await cli.run('doctor')).toBe(8);
    for (const text of [
      'agent-runtime setup',
      'npm start',
      'No runtime is running.',
      'secret set LLM_API_KEY',
    ])
      expect(cli.out()).toContain(text);
    const json = fakeWorld({ connect });
    await json.run('doctor', '--json');
    expect(JSON.parse(json.out()).findings.map((one: { name: string }) => one.name)).toEqual([
      'Node',
      'Data folder',
      'Master key',
      'Socket',
      'Runtime',
      'Model',
      'Disk',
      'Clock',
    ]);
  });
});

describe('speed', () => {
  test('--help loads commander and nothing heavy', () => {
    const root = fileURLToPath(new URL('../../../..', import.meta.url));
    const trace = `import { registerHooks } from 'node:module'; const seen = []; registerHooks({ load(url, context, next) { seen.push(url); return next(url, context); } }); process.on('exit', () => console.error(seen.join('\\n')));`;
    const { stderr } = runNode([
      '--import',
      `data:text/javascript,${encodeURIComponent(trace)}`,
      `${root}/apps/tui/src/main.ts`,
      '--help',
    ]);
    expect(stderr).toContain('commander');
    expect(stderr).not.toMatch(/zod|packages\/(domain|pki)/);
  });
});

test('a reader that has enough is no error', async () => {
  const bin = fileURLToPath(new URL('../../bin/agent-runtime.mjs', import.meta.url));
  const child = spawn(process.execPath, [bin, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let said = '';
  child.stderr.on('data', (part) => {
    said += String(part);
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect([code, said]).toEqual([0, '']);
});

function runNode(args: readonly string[]): { readonly stderr: string } {
  const script =
    'const { spawnSync } = require("node:child_process"); const r = spawnSync(process.execPath, process.argv.slice(1), { encoding: "utf8" }); process.stdout.write(r.stderr);';
  return { stderr: execFileSync(process.execPath, ['-e', script, '--', ...args], { encoding: 'utf8' }) };
}
