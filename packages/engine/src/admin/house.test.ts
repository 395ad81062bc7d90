import { verify } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import {
  type Context,
  type ContextId,
  checkpointBytes,
  ctxTag,
  extendHead,
  makeLabel,
  type SearchHit,
  sha256,
  type WorkspaceId,
  wsTag,
} from '@agent-runtime/domain';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Actor } from '../api.ts';
import {
  BOSS,
  contextRow,
  insertReply,
  MEMBER,
  must,
  OPERATOR,
  proposePost,
  signed,
  TEST_AUDIT,
  tamper,
  WORKSPACE,
} from '../settle/world.fixture.ts';
import { type AdminWorld, addPeople, LORD, narrow, SOCKET, STRANGER, useAdmin } from './admin.fixture.ts';
import { mayWatch } from './watch.ts';
import { REASON_WORDS, reasonTexts } from './words.ts';

/** BOSS with a key that the log knows, and a request signed with it, as the fake cryptography has them. */
async function enrolledBoss(): Promise<Actor> {
  await ask('invite.create', SOCKET, { user: 'boss' });
  const [invite] = await at.admin.world.deps.store.read.find('identity_invite', {});
  const claim = { invite_id: must(invite).id, request: 'laptop', proof: 'good', name: 'laptop' };
  const { key_id: keyId } = await ask('key.enrol', SOCKET, claim);
  const signedText = `${keyId} POST /admin/v1/user ${at.admin.world.clock.nowMs()}`;
  const signature = Buffer.from(`PEM laptop|${signedText}`).toString('base64');
  return { ...signed(BOSS), proof: { keyId, signature, signed: signedText } };
}

const at = useAdmin();
const codeOf = (code: string) => expect.objectContaining({ code });
const ask: AdminWorld['ask'] = (...args) => at.admin.ask(...args);
const DENIED = codeOf('policy.admin.denied');
const MISSING = codeOf('admin.id.missing');

beforeEach(async () => addPeople(at.admin));

describe('status', () => {
  test('tells the socket everything and people what is theirs', async () => {
    await proposePost(at.admin.world, 'hello');
    expect(await ask('status.read', SOCKET, {})).toMatchObject({
      ready: true,
      approvals_pending: 1,
      panic: { on: false },
      gate: { closed: false },
      models: ['big'],
    });
    await ask('workspace.create', signed(LORD), { id: 'second' });
    await at.admin.world.grant(STRANGER, 'viewer', { kind: 'workspace', workspace: 'second' });
    expect((await ask('status.read', signed(STRANGER), {})).approvals_pending).toBe(0);
    expect((await ask('status.read', signed(MEMBER), {})).approvals_pending).toBe(1);
  });

  test('counts no context that is closed to the asker, and no direct talk of others', async () => {
    const { world } = at.admin;
    const { deps } = world;
    const spend = async (place: string, tokens: number): Promise<void> => {
      const { run } = await at.admin.finished(BOSS, {
        in: place,
        state: 'failed',
        finishedAt: deps.clock.nowMs(),
      });
      await deps.store.commit(TEST_AUDIT, (tx) =>
        tx.insert('ledger_entry', {
          id: deps.ids.make('entry'),
          workspace: WORKSPACE,
          sender: 'user:x',
          run: run.id,
          route: 'big',
          state: 'settled',
          tokens,
          costUsdMicros: 0,
          at: deps.clock.nowMs(),
        }),
      );
    };
    await deps.store.commit(TEST_AUDIT, (tx) =>
      tx.insert('context', {
        ...contextRow('talk' as ContextId, 'talk-channel', 1), // safe: a slug
        kind: 'direct',
        directWith: BOSS,
      }),
    );
    await spend('ops', 1);
    await spend('news', 20);
    await spend('talk', 300);
    const seenBy = async (actor: Parameters<typeof ask>[1]): Promise<readonly number[]> => {
      const { tokens_today, runs } = await ask('status.read', actor, {});
      return [tokens_today, runs.failed_today];
    };
    expect(await seenBy(SOCKET)).toEqual([321, 3]);
    expect(await seenBy(signed(OPERATOR))).toEqual([321, 3]);
    expect(await seenBy(signed(MEMBER))).toEqual([21, 2]);
    await world.grant(STRANGER, 'member', { kind: 'context', workspace: WORKSPACE, context: 'ops' });
    expect(await seenBy(signed(STRANGER))).toEqual([1, 1]);
  });

  test('is refused without any role; hello is for everyone', async () => {
    for (const name of ['status.read', 'model.list'] as const)
      await expect(ask(name, signed(STRANGER), {})).rejects.toEqual(DENIED);
    expect(await ask('hello.read', SOCKET, {})).toMatchObject({
      instance_id: 'instance-1',
      boot_id: 'boot-0000000000000001',
    });
  });

  test('models are listed for people with a role, not for the socket alone', async () => {
    expect((await ask('model.list', signed(MEMBER), {})).items).toMatchObject([
      { name: 'big', provider: 'scripted' },
    ]);
  });
});

describe('panic and gate', () => {
  test('anyone at the machine stops everything; only a signed admin starts it again', async () => {
    expect((await ask('panic.on', SOCKET, {})).on).toBe(true);
    await expect(ask('panic.off', SOCKET, {})).rejects.toEqual(DENIED);
    await expect(ask('panic.off', signed(OPERATOR), {})).rejects.toEqual(DENIED);
    expect(at.admin.world.panic.isOn()).toBe(true);
    expect((await ask('panic.off', signed(BOSS), {})).on).toBe(false);
    await expect(ask('panic.on', signed(MEMBER), {})).rejects.toMatchObject({ kind: 'denied' });
    expect((await ask('panic.status', SOCKET, {})).on).toBe(false);
  });

  test('the gate opens for a signed admin only', async () => {
    await at.admin.world.deps.store.commit(TEST_AUDIT, async (tx) =>
      tx.insert('gate_state', { id: 'gate', isClosed: true, reason: 'a restore', at: 1 }),
    );
    expect(await ask('gate.status', SOCKET, {})).toMatchObject({ closed: true, reason: 'a restore' });
    for (const actor of [SOCKET, signed(OPERATOR), signed(STRANGER)])
      await expect(ask('gate.open', actor, {})).rejects.toEqual(DENIED);
    expect((await ask('gate.open', signed(BOSS), {})).closed).toBe(false);
  });
});

describe('secret', () => {
  test('is set after the log knows of it, listed by name, and never read back', async () => {
    const done = await ask('secret.set', signed(BOSS), { name: 'TELEGRAM_TOKEN', value: 'canary-77' });
    expect(at.admin.secrets.get('TELEGRAM_TOKEN')).toBe('canary-77');
    const seen = [
      done,
      await ask('secret.list', signed(BOSS), {}),
      await at.admin.world.deps.audit.tail(100),
    ];
    expect(JSON.stringify(seen)).not.toContain('canary-77');
    expect(await at.admin.world.actions('TELEGRAM_TOKEN')).toEqual(['vault.set']);
    await ask('secret.rm', signed(BOSS), { name: 'TELEGRAM_TOKEN' });
    await expect(ask('secret.rm', signed(BOSS), { name: 'TELEGRAM_TOKEN' })).rejects.toEqual(MISSING);
  });

  test('that the environment supplies is a conflict', async () => {
    for (const name of ['secret.set', 'secret.rm'] as const) {
      const input = { name: 'LLM_API_KEY', ...(name === 'secret.set' ? { value: 'x' } : {}) };
      await expect(ask(name, signed(BOSS), input)).rejects.toEqual(codeOf('vault.environment.conflict'));
    }
    expect(at.admin.secrets.size).toBe(0);
    expect(await at.admin.world.actions('LLM_API_KEY')).toEqual([]);
  });

  test('is never the master key, which opens the vault', async () => {
    await expect(
      ask('secret.set', signed(BOSS), { name: 'MASTER_KEY', value: 'x'.repeat(64) }),
    ).rejects.toMatchObject({
      code: 'vault.name.invalid',
    });
  });

  test('is refused when blank, to operators and to the socket; nothing is written then', async () => {
    await expect(ask('secret.set', signed(BOSS), { name: 'A_KEY', value: ' \n' })).rejects.toEqual(
      codeOf('vault.value.invalid'),
    );
    for (const actor of [signed(OPERATOR), SOCKET]) {
      await expect(ask('secret.set', actor, { name: 'A_KEY', value: 'x' })).rejects.toEqual(DENIED);
      await expect(ask('secret.rm', actor, { name: 'A_KEY' })).rejects.toEqual(DENIED);
      await expect(ask('secret.list', actor, {})).rejects.toEqual(DENIED);
    }
    expect(at.admin.secrets.size).toBe(0);
  });
});

describe('audit', () => {
  test('is whole while every signed act holds the signature of its person', async () => {
    const actor = await enrolledBoss();
    await ask('user.add', actor, { name: 'ada' });
    const verdict = await ask('audit.verify', signed(OPERATOR), {});
    expect(verdict).toMatchObject({ ok: true, problems: [], signatures: { good: 1, unchecked: 0 } });
    // The same act without one, as whoever writes into the log could leave it behind.
    await ask('user.add', signed(BOSS), { name: 'eve' });
    const after = await ask('audit.verify', signed(OPERATOR), {});
    expect(after).toMatchObject({ ok: false, problems: [{ kind: 'signature' }], signatures: { good: 1 } });
    await expect(ask('audit.verify', signed(MEMBER), {})).rejects.toEqual(DENIED);
    await expect(ask('audit.verify', SOCKET, {})).rejects.toEqual(DENIED);
  });

  test('a key that is revoked between the request and its write orders nothing', async () => {
    const actor = await enrolledBoss();
    const { store } = at.admin.world.deps;
    const id = actor.proof?.keyId ?? '';
    await store.commit(TEST_AUDIT, async (tx) => tx.update('identity_key', { id }, { revokedAt: 1 }));
    await expect(ask('user.add', actor, { name: 'ada' })).rejects.toEqual(
      codeOf('identity.key.unauthenticated'),
    );
    expect(await store.read.get('identity_user', { name: 'ada' })).toBeUndefined();
  });

  test('proves to any person that it goes on from the head they know, and tells nothing else', async () => {
    const before = await ask('audit.extension', signed(STRANGER), {});
    expect(before.links).toEqual([]);
    for (const name of ['ada', 'ben', 'cy']) await ask('user.add', signed(BOSS), { name });
    const page = await ask('audit.extension', signed(STRANGER), { after: before.checkpoint.seq });
    expect(page.links).toHaveLength(3);
    expect(extendHead(before.checkpoint, page.links)).toEqual({
      seq: page.checkpoint.seq,
      hash: page.checkpoint.hash,
    });
    const { key_id: keyId, signature, ...head } = page.checkpoint;
    const bytes = Buffer.from(checkpointBytes({ ...head, keyId }));
    expect(verify(null, bytes, page.public_key, Buffer.from(signature, 'base64'))).toBe(true);
    expect(JSON.stringify(page)).not.toContain('user.add');
    // One's own head and later ones have nothing after them.
    for (const after of [page.checkpoint.seq, page.checkpoint.seq + 1])
      expect((await ask('audit.extension', signed(STRANGER), { after })).links).toEqual([]);
    await expect(ask('audit.extension', SOCKET, {})).rejects.toMatchObject({ kind: 'denied' });
  });

  test('shows staff what happened where they are staff, newest first', async () => {
    await ask('user.add', signed(BOSS), { name: 'ada' });
    await ask('workspace.set', signed(BOSS), { id: 'acme', title: 'New' });
    const all = (await ask('audit.tail', signed(OPERATOR), { limit: 2 })).items.map((row) => row.action);
    expect(all).toEqual(['workspace.set', 'identity.add']);
    await narrow(at.admin, OPERATOR, 'operator');
    expect((await ask('audit.tail', signed(OPERATOR), { action: 'identity.add' })).items).toEqual([]);
    expect((await ask('audit.tail', signed(OPERATOR), { action: 'workspace.set' })).items).toHaveLength(1);
    await expect(ask('audit.tail', signed(MEMBER), {})).rejects.toEqual(DENIED);
    await expect(ask('audit.tail', SOCKET, {})).rejects.toEqual(DENIED);
  });

  test('data of someone’s direct talk is not for other staff', async () => {
    const direct: Context = {
      ...contextRow('dm-mia' as ContextId, 'dm', 1),
      kind: 'direct',
      directWith: MEMBER,
    }; // safe: a slug
    const event = {
      action: 'ingest.accept',
      actor: MEMBER,
      subject: 'mesg_1',
      workspace: WORKSPACE,
      context: direct.id,
      data: { words: 'my illness' },
    };
    await at.admin.world.deps.store.commit(event, async (tx) => tx.insert('context', direct));
    const [row] = (await ask('audit.tail', signed(OPERATOR), { subject: 'mesg_1' })).items;
    expect(must(row).data).toEqual({});
    await at.admin.world.grant(MEMBER, 'operator');
    const [own] = (await ask('audit.tail', signed(MEMBER), { subject: 'mesg_1' })).items;
    expect(must(own).data).toEqual({ words: 'my illness' });
  });

  test('explain: what was decided about an effect and its approval, in words', async () => {
    const { approval, effect } = await proposePost(at.admin.world, 'hello');
    const told = await ask('explain.id', signed(OPERATOR), { id: approval.id.slice(0, 15) });
    expect(told.id).toBe(approval.id);
    expect(told.events.flatMap((event) => event.reasons)).toContain(
      'What leaves its origin needs an approval.',
    );
    expect((await ask('explain.id', signed(OPERATOR), { id: effect.id })).events.length).toBeGreaterThan(0);
    await expect(ask('explain.id', signed(OPERATOR), { id: 'nothing' })).rejects.toEqual(MISSING);
    await expect(ask('explain.id', signed(MEMBER), { id: effect.id })).rejects.toEqual(DENIED);
    await narrow(at.admin, OPERATOR, 'operator');
    await tamper(at.admin.world, 'effect', { id: effect.id }, { workspace: 'second' as WorkspaceId }); // safe: a slug
    await expect(ask('explain.id', signed(OPERATOR), { id: effect.id })).rejects.toEqual(MISSING);
  });

  test('every reason code of policy has words', () => {
    const folder = new URL('../../../domain/src/policy/', import.meta.url);
    const codes = readdirSync(folder)
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && name !== 'admin.ts')
      .flatMap(
        (name) => readFileSync(new URL(name, folder), 'utf8').match(/(?<=')policy\.[a-z-]+(?=')/g) ?? [],
      );
    expect(codes.length).toBeGreaterThan(40);
    expect([...new Set(codes)].filter((code) => REASON_WORDS[code] === undefined)).toEqual([]);
    expect(reasonTexts(['policy.panic', { code: 'x', text: 'own words' }, 'policy.new', 7])).toEqual([
      'Panic was on.',
      'own words',
      'policy.new',
    ]);
  });
});

describe('workspace', () => {
  test('is made by admins of everything, once, and written to disk', async () => {
    const made = await ask('workspace.create', signed(BOSS), { id: 'garden', title: 'The Garden' });
    expect(made).toMatchObject({ id: 'garden', title: 'The Garden', owner: 'boss', concurrency: 5 });
    expect(at.admin.saved).toEqual(['workspace garden']);
    await expect(ask('workspace.create', signed(BOSS), { id: 'garden' })).rejects.toEqual(
      codeOf('workspace.name.conflict'),
    );
    await narrow(at.admin, BOSS, 'admin');
    for (const actor of [signed(BOSS), signed(OPERATOR), SOCKET])
      await expect(ask('workspace.create', actor, { id: 'third' })).rejects.toEqual(DENIED);
  });

  test('is listed and shown to people with a role there; to others it does not exist', async () => {
    await ask('workspace.create', signed(LORD), { id: 'second' });
    await narrow(at.admin, MEMBER, 'member');
    expect((await ask('workspace.list', signed(MEMBER), {})).items).toMatchObject([
      { id: 'acme', role: 'member' },
    ]);
    await expect(ask('workspace.show', signed(MEMBER), { id: 'second' })).rejects.toEqual(MISSING);
    await expect(ask('workspace.list', signed(STRANGER), {})).rejects.toEqual(DENIED);
    await expect(ask('workspace.list', SOCKET, {})).rejects.toEqual(DENIED);
  });

  test('settings change for admins, take nonsense from nobody, and go back to what is inherited', async () => {
    const set = await ask('workspace.set', signed(BOSS), {
      id: 'acme',
      concurrency: 2,
      time_zone: 'Europe/Vienna',
      tools: ['md_read'],
      models: ['big'],
    });
    expect(set).toMatchObject({
      concurrency: 2,
      time_zone: 'Europe/Vienna',
      tools: ['md_read'],
      models: ['big'],
    });
    const back = await ask('workspace.set', signed(BOSS), { id: 'acme', tools: null, models: null });
    expect(back.tools.length).toBeGreaterThan(1);
    expect(back).toMatchObject({ concurrency: 2, models: [] });
    expect(at.admin.calls).toEqual([['settingsChanged'], ['settingsChanged']]);
    await expect(ask('workspace.set', signed(BOSS), { id: 'acme', time_zone: 'Mars/Base' })).rejects.toEqual(
      codeOf('workspace.zone.invalid'),
    );
    await expect(
      ask('workspace.set', signed(BOSS), { id: 'acme', tools: ['md_read', 'nope_tool'] }),
    ).rejects.toMatchObject({
      code: 'tool.name.invalid',
      message: expect.stringMatching(/"nope_tool".*md_read/),
    });
    expect((await ask('workspace.set', signed(BOSS), { id: 'acme', tools: ['*'] })).tools).toEqual(['*']);
    await expect(ask('workspace.set', signed(OPERATOR), { id: 'acme', title: 'x' })).rejects.toEqual(DENIED);
    await expect(ask('workspace.set', signed(STRANGER), { id: 'acme', title: 'x' })).rejects.toEqual(MISSING);
  });
});

describe('workspace show', () => {
  test('leaves out contexts of revoked tokens', async () => {
    const token = await ask('token.create', signed(BOSS), { name: 'site', workspace: 'acme' });
    expect((await ask('workspace.show', signed(BOSS), { id: 'acme' })).contexts).toContain('http-site');
    await ask('token.revoke', signed(BOSS), { id: token.id });
    const after = (await ask('workspace.show', signed(BOSS), { id: 'acme' })).contexts;
    expect(after).toContain('ops');
    expect(after).not.toContain('http-site');
  });
});

describe('context', () => {
  test('is listed and shown to staff of the place', async () => {
    expect(
      (await ask('context.list', signed(OPERATOR), { workspace: 'acme' })).items.map((row) => row.id),
    ).toEqual(['news', 'ops']);
    expect(await ask('context.show', signed(OPERATOR), { id: 'ops' })).toMatchObject({
      guests: 'off',
      owner: 'boss',
    });
    await expect(ask('context.list', signed(MEMBER), {})).rejects.toEqual(DENIED);
    await expect(ask('context.show', signed(MEMBER), { id: 'ops' })).rejects.toEqual(MISSING);
  });

  test('settings change for admins of it', async () => {
    const set = await ask('context.set', signed(BOSS), {
      id: 'ops',
      guests: 'ask',
      tools: ['md_read'],
      temperature: 0.2,
      tokens_per_day: 100,
      openness: 'open',
      title: 'Ops',
    });
    expect(set).toMatchObject({
      guests: 'ask',
      tools: ['md_read'],
      temperature: 0.2,
      tokens_per_day: 100,
      openness: 'open',
      title: 'Ops',
    });
    expect(at.admin.saved).toEqual(['context ops']);
    const back = await ask('context.set', signed(BOSS), {
      id: 'ops',
      guests: null,
      temperature: null,
      tokens_per_day: null,
    });
    expect(back).toMatchObject({ guests: 'ask', tools: ['md_read'] }); // an open context lets guests ask unless it says otherwise
    expect(back.temperature).toBeUndefined();
    await expect(ask('context.set', signed(BOSS), { id: 'ops', tools: ['nope_tool'] })).rejects.toMatchObject(
      { code: 'tool.name.invalid' },
    );
    await expect(ask('context.set', signed(OPERATOR), { id: 'ops', title: 'x' })).rejects.toEqual(DENIED);
    await expect(ask('context.set', signed(MEMBER), { id: 'ops', title: 'x' })).rejects.toEqual(MISSING);
  });

  test('a direct talk is never opened to strangers', async () => {
    const direct: Context = {
      ...contextRow('dm-mia' as ContextId, 'dm', 1),
      kind: 'direct',
      directWith: MEMBER,
    }; // safe: a slug
    await at.admin.world.deps.store.commit(TEST_AUDIT, async (tx) => tx.insert('context', direct));
    await expect(ask('context.set', signed(BOSS), { id: 'dm-mia', openness: 'open' })).rejects.toEqual(
      codeOf('context.openness.invalid'),
    );
  });

  test('a channel is bound once, open unless said, by admins', async () => {
    const input = { workspace: 'acme', connector: 'chat', account: 'test', channel: 'C 42', title: 'Talk!' };
    const bound = await ask('context.bind', signed(BOSS), input);
    expect(bound).toMatchObject({ id: 'chat-talk', openness: 'open', owner: 'boss', channel: 'C 42' });
    await expect(ask('context.bind', signed(BOSS), input)).rejects.toMatchObject({
      code: 'context.channel.conflict',
      message: expect.stringContaining('chat-talk'),
    });
    await expect(ask('context.bind', signed(BOSS), { ...input, channel: 'C 43', id: 'ops' })).rejects.toEqual(
      codeOf('context.name.conflict'),
    );
    await expect(ask('context.bind', signed(OPERATOR), { ...input, channel: 'C 44' })).rejects.toEqual(
      DENIED,
    );
    await expect(ask('context.bind', signed(BOSS), { ...input, workspace: 'nowhere' })).rejects.toEqual(
      MISSING,
    );
  });
});

describe('files', () => {
  const put = (
    path: string,
    text: string,
    integrity: 0 | 1 | 2,
    audience: readonly (`ws:${string}` | `ctx:${string}/${string}` | `priv:${string}`)[] = [wsTag(WORKSPACE)],
  ) => {
    at.admin.world.files.texts.set(path, text);
    at.admin.world.files.labels.set(path, makeLabel(integrity, audience));
  };

  test('approve: these bytes count as staff’s, by an admin, and no others', async () => {
    put('AGENTS.md', 'be kind', 0);
    const row = await ask('label.approve', signed(BOSS), { path: 'AGENTS.md' });
    expect(row).toMatchObject({ integrity: 2, audience: ['ws:acme'], hash: sha256('be kind') });
    expect(at.admin.world.files.labels.get('AGENTS.md')).toEqual(makeLabel(2, [wsTag(WORKSPACE)]));
    expect(await at.admin.world.actions('AGENTS.md')).toEqual(['label.approve']);
    await expect(
      ask('label.approve', signed(BOSS), { path: 'AGENTS.md', hash: sha256('other') }),
    ).rejects.toEqual(codeOf('label.hash.conflict'));
    await expect(ask('label.approve', signed(OPERATOR), { path: 'AGENTS.md' })).rejects.toEqual(DENIED);
    await expect(ask('label.approve', SOCKET, { path: 'AGENTS.md' })).rejects.toMatchObject({
      kind: expect.stringMatching(/missing|denied/),
    });
  });

  test('publish: strangers may read these bytes; private words only by their owner', async () => {
    put('faq.md', 'hours', 2);
    expect(await ask('label.publish', signed(BOSS), { path: 'faq.md' })).toMatchObject({
      integrity: 2,
      audience: [],
    });
    put('diary.md', 'secret', 1, [wsTag(WORKSPACE), `priv:${BOSS}`]);
    expect((await ask('label.publish', signed(BOSS), { path: 'diary.md' })).audience).toEqual([]);
    put('hers.md', 'secret', 1, [wsTag(WORKSPACE), `priv:${MEMBER}`]);
    await expect(ask('label.publish', signed(BOSS), { path: 'hers.md' })).rejects.toEqual(MISSING);
    await expect(ask('label.publish', signed(OPERATOR), { path: 'faq.md' })).rejects.toEqual(DENIED);
    expect(at.admin.world.files.labels.get('hers.md')).toEqual(
      makeLabel(1, [wsTag(WORKSPACE), `priv:${MEMBER}`]),
    );
  });

  test('records keep the label of what they record', async () => {
    put('logs/chat/general/2026-11.md', 'a log', 0);
    for (const name of ['label.approve', 'label.publish'] as const)
      await expect(ask(name, signed(BOSS), { path: 'logs/chat/general/2026-11.md' })).rejects.toEqual(
        codeOf('label.record.denied'),
      );
  });

  test('approving memory raises its entries, for they are what a prompt looks at', async () => {
    put('memory.md', '- from outside\n', 0);
    Object.assign(at.admin.world.files, {
      readMemory: async () => [{ text: '- from outside', line: 1, label: makeLabel(0, [wsTag(WORKSPACE)]) }],
    });
    await ask('label.approve', signed(BOSS), { path: 'memory.md' });
    expect(await at.admin.world.deps.store.read.find('label_entry', {})).toMatchObject([
      { hash: sha256('- from outside'), label: makeLabel(2, [wsTag(WORKSPACE)]) },
    ]);
  });

  test('open: what is not for the reader is not there, whoever asks', async () => {
    put('faq.md', 'one\ntwo\u200b\nthree\n', 2);
    put('staff.md', 'channel talk', 1, [ctxTag(WORKSPACE, 'ops' as ContextId)]); // safe: a slug
    put('other.md', 'foreign', 2, ['ws:elsewhere']);
    put('hers.md', 'private', 1, [`priv:${MEMBER}`]);
    const lines = await ask('file.open', signed(MEMBER), { path: 'faq.md', from: 2, to: 3 });
    expect(lines).toMatchObject({ from: 2, total_lines: 3, lines: ['two⟨U+200B⟩', 'three'] });
    for (const path of ['staff.md', 'other.md', 'nothing.md'])
      await expect(ask('file.open', signed(MEMBER), { path })).rejects.toEqual(MISSING);
    expect((await ask('file.open', signed(OPERATOR), { path: 'staff.md' })).lines).toEqual(['channel talk']);
    await expect(ask('file.open', signed(OPERATOR), { path: 'hers.md' })).rejects.toEqual(MISSING);
    await expect(ask('file.open', signed(STRANGER), { path: 'faq.md' })).rejects.toEqual(MISSING);
    await expect(ask('file.open', SOCKET, { path: 'faq.md' })).rejects.toEqual(DENIED);
  });

  test('open: of a memory file the entries that are for the reader, and only those', async () => {
    put('memory.md', '- for all\n- private\n', 1, [wsTag(WORKSPACE), `priv:${MEMBER}`]);
    Object.assign(at.admin.world.files, {
      readMemory: async () => [
        { text: '- for all', line: 1, label: makeLabel(1, [wsTag(WORKSPACE)]) },
        { text: '- private', line: 2, label: makeLabel(1, [`priv:${MEMBER}`]) },
      ],
    });
    expect((await ask('file.open', signed(OPERATOR), { path: 'memory.md' })).lines).toEqual(['- for all']);
    Object.assign(at.admin.world.files, {
      readMemory: async () => [{ text: '- private', line: 2, label: makeLabel(1, [`priv:${MEMBER}`]) }],
    });
    await expect(ask('file.open', signed(OPERATOR), { path: 'memory.md' })).rejects.toEqual(MISSING);
  });

  test('search: hits are looked at again, and what is not for the reader is neither hit nor count', async () => {
    put('faq.md', 'a refund\n', 2);
    put('staff.md', 'refund talk', 1, [ctxTag(WORKSPACE, 'ops' as ContextId)]); // safe: a slug
    put('logs/chat/general/2026-11.md', 'refund in a log', 1);
    const hits: SearchHit[] = ['faq.md', 'staff.md', 'logs/chat/general/2026-11.md', 'gone.md'].map(
      (path) => ({ path, line: 1, snippet: 'CANARY from an old index', score: 1 }),
    );
    const seen: string[] = [];
    Object.assign(at.admin.deps, {
      search: {
        level: 'test',
        search: async (query: { isVisible(path: string): Promise<boolean> }) => {
          for (const hit of hits) if (await query.isVisible(hit.path)) seen.push(hit.path);
          return hits;
        },
      },
    });
    const found = await ask('search.query', signed(MEMBER), { q: 'refund' });
    expect(found.items).toEqual([{ path: 'faq.md', line: 1, snippet: 'a refund', score: 1 }]);
    expect(seen).toEqual(['faq.md']);
    const logs = await ask('search.query', signed(MEMBER), { q: 'refund', in: 'logs' });
    expect(logs.items.map((hit) => hit.path)).toEqual(['logs/chat/general/2026-11.md']);
    await expect(ask('search.query', signed(STRANGER), { q: 'refund' })).rejects.toEqual(MISSING);
    await expect(ask('search.query', SOCKET, { q: 'refund' })).rejects.toEqual(DENIED);
  });

  test('labels are listed for staff', async () => {
    await expect(ask('label.list', signed(MEMBER), {})).rejects.toEqual(DENIED);
    put('faq.md', 'hours', 2);
    Object.assign(at.admin.world.files, {
      list: async () => [{ path: 'faq.md', sizeBytes: 5, modifiedAt: 1 }],
    });
    expect((await ask('label.list', signed(OPERATOR), {})).items).toMatchObject([
      { path: 'faq.md', integrity: 2 },
    ]);
    expect((await ask('label.list', signed(OPERATOR), { prefix: 'skills/' })).items).toEqual([]);
  });
});

describe('memory', () => {
  const path = 'memory.md';
  beforeEach(async () => {
    at.admin.world.files.texts.set(path, '- old\n- new\n');
    at.admin.world.files.labels.set(path, makeLabel(1, [wsTag(WORKSPACE)]));
    await at.admin.world.deps.store.commit(TEST_AUDIT, async (tx) =>
      tx.insert('memory_change', {
        id: 'mchg_00000001',
        workspace: WORKSPACE,
        path,
        before: '- old\n',
        after: '- old\n- new\n',
        by: MEMBER,
        at: 1,
      }),
    );
  });

  test('shows what changed without its words, and takes it back once', async () => {
    expect((await ask('memory.list', signed(MEMBER), {})).items).toMatchObject([
      { id: 'mchg_00000001', added: 1, removed: 0, by: 'mia' },
    ]);
    await ask('memory.undo', signed(OPERATOR), { id: 'mchg_0000' });
    expect(at.admin.world.files.texts.get(path)).toBe('- old\n');
    expect(await at.admin.world.actions('mchg_00000001')).toEqual(['memory.undo']);
    await expect(ask('memory.undo', signed(OPERATOR), { id: 'mchg_00000001' })).rejects.toEqual(
      codeOf('memory.change.conflict'),
    );
  });

  test('not over a later change, not by members, not by strangers', async () => {
    await expect(ask('memory.undo', signed(MEMBER), { id: 'mchg_00000001' })).rejects.toEqual(DENIED);
    await expect(ask('memory.undo', signed(STRANGER), { id: 'mchg_00000001' })).rejects.toEqual(MISSING);
    await expect(ask('memory.list', signed(STRANGER), {})).rejects.toEqual(MISSING);
    at.admin.world.files.texts.set(path, '- old\n- new\n- newer\n');
    await expect(ask('memory.undo', signed(OPERATOR), { id: 'mchg_00000001' })).rejects.toEqual(
      codeOf('memory.file.conflict'),
    );
    expect(at.admin.world.files.texts.get(path)).toContain('newer');
  });
});

describe('watching', () => {
  const event = (data: Record<string, string>) => ({ topic: 'effects', kind: 'effect.done', data });

  test('facts of a place are for its staff, facts of the appliance for people with a role on everything', async () => {
    const { deps } = at.admin;
    expect(await mayWatch(deps, signed(OPERATOR), event({ workspace: 'acme', context: 'ops' }))).toBe(true);
    expect(await mayWatch(deps, signed(MEMBER), event({ workspace: 'acme', context: 'ops' }))).toBe(false);
    await narrow(at.admin, OPERATOR, 'operator');
    expect(await mayWatch(deps, signed(OPERATOR), event({ workspace: 'second' }))).toBe(false);
    expect(await mayWatch(deps, signed(OPERATOR), event({}))).toBe(false);
    expect(await mayWatch(deps, signed(BOSS), event({}))).toBe(true);
    // The socket may read the status, but not watch.
    for (const data of [{ workspace: 'acme' }, {}])
      expect(await mayWatch(deps, SOCKET, event(data as Record<string, string>))).toBe(false); // safe: both are such records
  });
});

describe('chats in the status', () => {
  test('say what waits to be sent and whether the last try met nobody, to those with a role on everything', async () => {
    const { world } = at.admin;
    const before = await ask('status.read', signed(LORD), {});
    expect(before.connectors).toMatchObject([{ name: 'chat', waiting: 0, is_failing: false }]);
    const id = await insertReply(world, 'hello');
    expect((await ask('status.read', signed(LORD), {})).connectors).toMatchObject([
      { waiting: 1, is_failing: false },
    ]);
    const error = { code: 'x.y.unavailable', kind: 'unavailable', message: 'down' } as const;
    await tamper(world, 'effect', { id }, { attempts: 1, error });
    expect((await ask('status.read', signed(LORD), {})).connectors).toMatchObject([
      { waiting: 1, is_failing: true },
    ]);
    await world.ungrant(MEMBER);
    await world.grant(MEMBER, 'admin', { kind: 'workspace', workspace: WORKSPACE });
    expect((await ask('status.read', signed(MEMBER), {})).connectors).toBeUndefined();
  });
});
