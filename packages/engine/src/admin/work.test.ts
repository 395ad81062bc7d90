import {
  type Context,
  type ContextId,
  type Label,
  makeLabel,
  privTag,
  sha256,
  WITHHELD_TEXT,
} from '@agent-runtime/domain';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Actor } from '../api.ts';
import {
  approvedPost,
  BOSS,
  contextRow,
  HERE_LABEL,
  MEMBER,
  must,
  OPERATOR,
  ORIGIN,
  proposePost,
  proposeWrite,
  runOutbox,
  signed,
  TEST_AUDIT,
  tamper,
  type WORKSPACE,
} from '../settle/world.fixture.ts';
import {
  type AdminWorld,
  addPeople,
  fakeSignature,
  giveKey,
  KEY_ID,
  LORD,
  narrow,
  SOCKET,
  STRANGER,
  useAdmin,
} from './admin.fixture.ts';

const at = useAdmin();
const codeOf = (code: string) => expect.objectContaining({ code });
const ask: AdminWorld['ask'] = (...args) => at.admin.ask(...args);
const MISSING = codeOf('admin.id.missing');

beforeEach(async () => addPeople(at.admin));

/** A label of someone's private words in the origin. */
const privateTo = (user: typeof MEMBER): Label => makeLabel(1, [...HERE_LABEL.audience, privTag(user)]);

/** The body of an answer, signed by the fake key of `KEY_ID`. */
async function vote(
  actor: Actor,
  id: string,
  decision: 'grant' | 'deny' | 'release',
  change: Record<string, unknown> = {},
) {
  const shown = await ask('approval.show', actor, { id });
  const statement = {
    approval: shown.id,
    effect: shown.effect,
    digest: shown.digest,
    decision,
    expiry: shown.expiry,
    auditHead: shown.audit_head,
  };
  return {
    id: shown.id,
    digest: shown.digest,
    audit_head: shown.audit_head,
    key_id: KEY_ID,
    signature: fakeSignature(statement),
    ...change,
  };
}

describe('approval', () => {
  beforeEach(async () => giveKey(at.admin, OPERATOR));

  test('are listed while they wait; with a state those, with `all` every one', async () => {
    const { approval } = await proposePost(at.admin.world, 'first');
    const { approval: open } = await proposePost(at.admin.world, 'second');
    await ask('approval.deny', signed(OPERATOR), await vote(signed(OPERATOR), approval.id, 'deny'));
    const ids = async (input: Record<string, unknown>) =>
      (await ask('approval.list', signed(OPERATOR), input)).items.map((row) => row.id).sort();
    expect(await ids({})).toEqual([open.id]);
    expect(await ids({ state: 'denied' })).toEqual([approval.id]);
    expect(await ids({ state: 'all' })).toEqual([approval.id, open.id].sort());
  });

  test('shows what leaves byte for byte, hidden characters too, and why it is asked', async () => {
    const { approval, effect } = await proposePost(at.admin.world, 'pay\u202eevil');
    const shown = await ask('approval.show', signed(OPERATOR), { id: approval.id });
    expect(shown.bytes?.payloads).toEqual([{ text: 'pay\u202eevil' }]);
    expect(shown.bytes?.visible).toContain('⟨U+202E⟩');
    expect(shown.bytes?.has_hidden).toBe(true);
    expect(shown).toMatchObject({
      digest: effect.digest,
      is_intact: true,
      state: 'pending',
      requester: 'mia',
    });
    expect(shown.reasons).toContain('What leaves its origin needs an approval.');
  });

  test('shows what a write changes, for the very file that was looked at', async () => {
    const { files } = at.admin.world;
    files.texts.set('AGENTS.md', 'be kind\nbe brief\n');
    files.labels.set('AGENTS.md', makeLabel(2, HERE_LABEL.audience));
    const write = (text: string) =>
      proposeWrite(at.admin.world, 'AGENTS.md', text, sha256('be kind\nbe brief\n'));
    const { approval } = await write('be kind\nbe br\u200bief\nbe quick\n');
    const show = () => ask('approval.show', signed(OPERATOR), { id: approval.id });
    expect((await show()).diff).toEqual({
      added: 2,
      removed: 1,
      text: '@@ -1 +1 @@\n be kind\n-be brief\n+be br⟨U+200B⟩ief\n+be quick',
      is_cut: false,
    });
    const [card] = await at.admin.world.deps.store.read.find('effect', { kind: 'message.notice' });
    expect(JSON.stringify(card?.payloads)).toContain('+2 -1 lines');
    files.labels.set('AGENTS.md', makeLabel(2, [privTag(BOSS)]));
    expect(await show()).toMatchObject({ diff_note: 'The present text of the file is not for you.' });
    expect((await show()).diff).toBeUndefined();
    files.texts.set('AGENTS.md', 'be somebody else\n');
    expect((await show()).diff).toBeUndefined();
    expect((await show()).diff_note).toContain('not the one any more');
  });

  test('a card does not tell whether a file is there that may not be seen', async () => {
    const { files } = at.admin.world;
    files.texts.set('AGENTS.md', 'CANARY\n');
    await proposeWrite(at.admin.world, 'AGENTS.md', 'new\n');
    const [card] = await at.admin.world.deps.store.read.find('effect', { kind: 'message.notice' });
    expect(JSON.stringify(card?.payloads)).toContain('+1 -0 lines');
  });

  test('says when the stored bytes were changed', async () => {
    const { approval, effect } = await proposePost(at.admin.world, 'hello');
    await tamper(at.admin.world, 'effect', { id: effect.id }, { payloads: [{ text: 'hellO' }] });
    expect((await ask('approval.show', signed(OPERATOR), { id: approval.id })).is_intact).toBe(false);
    expect((await ask('effect.show', signed(OPERATOR), { id: effect.id })).is_intact).toBe(false);
  });

  test('a signed grant counts, its statement goes into vote and log, and the effect leaves', async () => {
    const { approval, effect } = await proposePost(at.admin.world, 'hello');
    const body = await vote(signed(OPERATOR), approval.id, 'grant');
    expect((await ask('approval.grant', signed(OPERATOR), body)).state).toBe('granted');
    const [kept] = (await at.admin.world.approval(approval.id)).votes;
    expect(kept).toMatchObject({ person: OPERATOR, via: 'signed', keyId: KEY_ID, signature: body.signature });
    expect(must(kept).signed).toContain(effect.digest);
    await runOutbox(at.admin.world);
    expect((await at.admin.world.effect(effect.id)).state).toBe('done');
    await expect(ask('approval.grant', signed(OPERATOR), body)).rejects.toMatchObject({ kind: 'conflict' });
  });

  test.each([
    ['another key’s name', { key_id: 'z'.repeat(43) }, 'approval.key.denied'],
    ['another digest', { digest: `sha256:${'0'.repeat(64)}` }, 'approval.digest.conflict'],
    ['a head that never was', { audit_head: `1:sha256:${'0'.repeat(64)}` }, 'approval.head.conflict'],
    ['a head of the future', { audit_head: `999:sha256:${'0'.repeat(64)}` }, 'approval.head.conflict'],
    ['no head', { audit_head: 'none' }, 'approval.head.conflict'],
    ['a signature of nothing', { signature: 'AAAA' }, 'signature.decision.unauthenticated'],
  ])('refuses %s', async (_name, change, code) => {
    const { approval } = await proposePost(at.admin.world, 'hello');
    const body = await vote(signed(OPERATOR), approval.id, 'grant', change);
    await expect(ask('approval.grant', signed(OPERATOR), body)).rejects.toEqual(codeOf(code));
    expect((await at.admin.world.approval(approval.id)).votes).toEqual([]);
  });

  test('a signed no is not a yes', async () => {
    const { approval } = await proposePost(at.admin.world, 'hello');
    const body = await vote(signed(OPERATOR), approval.id, 'deny');
    await expect(ask('approval.grant', signed(OPERATOR), body)).rejects.toEqual(
      codeOf('signature.decision.unauthenticated'),
    );
    expect((await ask('approval.deny', signed(OPERATOR), { ...body, reason: 'no' })).state).toBe('denied');
  });

  test('a key of somebody else, or a revoked one, proves nothing', async () => {
    const { approval } = await proposePost(at.admin.world, 'hello');
    const body = await vote(signed(BOSS), approval.id, 'grant');
    await expect(ask('approval.grant', signed(BOSS), body)).rejects.toEqual(codeOf('approval.key.denied'));
    await at.admin.world.deps.store.commit(TEST_AUDIT, async (tx) =>
      tx.update('identity_key', { id: KEY_ID }, { revokedAt: 1 }),
    );
    await expect(ask('approval.grant', signed(OPERATOR), body)).rejects.toEqual(
      codeOf('approval.key.denied'),
    );
  });

  test('is not there for people it is not for; its prefix finds it for the others', async () => {
    const { approval } = await proposePost(at.admin.world, 'hello');
    await expect(ask('approval.show', signed(STRANGER), { id: approval.id })).rejects.toEqual(MISSING);
    expect((await ask('approval.list', signed(STRANGER), {})).items).toEqual([]);
    expect((await ask('approval.list', signed(OPERATOR), {})).items.map((row) => row.id)).toEqual([
      approval.id,
    ]);
    expect((await ask('approval.show', signed(OPERATOR), { id: approval.id.slice(0, 14) })).id).toBe(
      approval.id,
    );
    const other = await proposePost(at.admin.world, 'more');
    await expect(ask('approval.show', signed(OPERATOR), { id: 'appr_' })).rejects.toMatchObject({
      code: 'admin.id.conflict',
      message: expect.stringContaining(other.approval.id),
    });
    // As many characters as the message names are enough.
    const refused = await ask('approval.show', signed(OPERATOR), { id: 'appr_' }).catch(String);
    const needed = Number(/Give at least (\d+) characters/.exec(String(refused))?.[1]);
    const short = (length: number) =>
      ask('approval.show', signed(OPERATOR), { id: approval.id.slice(0, length) });
    expect((await short(needed)).id).toBe(approval.id);
    await expect(short(needed - 1)).rejects.toEqual(codeOf('admin.id.conflict'));
    await expect(ask('approval.show', SOCKET, { id: approval.id })).rejects.toEqual(
      codeOf('policy.admin.denied'),
    );
  });

  test('an ambiguous beginning names only what is for the asker', async () => {
    const one = await proposePost(at.admin.world, 'hello');
    await proposePost(at.admin.world, 'more', { requester: { kind: 'user', user: BOSS } });
    // The member asked for the first one only, so for them it is unique.
    expect((await ask('approval.show', signed(MEMBER), { id: 'appr_' })).id).toBe(one.approval.id);
  });

  test('private text stays hidden from approvers until its owner has released it', async () => {
    const { approval } = await proposePost(at.admin.world, 'my secret', { label: privateTo(MEMBER) });
    const before = await ask('approval.show', signed(OPERATOR), { id: approval.id });
    expect(JSON.stringify(before)).not.toContain('my secret');
    expect(before.withheld).toBeDefined();
    expect(before.missing_releases).toEqual(['mia']);
    expect((await ask('approval.show', signed(MEMBER), { id: approval.id })).bytes?.payloads).toEqual([
      { text: 'my secret' },
    ]);
    const memberKey = 'm'.repeat(43);
    await giveKey(at.admin, MEMBER, memberKey);
    const body = await vote(signed(MEMBER), approval.id, 'release', { key_id: memberKey });
    await ask('approval.release', signed(MEMBER), body);
    expect((await ask('approval.show', signed(OPERATOR), { id: approval.id })).bytes?.payloads).toEqual([
      { text: 'my secret' },
    ]);
  });

  test('the requester withdraws; an edit makes a new question', async () => {
    const first = await proposePost(at.admin.world, 'hello');
    const edited = await ask('approval.edit', signed(OPERATOR), {
      id: first.approval.id,
      text: 'hello there',
    });
    expect(edited.id).not.toBe(first.approval.id);
    expect(edited.bytes?.payloads).toEqual([{ text: 'hello there' }]);
    expect((await at.admin.world.approval(first.approval.id)).state).toBe('superseded');
    expect((await ask('approval.withdraw', signed(MEMBER), { id: edited.id })).state).toBe('withdrawn');
    const again = await proposePost(at.admin.world, 'hello');
    await expect(ask('approval.withdraw', signed(OPERATOR), { id: again.approval.id })).rejects.toMatchObject(
      { kind: 'denied' },
    );
  });
});

describe('effect', () => {
  test('an uncertain one is resolved by staff', async () => {
    const id = await approvedPost(at.admin.world, 'hello');
    await tamper(at.admin.world, 'effect', { id }, { state: 'uncertain' });
    expect(
      (await ask('effect.list', signed(OPERATOR), { state: 'uncertain' })).items.map((row) => row.id),
    ).toEqual([id]);
    await expect(ask('effect.resolve', signed(MEMBER), { id, outcome: 'sent' })).rejects.toEqual(
      codeOf('policy.admin.denied'),
    );
    await ask('effect.resolve', signed(OPERATOR), { id, outcome: 'sent' });
    expect((await ask('effect.show', signed(OPERATOR), { id })).state).toBe('done');
    await expect(ask('effect.resolve', signed(OPERATOR), { id, outcome: 'sent' })).rejects.toMatchObject({
      kind: 'conflict',
    });
  });

  test('is listed for staff of its place and for who asked, in its workspace', async () => {
    const id = await approvedPost(at.admin.world, 'hello');
    for (const user of [OPERATOR, MEMBER])
      expect((await ask('effect.list', signed(user), {})).items.map((row) => row.id)).toContain(id);
    expect((await ask('effect.list', signed(STRANGER), {})).items).toEqual([]);
    expect((await ask('effect.list', signed(OPERATOR), { workspace: 'other' })).items).toEqual([]);
    await expect(ask('effect.list', SOCKET, {})).rejects.toEqual(codeOf('policy.admin.denied'));
  });
});

describe('task', () => {
  test('lists one’s own and, for staff, everyone’s', async () => {
    const own = await at.admin.finished(STRANGER);
    const idsFor = async (user: typeof MEMBER) =>
      (await ask('task.list', signed(user), {})).items.map((row) => row.id);
    expect(await idsFor(STRANGER)).toEqual([own.task.id]);
    expect(await idsFor(OPERATOR)).toContain(own.task.id);
    expect(await idsFor(MEMBER)).not.toContain(own.task.id);
    expect((await ask('task.list', signed(OPERATOR), { status: 'failed' })).items).toEqual([]);
    await expect(ask('task.list', SOCKET, {})).rejects.toEqual(codeOf('policy.admin.denied'));
  });

  test('shows runs and effects, and is not there for others', async () => {
    const { task, run } = await at.admin.finished(MEMBER);
    const shown = await ask('task.show', signed(MEMBER), { id: task.id });
    expect(shown.runs).toMatchObject([{ id: run.id, status: 'succeeded' }]);
    await expect(ask('task.show', signed(STRANGER), { id: task.id })).rejects.toEqual(MISSING);
  });

  test('abort, retry and steer reach the engine with the person who asked', async () => {
    const { task, run } = await at.admin.finished(MEMBER);
    await ask('task.abort', signed(MEMBER), { id: task.id });
    await ask('task.retry', signed(MEMBER), { id: task.id });
    await ask('task.steer', signed(MEMBER), { id: task.id, text: 'shorter' });
    expect(at.admin.calls.map(([name, id]) => [name, id])).toEqual([
      ['abort', run.id],
      ['retry', task.id],
      ['steer', run.id],
    ]);
    for (const name of ['task.abort', 'task.retry'] as const)
      await expect(ask(name, signed(STRANGER), { id: task.id })).rejects.toEqual(MISSING);
  });

  test('words of a direct talk are for its person alone', async () => {
    const direct: Context = {
      ...contextRow('dm-mia' as ContextId, 'dm', 1),
      kind: 'direct',
      directWith: MEMBER,
    }; // safe: a slug
    await at.admin.world.deps.store.commit(TEST_AUDIT, async (tx) => tx.insert('context', direct));
    const { task, run } = await at.admin.finished(MEMBER, {
      title: 'my illness',
      in: 'dm-mia',
      label: makeLabel(1, ['ctx:acme/dm-mia', privTag(MEMBER)]),
      output: 'a private answer',
    });
    expect((await ask('task.show', signed(OPERATOR), { id: task.id })).title).toBe(WITHHELD_TEXT);
    expect((await ask('run.show', signed(OPERATOR), { id: run.id })).output).toBe(WITHHELD_TEXT);
    expect((await ask('task.show', signed(MEMBER), { id: task.id })).title).toBe('my illness');
    expect((await ask('run.show', signed(MEMBER), { id: run.id })).output).toBe('a private answer');
  });

  test('an answer whose label does not fit its own context is withheld from the asker as well', async () => {
    const { run } = await at.admin.finished(MEMBER, { label: makeLabel(1, ['ws:elsewhere']) });
    expect((await ask('run.show', signed(MEMBER), { id: run.id })).output).toBe(WITHHELD_TEXT);
    expect((await ask('run.show', signed(BOSS), { id: run.id })).output).toBe('the answer'); // admin of everything may read there
    await narrow(at.admin, BOSS, 'admin');
    expect((await ask('run.show', signed(BOSS), { id: run.id })).output).toBe(WITHHELD_TEXT);
  });
});

describe('ask', () => {
  const input = { text: 'ping', idempotency_key: 'key-0001' };

  test('goes through the one door as the person, in the closed context of the command line', async () => {
    const reply = await ask('ask.post', signed(MEMBER), input);
    const arrival = must(at.admin.arrivals[0]);
    expect(arrival).toMatchObject({
      door: 'cli',
      authenticated: { principal: { kind: 'user', user: MEMBER }, context: reply.context },
    });
    expect(arrival.event).toMatchObject({
      source: 'cli:test',
      externalId: `${MEMBER}:key-0001`,
      text: 'ping',
      isAddressed: true,
      isRelayed: false,
    });
    const context = must(
      await at.admin.world.deps.store.read.get('context', { id: reply.context as ContextId }),
    ); // safe: from the answer
    expect(context).toMatchObject({ kind: 'cli', openness: 'closed', workspace: 'acme', owner: BOSS });
    expect(at.admin.saved).toEqual([`context ${context.id}`]);
    expect((await ask('ask.post', signed(OPERATOR), input)).context).toBe(reply.context);
  });

  test('keeps conversations of people apart, also under one name', async () => {
    await ask('ask.post', signed(MEMBER), { ...input, conversation: 'trip' });
    await ask('ask.post', signed(OPERATOR), { ...input, conversation: 'trip' });
    const [one, two] = at.admin.arrivals.map((arrival) => arrival.conversationKey);
    expect(one).not.toBe(two);
    await ask('ask.post', signed(MEMBER), { ...input, conversation: 'trip', idempotency_key: 'key-0002' });
    expect(at.admin.arrivals[2]?.conversationKey).toBe(one);
  });

  test('of several workspaces takes one in which the asker may start work', async () => {
    await at.admin.world.clock.advance(1_000);
    for (const id of ['second', 'third']) await ask('workspace.create', signed(LORD), { id });
    await at.admin.world.grant(STRANGER, 'viewer');
    const refused = ask('ask.post', signed(STRANGER), input);
    await expect(refused).rejects.toEqual(codeOf('policy.admin.denied'));
    await at.admin.world.grant(STRANGER, 'member', {
      kind: 'workspace',
      workspace: 'third' as typeof WORKSPACE, // safe: made above
    });
    expect(await ask('ask.post', signed(STRANGER), input)).toMatchObject({
      context: 'cli-third',
      taken: 'third',
    });
  });

  test('in a named context, if it is one’s own to see', async () => {
    expect((await ask('ask.post', signed(MEMBER), { ...input, context: ORIGIN })).context).toBe(ORIGIN);
    await expect(ask('ask.post', signed(STRANGER), { ...input, context: ORIGIN })).rejects.toEqual(MISSING);
    await expect(ask('ask.post', signed(MEMBER), { ...input, context: 'nowhere' })).rejects.toEqual(MISSING);
    expect(at.admin.arrivals).toHaveLength(1);
  });

  test('a viewer makes no context and starts nothing', async () => {
    await at.admin.world.grant(STRANGER, 'viewer');
    await expect(ask('ask.post', signed(STRANGER), input)).rejects.toEqual(codeOf('policy.admin.denied'));
    expect(await at.admin.world.deps.store.read.count('context', { kind: 'cli' })).toBe(0);
    expect(at.admin.arrivals).toEqual([]);
  });

  test('without a role there is no workspace, with two the oldest is taken and said', async () => {
    await expect(ask('ask.post', signed(STRANGER), input)).rejects.toEqual(MISSING);
    expect((await ask('ask.post', signed(MEMBER), input)).taken).toBeUndefined();
    await at.admin.world.clock.advance(1_000);
    await ask('workspace.create', signed(LORD), { id: 'aaa' });
    await ask('workspace.create', signed(LORD), { id: 'second' });
    expect(await ask('ask.post', signed(MEMBER), input)).toMatchObject({
      context: 'cli-acme',
      taken: 'acme',
    });
    // What is not a question goes on asking which one is meant, and names the flag.
    await expect(ask('label.list', signed(BOSS), {})).rejects.toMatchObject({
      code: 'workspace.choice.invalid',
      message: 'Say which workspace with --workspace: aaa, acme, second.',
    });
    expect((await ask('ask.post', signed(MEMBER), { ...input, workspace: 'second' })).context).toBe(
      'cli-second',
    );
    await expect(ask('ask.post', SOCKET, input)).rejects.toEqual(codeOf('policy.admin.denied'));
  });
});

describe('standing', () => {
  const limits = {
    workspace: 'acme',
    effect_kind: 'message.post',
    connector: 'chat',
    account: 'test',
    recipients: ['news-channel'],
    per_day: 1,
    max_uses: 3,
    ends_at: '2027-01-01T00:00:00.000Z',
  };

  test('is given, listed and revoked by admins, once', async () => {
    const row = await ask('standing.add', signed(BOSS), limits);
    expect((await ask('standing.list', signed(OPERATOR), { workspace: 'acme' })).items).toMatchObject([
      { id: row.id, granted_by: 'boss', uses: 0 },
    ]);
    expect((await ask('standing.revoke', signed(BOSS), { id: row.id })).revoked_at).toBeDefined();
    await expect(ask('standing.revoke', signed(BOSS), { id: row.id })).rejects.toEqual(
      codeOf('approval.standing.conflict'),
    );
    expect(await at.admin.world.actions(row.id)).toEqual(['approval.stand', 'approval.revoke']);
  });

  test('is refused to operators, strangers and the socket, in the past and in no workspace', async () => {
    for (const user of [OPERATOR, STRANGER])
      await expect(ask('standing.add', signed(user), limits)).rejects.toEqual(codeOf('policy.admin.denied'));
    await expect(ask('standing.add', SOCKET, limits)).rejects.toEqual(codeOf('policy.admin.denied'));
    await expect(
      ask('standing.add', signed(BOSS), { ...limits, ends_at: '2020-01-01T00:00:00.000Z' }),
    ).rejects.toEqual(codeOf('approval.standing.conflict'));
    await expect(ask('standing.add', signed(BOSS), { ...limits, workspace: 'nowhere' })).rejects.toEqual(
      MISSING,
    );
    const row = await ask('standing.add', signed(BOSS), limits);
    await expect(ask('standing.revoke', signed(OPERATOR), { id: row.id })).rejects.toEqual(
      codeOf('policy.admin.denied'),
    );
    await expect(ask('standing.revoke', signed(MEMBER), { id: row.id })).rejects.toEqual(MISSING);
    expect((await ask('standing.list', signed(MEMBER), {})).items).toEqual([]);
  });
});
