import { type ConversationId, INTEGRITY, makeLabel, publicLabel } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { scriptedConnector } from '../settle/outside.fixture.ts';
import {
  BOSS,
  contextRow,
  HERE_LABEL,
  must,
  ORIGIN,
  runOutbox,
  TEST_AUDIT,
  tamper,
  useWorld,
  WORKSPACE,
} from '../settle/world.fixture.ts';
import { type NoticeInput, notify, writeOutcome } from './index.ts';

const at = useWorld();

function notice(change: Partial<NoticeInput> = {}): NoticeInput {
  return {
    key: 'k1',
    workspace: WORKSPACE,
    context: ORIGIN,
    draft: { text: 'take note' },
    label: HERE_LABEL,
    ...change,
  };
}

describe('a notice', () => {
  test('is pushed through the outbox and kept in the conversation, out of prompts', async () => {
    await notify(at.world.deps, notice());
    await runOutbox(at.world);
    expect(at.world.chat.sent.map((sent) => sent.payload)).toEqual([{ text: 'take note' }]);
    const [message] = await at.world.deps.store.read.find('context_message', {});
    expect(message).toMatchObject({
      direction: 'out',
      sender: 'appliance',
      isPromptable: false,
      text: 'take note',
    });
  });

  test('is not said where a place wants answers only, unless it is one; nothing is left of it', async () => {
    await tamper(at.world, 'context', { id: ORIGIN }, { settings: { output: 'answers' } });
    expect(await notify(at.world.deps, notice())).toEqual({ kind: 'silent' });
    expect(await at.world.deps.store.read.count('context_message', {})).toBe(0);
    expect(await notify(at.world.deps, notice({ key: 'k2', isAnswer: true }))).toMatchObject({
      kind: 'written',
      text: 'take note',
    });
    // A place that was silent does not say it later.
    await tamper(at.world, 'context', { id: ORIGIN }, { settings: {} });
    expect(await notify(at.world.deps, notice())).toEqual({ kind: 'given' });
    await runOutbox(at.world);
    expect(at.world.chat.sent).toHaveLength(1);
  });

  test('is given once per key, also when two are raised at once', async () => {
    const both = await Promise.all([notify(at.world.deps, notice()), notify(at.world.deps, notice())]);
    expect(both.map((one) => one.kind).sort()).toEqual(['given', 'written']);
    await notify(at.world.deps, notice({ key: 'k2' }));
    await runOutbox(at.world);
    expect(at.world.chat.sent).toHaveLength(2);
  });

  test('with words of others is withheld, and the log says so', async () => {
    const label = makeLabel(1, [`priv:${BOSS}`]);
    expect(await notify(at.world.deps, notice({ label }))).toEqual({ kind: 'withheld' });
    await runOutbox(at.world);
    expect(at.world.chat.sent).toEqual([]);
    expect(await at.world.deps.store.read.count('context_message', {})).toBe(0);
    expect(await at.world.actions('k1')).toEqual(['notify.write', 'notify.withhold']);
  });

  test('is filtered like every answer', async () => {
    await notify(at.world.deps, notice({ draft: { text: '@everyone https://evil.example' } }));
    await runOutbox(at.world);
    expect(at.world.chat.sent[0]?.payload.text).toBe('@\u200aeveryone hxxps[:]//evil[.]example');
  });

  test('for a door that fetches is a message and nothing else', async () => {
    const row = { ...contextRow(ORIGIN, 'terminal', 0), connector: 'cli', kind: 'cli' as const };
    await tamper(at.world, 'context', { id: ORIGIN }, { connector: row.connector, kind: row.kind });
    await notify(at.world.deps, notice());
    expect(await at.world.deps.store.read.count('effect', {})).toBe(0);
    expect(await at.world.deps.store.read.count('context_message', {})).toBe(1);
  });

  test('under panic or behind the gate nothing is queued for later', async () => {
    at.world.panic.turnOn('test', 0);
    await notify(at.world.deps, notice());
    at.world.panic.turnOff('test', 0);
    await at.world.deps.store.commit(TEST_AUDIT, (tx) =>
      tx.insert('gate_state', { id: 'gate', isClosed: true, reason: '', at: 0 }),
    );
    await notify(at.world.deps, notice({ key: 'k2' }));
    expect(await at.world.deps.store.read.count('effect', {})).toBe(0);
  });

  test('in an unknown context is withheld', async () => {
    const context = 'nowhere' as typeof ORIGIN; // safe: a slug
    expect(await notify(at.world.deps, notice({ context }))).toEqual({ kind: 'withheld' });
  });

  test('that its connector cannot render undoes nothing of the commit it travels in', async () => {
    const broken = { ...scriptedConnector(), render: () => [] };
    const deps = { ...at.world.deps, connectors: [broken] };
    expect(await notify(deps, notice())).toEqual({ kind: 'withheld' });
    expect(await at.world.actions('k1')).toEqual(['notify.write', 'notify.fail']);
  });

  test('says what was written, and whether it will leave', async () => {
    const written = await notify(at.world.deps, notice());
    expect(written).toMatchObject({
      kind: 'written',
      message: expect.any(String),
      effect: { state: 'approved' },
    });
    at.world.panic.turnOn('test', 0);
    const held = await notify(at.world.deps, notice({ key: 'k2' }));
    expect([held.kind, 'effect' in held && held.effect]).toEqual(['written', undefined]);
  });

  test('about what was asked at a door that fetches stays there', async () => {
    const { task } = at.world;
    await tamper(at.world, 'task', { id: task.id }, { door: 'cli' });
    await notify(at.world.deps, notice({ task: task.id }));
    expect(await at.world.deps.store.read.count('effect', {})).toBe(0);
    await notify(at.world.deps, notice({ key: 'k2' }));
    expect(await at.world.deps.store.read.count('effect', {})).toBe(1);
  });

  test('is kept in its conversation, else in the newest, and in none where there is none', async () => {
    const here = must(at.world.task.conversation);
    const newer = 'conv_00000000000000000009' as ConversationId; // safe: alphabet of ids
    const at9 = { workspace: WORKSPACE, context: ORIGIN, isOpen: true, createdAt: 9e15, lastAt: 9e15 };
    await at.world.deps.store.commit(TEST_AUDIT, (tx) =>
      tx.insert('context_conversation', { id: newer, key: 'newer', ...at9 }),
    );
    await notify(at.world.deps, notice({ conversation: here }));
    await notify(at.world.deps, notice({ key: 'k2' }));
    const kept = await at.world.deps.store.read.find('context_message', {}, { orderBy: 'seq' });
    expect(kept.map(({ conversation }) => conversation)).toEqual([here, newer]);
    await at.world.deps.store.commit(TEST_AUDIT, async (tx) => {
      for (const id of [here, newer]) await tx.remove('context_conversation', { id });
    });
    const bare = await notify(at.world.deps, notice({ key: 'k3' }));
    expect([bare.kind, 'message' in bare && bare.message]).toEqual(['written', undefined]);
    expect(await at.world.deps.store.read.count('context_message', {})).toBe(2);
  });

  test('keeps the links that are trusted', async () => {
    const trustedUrls = new Set(['https://known.example/x']);
    await notify(at.world.deps, notice({ draft: { text: 'see https://known.example/x' }, trustedUrls }));
    await runOutbox(at.world);
    expect(at.world.chat.sent[0]?.payload.text).toBe('see https://known.example/x');
  });

  test('ends with the role of the context’s owner', async () => {
    await notify(at.world.deps, notice());
    await at.world.ungrant(BOSS);
    await runOutbox(at.world);
    expect(at.world.chat.sent).toEqual([]);
  });
});

describe('an outcome', () => {
  const outcomeOf = async (change: object) => {
    const effect = {
      id: at.world.deps.ids.make('effect'),
      kind: 'message.post',
      class: 'E1' as const,
      sink: { connector: 'chat', account: 'test', address: 'x' },
      recipients: [],
      payloads: [],
      workspace: WORKSPACE,
      context: ORIGIN,
      task: at.world.task.id,
      requester: at.world.task.requester,
      label: HERE_LABEL,
      digest: 'sha256:x' as const,
      state: 'done' as const,
      decision: 'ask' as const,
      summary: 'what it was',
      createdAt: 0,
      notBefore: 0,
      attempts: 1,
      receipts: [],
      ...change,
    };
    return at.world.deps.store.commit(TEST_AUDIT, (tx) =>
      writeOutcome(at.world.deps, tx, { effect, text: 'It is done.' }),
    );
  };

  test('is an event that prompts may read, never above a member’s words', async () => {
    await outcomeOf({ label: makeLabel(2, HERE_LABEL.audience) });
    const [event] = await at.world.deps.store.read.find('context_message', { direction: 'event' });
    expect(event).toMatchObject({ isPromptable: true, text: 'It is done. (what it was)' });
    expect(event?.label).toEqual(makeLabel(1, HERE_LABEL.audience));
  });

  test('whose words belong to others keeps their label and shows only public words', async () => {
    const label = makeLabel(0, [`priv:${BOSS}`]);
    await outcomeOf({ label, summary: 'canary' });
    await runOutbox(at.world);
    const [event] = await at.world.deps.store.read.find('context_message', { direction: 'event' });
    expect(event?.label).toEqual(label);
    expect(JSON.stringify(at.world.chat.sent)).not.toContain('canary');
    const [shown] = await at.world.deps.store.read.find('context_message', { direction: 'out' });
    expect(shown?.label).toEqual(publicLabel(INTEGRITY.staff));
  });

  test('that belongs to no task is shown, and enters no conversation', async () => {
    expect(await outcomeOf({ task: undefined })).toBeUndefined();
    expect(await at.world.deps.store.read.count('context_message', { direction: 'event' })).toBe(0);
    expect(await at.world.deps.store.read.count('context_message', { direction: 'out' })).toBe(1);
  });

  test('of an answer is the answer itself: no event, no notice', async () => {
    expect(await outcomeOf({ class: 'E0' })).toBeUndefined();
    expect(await at.world.deps.store.read.count('context_message', {})).toBe(0);
  });
});
