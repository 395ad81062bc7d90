import {
  type Approval,
  type ContextId,
  type ConversationId,
  type Draft,
  deny as denial,
  type Effect,
  effectDigest,
  INTEGRITY,
  type Message,
  type MessageId,
  makeLabel,
  permit,
  type StandingApproval,
  type StandingId,
  type WorkspaceId,
} from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { approve, makeButtons } from '../approval/index.ts';
import { scriptedConnector } from '../settle/outside.fixture.ts';
import {
  approvedPost,
  arrivedOf,
  BOSS,
  contextRow,
  HERE_LABEL,
  MEMBER,
  must,
  OPERATOR,
  ORIGIN,
  person,
  proposePost,
  proposeWrite,
  runOutbox,
  SECOND,
  TEST_AUDIT,
  tamper,
  useWorld,
  WORKSPACE,
} from '../settle/world.fixture.ts';
import { approvalCard } from './card.ts';
import {
  classOfWrite,
  effectKindOf,
  makeEffect,
  policyRules,
  proposalFacts,
  reachFacts,
  replyEffect,
} from './index.ts';

const at = useWorld();

describe('propose', () => {
  test('stores the final bytes, their digest and an open question in one commit', async () => {
    const { effect, approval } = await proposePost(at.world, 'one\n\ntwo');
    const stored = await at.world.effect(effect.id);
    expect(stored.payloads).toEqual([{ text: 'one' }, { text: 'two' }]);
    expect(stored.digest).toBe(effectDigest(stored));
    expect(await at.world.approval(approval.id)).toMatchObject({
      effect: effect.id,
      digest: stored.digest,
      state: 'pending',
      tier: 'medium',
      approverRole: 'operator',
      needed: 1,
      requesterPerson: MEMBER,
      expiresAt: at.world.clock.nowMs() + 24 * 3_600_000,
    });
    expect(await at.world.actions(effect.id)).toEqual(['effect.propose']);
    const [event] = await at.world.opened.audit.tail(1, { action: 'effect.propose' });
    expect(event?.data).toMatchObject({
      digest: stored.digest,
      content: { digest: stored.digest },
      approval: approval.id,
      reasons: ['policy.external'],
      label: { integrity: 1, audience: HERE_LABEL.audience },
    });
  });

  test('says on the card when fewer people can approve than policy wants', async () => {
    await tamper(at.world, 'workspace', { id: WORKSPACE }, { settings: { approversForHigh: 9 } });
    const { effect } = await proposeWrite(at.world, 'AGENTS.md', 'rules');
    const [card] = await at.world.deps.store.read.find('effect', {
      kind: 'message.notice',
      task: effect.task,
    });
    expect(JSON.stringify(card?.payloads)).toContain('Policy wants 9 approvers, only 1 can approve.');
    await tamper(at.world, 'workspace', { id: WORKSPACE }, { settings: { approversForHigh: 1 } });
    await proposeWrite(at.world, 'SOUL.md', 'rules');
    const cards = await at.world.deps.store.read.find('effect', { kind: 'message.notice' });
    expect(cards.filter((one) => JSON.stringify(one.payloads).includes('Policy wants'))).toHaveLength(1);
  });

  test('the end can be configured by tier', async () => {
    const config = { ...at.world.deps.config, approvalExpiryMs: { medium: 1_000 } };
    const world = await at.restart({ config });
    const { approval } = await proposePost(world, 'hello');
    expect(approval.expiresAt - approval.createdAt).toBe(1_000);
  });

  test.each([
    ['a permit', permit('x', 'y')],
    ['a denial', denial('x', 'y')],
    [
      'a permit with a demand',
      permit('x', 'y', { kind: 'approval', tier: 'low', approverRole: 'operator', needed: 1, releasers: [] }),
    ],
    ['an ask without its demand', { ...permit('x', 'y'), kind: 'ask' as const }],
  ])('%s is no reason to ask people', async (_name, decision) => {
    await expect(proposePost(at.world, 'hello', { decision })).rejects.toMatchObject({
      code: 'effect.decision.bug',
    });
    expect(await at.world.deps.store.read.count('effect', {})).toBe(0);
  });

  test('at most three questions of a task are open, also when they race', async () => {
    const tries = await Promise.allSettled([1, 2, 3, 4, 5].map((n) => proposePost(at.world, `post ${n}`)));
    expect(tries.filter((one) => one.status === 'fulfilled')).toHaveLength(3);
    expect(await proposalFacts(at.world.deps.store.read, at.world.task.id, 'message.post')).toEqual({
      pendingOfTask: 3,
      wasKindDenied: false,
    });
  });

  test('nothing is asked any more for a run that was stopped while it was written', async () => {
    const stop = new AbortController();
    stop.abort();
    await expect(proposePost(at.world, 'hello', { signal: stop.signal })).rejects.toMatchObject({
      code: 'effect.run.cancelled',
    });
    expect(await at.world.deps.store.read.count('effect', {})).toBe(0);
    const live = { signal: new AbortController().signal };
    expect((await proposePost(at.world, 'hello', live)).effect.state).toBe('proposed');
  });

  test('a no of a person closes that kind for the task; what settle stopped, and other kinds, do not', async () => {
    const { effect } = await proposePost(at.world, 'hello');
    const facts = () => proposalFacts(at.world.deps.store.read, at.world.task.id, 'message.post');
    const error = { code: 'settle.decision.denied', kind: 'denied', message: 'x' };
    await tamper(at.world, 'effect', { id: effect.id }, { state: 'denied', error });
    expect(await facts()).toEqual({ pendingOfTask: 0, wasKindDenied: false });
    await tamper(at.world, 'effect', { id: effect.id }, { kind: 'file.write', error: undefined });
    expect(await facts()).toMatchObject({ wasKindDenied: false });
    await tamper(at.world, 'effect', { id: effect.id }, { kind: 'message.post' });
    expect(await facts()).toMatchObject({ wasKindDenied: true });
    await expect(proposePost(at.world, 'again')).rejects.toMatchObject({ code: 'effect.kind.denied' });
  });

  test('the card enters the conversation that asked', async () => {
    const here = must(at.world.task.conversation);
    await at.world.deps.store.commit(TEST_AUDIT, async (tx) => {
      const newer = { key: 'newer', isOpen: true, createdAt: 9e15, lastAt: 9e15 };
      const id = 'conv_00000000000000000009' as ConversationId; // safe: alphabet of ids
      await tx.insert('context_conversation', { id, workspace: WORKSPACE, context: ORIGIN, ...newer });
    });
    await proposePost(at.world, 'hello');
    const cards = await at.world.deps.store.read.find('context_message', { direction: 'out' });
    expect(cards.map((card) => card.conversation)).toEqual([here]);
  });

  test('from a place that is gone nobody is told, and no standing approval counts', async () => {
    const gone = { ...at.world.context, id: 'gone' as ContextId }; // safe: a slug
    const nowMs = at.world.clock.nowMs();
    await at.world.deps.store.commit(TEST_AUDIT, (tx) =>
      tx.insert('approval_standing', {
        id: 'stnd_00000000000000000002' as StandingId, // safe: alphabet of ids
        workspace: WORKSPACE,
        effectKind: 'message.post',
        connector: 'chat',
        account: 'test',
        body: { kind: 'recipients' },
        recipients: ['news-channel'],
        perDay: 9,
        maxUses: 9,
        grantedBy: BOSS,
        uses: [],
        createdAt: nowMs,
        endsAt: nowMs + 1_000,
      }),
    );
    const { approval } = await proposePost(at.world, 'hello', { context: gone });
    expect(approval.state).toBe('pending');
    expect(await at.world.deps.store.read.count('effect', { kind: 'message.notice' })).toBe(0);
  });

  test('nothing is proposed under panic', async () => {
    const { decision } = await askedBefore();
    at.world.panic.turnOn('test', 0);
    await expect(proposePost(at.world, 'hello', { decision })).rejects.toMatchObject({
      code: 'effect.panic.cancelled',
    });
  });

  test('a place that fetches its answers takes no posts; nothing is nothing to send', async () => {
    const pull = scriptedConnector('cli', 'pull');
    const act = { kind: 'message', connector: pull, channel: 'x', draft: { text: 'hello' } } as const;
    await expect(proposePost(at.world, '', { act })).rejects.toMatchObject({ code: 'effect.sink.invalid' });
    await expect(proposePost(at.world, '')).rejects.toMatchObject({ code: 'effect.payload.invalid' });
  });

  async function askedBefore() {
    const { effect } = await proposePost(at.world, 'first');
    const decision = {
      kind: 'ask' as const,
      reasons: [{ code: 'policy.external', text: 'x' }],
      obligations: [
        {
          kind: 'approval' as const,
          tier: 'low' as const,
          approverRole: 'operator' as const,
          needed: 1,
          releasers: [],
        },
      ],
    };
    return { effect, decision };
  }
});

describe('the card', () => {
  async function cardText(): Promise<string> {
    await runOutbox(at.world);
    return String(at.world.chat.sent.at(-1)?.payload.text);
  }

  test('shows the text where it may be read, with the end and the head of the log', async () => {
    const { approval } = await proposePost(at.world, 'hello\u202eworld');
    const text = await cardText();
    expect(text).toContain(approval.id);
    expect(text).toContain('> hello⟨U+202E⟩world');
    expect(text).toContain('/approve');
    expect(text).toMatch(/Log \d+:[0-9a-f]+/);
    expect(text).toContain(new Date(approval.expiresAt).toISOString());
  });

  test('elsewhere id and kind, and not a word of the text', async () => {
    const label = makeLabel(1, [`priv:${BOSS}`]);
    const { approval } = await proposePost(at.world, 'canary', { label });
    const text = await cardText();
    expect(text).toContain(approval.id);
    expect(text).not.toContain('canary');
    expect(text).not.toContain('news-channel');
  });

  async function cardOf(more: Partial<Effect>, asked: Partial<Approval> = {}) {
    const { effect, approval } = await proposePost(at.world, 'hello');
    const facts = { head: '1:sha256:x' };
    return approvalCard({ ...effect, ...more }, { ...approval, ...asked }, at.world.context, facts);
  }
  const quotedIn = (text: string) => text.split('\n').filter((line) => line.startsWith('> '));

  test('says what, to whom, whose words, how risky, until when, and every word of every part', async () => {
    const payloads = [{ text: 'a' }, { method: 'send', body: { content: 'b\nc' } }];
    const { text, look, acts } = await cardOf({ payloads, recipients: ['one', 'tw\u202eo'] });
    expect(look).toEqual({ title: 'Approval wanted, tier medium', tone: 'ask' });
    expect(text).toContain('Post to chat/news-channel');
    expect(text).toContain('To: one, tw⟨U+202E⟩o');
    expect(text).toContain(`Text: text of a paired person or a model; belongs to ctx:${WORKSPACE}/ops`);
    expect(quotedIn(text)).toEqual(['> a', '> b', '> c']);
    expect(acts).toEqual(['approve', 'deny', 'edit']);
  });

  test.each<[string, Effect['payloads'], readonly string[], string | undefined]>([
    ['that fit into a form', [{ text: 'x'.repeat(4_000) }], ['approve', 'deny', 'edit'], undefined],
    ['that fit into none', [{ text: 'x'.repeat(4_001) }], ['approve', 'deny'], undefined],
    ['at the limit', [{ text: 'x'.repeat(20_000) }], ['approve', 'deny'], undefined],
    ['beyond it', [{ text: 'x'.repeat(20_001) }], ['deny'], `> ${'x'.repeat(2_000)}…`],
    ['beside something that has none', [{ text: 'a' }, { image: 'x' }], ['deny'], '> a'],
  ])('of words %s offers a yes only where all of them stand', async (_what, payloads, acts, shown) => {
    const card = await cardOf({ payloads });
    expect(card.acts).toEqual(acts);
    expect(quotedIn(card.text)).toEqual([shown ?? `> ${payloads[0]?.text}`]);
    expect(card.text.includes('There is more than can be shown here')).toBe(shown !== undefined);
  });

  test('of tier high, or whose words are not for the place, has no Approve', async () => {
    const high = await cardOf({}, { tier: 'high' });
    expect(high.acts).toEqual(['deny', 'edit']);
    expect(high.text).toContain('Tier high: approve in the TUI');
    const bare = await cardOf({ label: makeLabel(1, [`priv:${BOSS}`]) });
    expect(bare.acts).toEqual(['deny']);
    expect(bare.text).not.toContain('hello');
    expect(bare.look.title).toBe('Approval wanted, tier medium');
  });

  test('has a button for each act, under an id of its own that nobody guesses', async () => {
    const { approval } = await proposePost(at.world, 'hello');
    const { deps } = at.world;
    const [card] = await deps.store.read.find('effect', { kind: 'message.notice' });
    const rows = await deps.store.read.find('approval_button', {});
    expect(rows.map((row) => row.act).sort()).toEqual(['approve', 'deny', 'edit']);
    expect(new Set(rows.map((row) => row.id)).size).toBe(3);
    for (const row of rows) {
      expect(row).toMatchObject({
        context: ORIGIN,
        card: card?.id,
        approval: approval.id,
        digest: approval.digest,
        expiresAt: approval.expiresAt,
      });
      expect(row.id.length).toBeGreaterThanOrEqual(22);
      expect(Buffer.byteLength(`x${row.id}`)).toBeLessThanOrEqual(64);
    }
    const { shown } = makeButtons(deps, approval, ['deny', 'edit']);
    expect(shown.map((button) => button.form?.about)).toEqual(['reason', 'edit']);
  });

  test('has none where nothing is pushed, and none that nothing would be known of', async () => {
    await at.world.deps.store.commit(TEST_AUDIT, (tx) =>
      tx.update('task', { kind: 'chat' }, { door: 'http' }),
    );
    await proposePost(at.world, 'hello');
    expect(await at.world.deps.store.read.count('approval_button', {})).toBe(0);
  });

  test('that is withheld comes alone: without buttons, without its looks', async () => {
    const seen: Draft[] = [];
    const chat = scriptedConnector();
    const render = (draft: Draft) => [...(seen.push(draft) ? [{ text: draft.text }] : [])];
    const { text } = replyEffect(
      { ...at.world.deps, connectors: [{ ...chat, render }] },
      {
        context: at.world.context,
        requester: person(MEMBER),
        draft: {
          text: 'canary',
          replyTo: 'm1',
          card: { title: 'T', tone: 'ask' },
          buttons: [{ id: 'b', label: 'Approve' }],
          edits: 'm0',
        },
        label: makeLabel(1, [`priv:${BOSS}`]),
        trustedUrls: new Set(),
        kind: 'notice',
      },
    );
    expect(seen).toEqual([{ text, replyTo: 'm1', live: undefined }]);
  });

  test('counts the messages', async () => {
    expect((await proposePost(at.world, 'a')).effect.summary).toContain('(1 message, 1 characters)');
    expect((await proposePost(at.world, 'a\n\nb')).effect.summary).toContain('(2 messages, 4 characters)');
  });

  test('of tier high sends people to their key', async () => {
    const { approval } = await proposeWrite(at.world, 'AGENTS.md', 'rules');
    expect(await cardText()).toContain(`agent-runtime approval approve ${approval.id}`);
  });
});

describe('a standing approval', () => {
  const TEMPLATE: Omit<StandingApproval, 'id' | 'createdAt' | 'endsAt'> = {
    workspace: WORKSPACE,
    effectKind: 'message.post',
    connector: 'chat',
    account: 'test',
    body: { kind: 'template', template: 'We are {{count:number}} now.' },
    recipients: ['news-channel'],
    perDay: 2,
    maxUses: 3,
    grantedBy: OPERATOR,
    uses: [],
  };

  async function standing(change: Partial<StandingApproval> = {}): Promise<StandingApproval> {
    const nowMs = at.world.clock.nowMs();
    const id = 'stnd_00000000000000000001' as StandingId; // safe: alphabet of ids
    const row = { ...TEMPLATE, id, createdAt: nowMs, endsAt: nowMs + 30 * 24 * 3_600_000, ...change };
    await at.world.deps.store.commit(TEST_AUDIT, (tx) => tx.insert('approval_standing', row));
    return row;
  }

  test('answers at once, for this digest, and counts the use in the same commit', async () => {
    const rule = await standing();
    const { effect, approval } = await proposePost(at.world, 'We are 12 now.');
    expect(approval).toMatchObject({ state: 'granted', standing: rule.id, digest: effect.digest });
    expect(approval.votes).toMatchObject([{ person: OPERATOR, via: 'standing', digest: effect.digest }]);
    const [stored] = await at.world.deps.store.read.find('approval_standing', {});
    expect(stored?.uses).toEqual([{ at: at.world.clock.nowMs(), digest: effect.digest }]);
    expect(await at.world.actions(approval.id)).toEqual(['approval.mint']);
    await runOutbox(at.world);
    expect(arrivedOf(at.world, effect.id)).toEqual([{ text: 'We are 12 now.' }]);
  });

  test('its limits hold also against a race', async () => {
    await standing({ perDay: 1 });
    const both = await Promise.all([
      proposePost(at.world, 'We are 1 now.'),
      proposePost(at.world, 'We are 2 now.'),
    ]);
    expect(both.map(({ approval }) => approval.state).sort()).toEqual(['granted', 'pending']);
  });

  test.each<readonly [string, Partial<StandingApproval>, string]>([
    ['other words', {}, 'We are many now.'],
    ['another recipient', { recipients: ['elsewhere'] }, 'We are 1 now.'],
    ['after it was revoked', { revokedAt: 1 }, 'We are 1 now.'],
    ['after its end', { endsAt: 1 }, 'We are 1 now.'],
    ['when its uses are spent', { maxUses: 0 }, 'We are 1 now.'],
    ['when its granter never had the role', { grantedBy: MEMBER }, 'We are 1 now.'],
    [
      'free text to places that are not ours',
      { body: { kind: 'recipients' }, recipients: ['news-channel', 'x'], workspace: 'other' as WorkspaceId },
      'free',
    ], // safe: a slug
  ])('does not cover %s', async (_name, change, text) => {
    await standing(change);
    const { approval } = await proposePost(at.world, text);
    expect(approval.state).toBe('pending');
  });

  test('free text goes to fixed own places only', async () => {
    await standing({ body: { kind: 'recipients' } });
    expect((await proposePost(at.world, 'a digest')).approval.state).toBe('granted');
    await tamper(at.world, 'context', { channel: 'news-channel' }, { channel: 'moved' });
    expect((await proposePost(at.world, 'a digest')).approval.state).toBe('pending');
  });

  test('the account of a paired person is an own place too', async () => {
    await standing({ body: { kind: 'recipients' } });
    await tamper(at.world, 'context', { channel: 'news-channel' }, { channel: 'moved' });
    await at.world.deps.store.commit(TEST_AUDIT, (tx) =>
      tx.insert('identity_link', {
        id: 'link_00000000000000000001',
        connector: 'chat',
        externalId: 'news-channel',
        user: SECOND,
        displayName: 'otto',
        createdAt: 0,
      }),
    );
    expect((await proposePost(at.world, 'a digest')).approval.state).toBe('granted');
  });

  test('private text and questions to several people are never covered', async () => {
    await standing({ body: { kind: 'recipients' } });
    const label = makeLabel(1, [...HERE_LABEL.audience, `priv:${MEMBER}`]);
    expect((await proposePost(at.world, 'a', { label })).approval.state).toBe('pending');
    const needsTwo = {
      kind: 'ask' as const,
      reasons: [{ code: 'policy.external', text: 'x' }],
      obligations: [
        {
          kind: 'approval' as const,
          tier: 'high' as const,
          approverRole: 'operator' as const,
          needed: 2,
          releasers: [],
        },
      ],
    };
    expect((await proposePost(at.world, 'a', { decision: needsTwo })).approval.state).toBe('pending');
  });

  test('ends with its granter’s role and with its revocation, also for what it approved before', async () => {
    const rule = await standing();
    const first = await proposePost(at.world, 'We are 1 now.');
    await tamper(at.world, 'approval_standing', { id: rule.id }, { revokedAt: 1 });
    await runOutbox(at.world);
    expect(arrivedOf(at.world, first.effect.id)).toEqual([]);
    await tamper(at.world, 'approval_standing', { id: rule.id }, { revokedAt: undefined });
    const second = await proposePost(at.world, 'We are 2 now.');
    expect(second.approval.state).toBe('granted');
    await at.world.ungrant(OPERATOR);
    await runOutbox(at.world);
    expect(arrivedOf(at.world, second.effect.id)).toEqual([]);
  });
});

describe('whom a post would reach', () => {
  const reach = (channel: string, label = HERE_LABEL) =>
    reachFacts(at.world.deps.store.read, {
      origin: at.world.context,
      conversation: at.world.task.conversation,
      requester: person(MEMBER),
      connector: at.world.chat,
      channel,
      label,
    });

  test('a bound channel of the workspace is known', async () => {
    expect(await reach('news-channel')).toEqual({
      hasNewRecipient: false,
      isReplyToParticipants: false,
      isKnownChannel: true,
      isBackToSource: false,
      hasAttachment: false,
    });
  });

  test('an unknown one is new until something arrived there', async () => {
    expect(await reach('mail-of-a-stranger')).toMatchObject({ hasNewRecipient: true, isKnownChannel: false });
    const { effect } = await proposePost(at.world, 'hello', { channel: 'mail-of-a-stranger' });
    expect(await reach('mail-of-a-stranger')).toMatchObject({ hasNewRecipient: true });
    await tamper(at.world, 'effect', { id: effect.id }, { state: 'done' });
    expect(await reach('mail-of-a-stranger')).toMatchObject({
      hasNewRecipient: false,
      isKnownChannel: false,
    });
  });

  test.each([
    ['connector', { connector: 'mail', account: 'test', address: 'stranger' }],
    ['account', { connector: 'chat', account: 'second', address: 'stranger' }],
    ['address', { connector: 'chat', account: 'test', address: 'another' }],
  ])('what arrived at another %s makes it no less new', async (_name, sink) => {
    const { effect } = await proposePost(at.world, 'hello', { channel: 'stranger' });
    await tamper(at.world, 'effect', { id: effect.id }, { state: 'done', sink });
    expect(await reach('stranger')).toMatchObject({ hasNewRecipient: true });
  });

  test('a channel of another workspace is new', async () => {
    const row = contextRow('far' as ContextId, 'far-channel', 0); // safe: a slug
    await at.world.deps.store.commit(
      TEST_AUDIT,
      (tx) => tx.insert('context', { ...row, workspace: 'other' as WorkspaceId }), // safe: a slug
    );
    expect(await reach('far-channel')).toMatchObject({ hasNewRecipient: true, isKnownChannel: false });
  });

  test('the origin and the direct chats of participants are replies', async () => {
    expect(await reach('ops-channel')).toMatchObject({ isReplyToParticipants: true, isBackToSource: true });
    const foreign = makeLabel(1, [...HERE_LABEL.audience, `ws:${WORKSPACE}`]);
    expect(await reach('ops-channel', foreign)).toMatchObject({ isBackToSource: false });
    await at.world.deps.store.commit(TEST_AUDIT, async (tx) => {
      await tx.insert('context', { ...contextRow('dm-mia' as ContextId, 'mia', 0), directWith: MEMBER }); // safe: a slug
      await tx.insert('context', { ...contextRow('dm-otto' as ContextId, 'otto', 0), directWith: SECOND }); // safe: a slug
    });
    expect(await reach('mia')).toMatchObject({ isReplyToParticipants: true });
    expect(await reach('otto')).toMatchObject({ isReplyToParticipants: false });
  });
});

describe('who takes part in a conversation', () => {
  const toOtto = (conversation?: ConversationId) =>
    reachFacts(at.world.deps.store.read, {
      origin: at.world.context,
      conversation,
      requester: person(MEMBER),
      connector: at.world.chat,
      channel: 'otto',
      label: HERE_LABEL,
    });

  test('whoever spoke in it, and nobody who spoke elsewhere', async () => {
    const conversation = must(at.world.task.conversation);
    const said = (id: string, seq: number, where: ConversationId): Message => ({
      id: id as MessageId, // safe: alphabet of ids
      seq,
      conversation: where,
      workspace: WORKSPACE,
      context: ORIGIN,
      direction: 'in',
      sender: SECOND,
      senderName: 'otto',
      text: 'hello',
      label: HERE_LABEL,
      isPromptable: true,
      at: 0,
    });
    const elsewhere = 'conv_00000000000000000009' as ConversationId; // safe: alphabet of ids
    await at.world.deps.store.commit(TEST_AUDIT, async (tx) => {
      await tx.insert('context', { ...contextRow('dm-otto' as ContextId, 'otto', 0), directWith: SECOND }); // safe: a slug
      await tx.insert('context_message', said('msg_00000000000000000001', 1, elsewhere));
    });
    expect(await toOtto(conversation)).toMatchObject({ isReplyToParticipants: false });
    expect(await toOtto()).toMatchObject({ isReplyToParticipants: false });
    expect(await toOtto(elsewhere)).toMatchObject({ isReplyToParticipants: true });
  });

  test('what belongs to no task is counted for none', async () => {
    const { effect } = await proposePost(at.world, 'hello');
    await tamper(at.world, 'effect', { id: effect.id }, { task: undefined, state: 'denied' });
    await proposePost(at.world, 'hello', { task: undefined });
    expect(await proposalFacts(at.world.deps.store.read, undefined, 'message.post')).toEqual({
      pendingOfTask: 0,
      wasKindDenied: false,
    });
  });
});

describe('the rules of a moment', () => {
  test('people who left and tokens that ended give nothing, whatever their rows say', async () => {
    const rules = () => policyRules(at.world.deps, at.world.deps.store.read, ORIGIN);
    expect((await rules()).eligibleApprovers).toBe(3);
    await tamper(at.world, 'identity_user', { id: SECOND }, { isActive: false });
    expect((await rules()).eligibleApprovers).toBe(2);
    expect((await rules()).grants.map((grant) => grant.principal)).not.toContain(SECOND);
  });

  test('who asks does not count among those who could approve', async () => {
    const rules = await policyRules(at.world.deps, at.world.deps.store.read, ORIGIN, BOSS);
    expect(rules.eligibleApprovers).toBe(2);
  });

  test('an unknown context gives no settings, so everything there is denied', async () => {
    const rules = await policyRules(at.world.deps, at.world.deps.store.read, 'nowhere' as ContextId); // safe: a slug
    expect([rules.context, rules.settings]).toEqual([undefined, undefined]);
  });
});

describe('an answer', () => {
  const reply = (context = at.world.context, text = 'hello', label = HERE_LABEL) =>
    replyEffect(at.world.deps, {
      context,
      requester: person(MEMBER),
      draft: { text },
      label,
      trustedUrls: new Set(['https://known.example']),
      kind: 'reply',
    });

  test('is rendered by its connector and permitted', () => {
    const { effect, text } = reply(at.world.context, 'a\n\nb https://known.example');
    expect(effect).toMatchObject({
      class: 'E0',
      state: 'approved',
      decision: 'permit',
      kind: 'message.reply',
    });
    expect(effect.payloads).toEqual([{ text: 'a' }, { text: 'b https://known.example' }]);
    expect(text).toBe('a\n\nb https://known.example');
  });

  test('a door that fetches has it as soon as it is committed', () => {
    const { effect } = reply({ ...at.world.context, connector: 'cli', kind: 'cli' });
    expect([effect.state, effect.settledAt]).toEqual(['done', at.world.clock.nowMs()]);
  });

  test('a door that nobody serves is said to be lost, not done', () => {
    const { effect } = reply({ ...at.world.context, connector: 'gone' });
    expect([effect.state, effect.error?.code]).toEqual(['rejected', 'effect.sink.unavailable']);
  });

  test('what may not be read here is withheld, and the fixed text carries no label of it', () => {
    const { effect, text } = reply(at.world.context, 'canary', makeLabel(1, ['ws:other']));
    expect(text).not.toContain('canary');
    expect(JSON.stringify(effect)).not.toContain('canary');
    expect(effect.label).toEqual({ integrity: INTEGRITY.staff, audience: [] });
  });
});

describe('bytes', () => {
  test('the same act, id and clock give the same digest', () => {
    const origin = {
      id: at.world.deps.ids.make('effect'),
      nowMs: 5,
      context: at.world.context,
      requester: person(MEMBER),
      label: HERE_LABEL,
    };
    const act = { kind: 'write', path: 'notes/a.md', text: 'x', expected: 'absent' } as const;
    expect(makeEffect(act, origin).digest).toBe(makeEffect(act, { ...origin, nowMs: 6 }).digest);
    expect(makeEffect({ ...act, text: 'y' }, origin).digest).not.toBe(makeEffect(act, origin).digest);
  });

  test('a write says who will be able to read it, a post is E1', async () => {
    const control = (await proposeWrite(at.world, 'AGENTS.md', 'x')).effect;
    const note = (await proposeWrite(at.world, 'contexts/ops/memory.md', 'x')).effect;
    expect([control.class, control.summary]).toEqual([
      'W2',
      'Write AGENTS.md, which will be readable in the whole workspace (1 characters)',
    ]);
    expect([note.class, note.summary]).toEqual(['W1', 'Write contexts/ops/memory.md (1 characters)']);
    expect((await proposePost(at.world, 'x')).effect.class).toBe('E1');
  });

  test.each([
    ['memory.md', 'W1'],
    ['notes/a.md', 'W1'],
    ['contexts/ops/memory.md', 'W1'],
    ['AGENTS.md', 'W2'],
    ['skills/x.md', 'W2'],
    ['handbook.md', 'W2'],
  ])('a write of %s is %s', (path, effectClass) => {
    expect(classOfWrite(path, ORIGIN)).toBe(effectClass);
  });

  test('kinds follow from what a call touches', () => {
    expect(effectKindOf({ kind: 'message', connector: 'chat', channel: 'x' })).toBe('message.post');
    expect(effectKindOf({ kind: 'file', path: 'a.md', access: 'write' })).toBe('file.write');
    expect(effectKindOf({ kind: 'file', path: 'a.md', access: 'read' })).toBeUndefined();
    expect(effectKindOf({ kind: 'workspace' })).toBeUndefined();
  });
});

describe('an approved file change', () => {
  const ready = async (path: string, text: string) => {
    const { effect, approval } = await proposeWrite(at.world, path, text);
    const actor = { principal: person(BOSS), via: 'signed' as const };
    await approve(at.world.deps, approval.id, effect.digest, actor);
    return effect.id;
  };

  test('rises to a member’s words in memory and to staff’s in control files, for the workspace', async () => {
    const memory = await ready('memory.md', '- fact');
    const control = await ready('AGENTS.md', 'rules');
    await runOutbox(at.world);
    expect((await at.world.effect(memory)).state).toBe('done');
    expect((await at.world.effect(control)).state).toBe('done');
    expect(at.world.files.labels.get('memory.md')).toEqual(makeLabel(1, [`ws:${WORKSPACE}`]));
    expect(at.world.files.labels.get('AGENTS.md')).toEqual(makeLabel(2, [`ws:${WORKSPACE}`]));
    expect(await at.world.actions('AGENTS.md')).toEqual(['label.raise']);
  });

  test('is refused when the file is not the one that was shown, with a clear text', async () => {
    const id = await ready('AGENTS.md', 'rules');
    at.world.files.texts.set('AGENTS.md', 'changed meanwhile');
    await runOutbox(at.world);
    const effect = await at.world.effect(id);
    expect(effect.state).toBe('rejected');
    expect(effect.error?.message).toContain('has changed since');
    expect(at.world.files.texts.get('AGENTS.md')).toBe('changed meanwhile');
  });

  test('that is there already is done', async () => {
    const id = await ready('AGENTS.md', 'rules');
    at.world.files.texts.set('AGENTS.md', 'rules');
    await runOutbox(at.world);
    expect((await at.world.effect(id)).state).toBe('done');
  });
});

test('an approved post names its approval, so that nothing else can be claimed under it', async () => {
  const id = await approvedPost(at.world, 'hello');
  const effect = await at.world.effect(id);
  expect((await at.world.approval(must(effect.approval))).effect).toBe(id);
});
