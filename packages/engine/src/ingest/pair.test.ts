import { MAX_PAIRINGS, PAIRING_LIFETIME_MS, pairingHash } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { type Said, useStage } from '../run/run.fixture.ts';
import { must, TEST_AUDIT } from '../settle/world.fixture.ts';

const stage = useStage();
const read = () => stage.world.deps.store.read;
const CODE = /(?:[0-9A-Z]{4}-){6}[0-9A-Z]{4}/;
const TALK = { by: 'stranger-9', channel: 'talk-9', channelKind: 'direct' } as const;

/** Says something in a direct talk that is bound to nothing. @returns what arrived there because of it */
async function dm(text: string, more: Partial<Said> = {}): Promise<readonly string[]> {
  const before = stage.world.chat.sent.length;
  await stage.tell(text, { ...TALK, ...more });
  await stage.world.clock.settle();
  return stage.world.chat.sent.slice(before).map((one) => String(one.payload.text));
}
const codeIn = (texts: readonly string[]): string => must(CODE.exec(texts.join('\n')) ?? undefined)[0];
const pairings = () => read().find('identity_pairing', {}, { orderBy: 'createdAt' });
const actions = async (action: string) => stage.deps.audit.tail(1_000, { action });

describe('the direct message "pair"', () => {
  test.each(['pair', ' Pair ', '/pair', '/pair@helper_bot'])(
    '%j of a stranger is answered with a code, of which only the digest is kept',
    async (text) => {
      const code = codeIn(await dm(text));
      expect(await pairings()).toMatchObject([
        {
          connector: 'chat',
          account: 'test',
          externalId: 'stranger-9',
          channel: 'talk-9',
          codeHash: pairingHash(code),
          expiresAt: stage.world.clock.nowMs() + PAIRING_LIFETIME_MS,
        },
      ]);
      expect(await actions('identity.pair_ask')).toMatchObject([
        { actor: 'guest:chat:stranger-9', subject: 'chat:test:m1' },
      ]);
    },
  );

  test('comes with the words that staff agree to', async () => {
    expect((await dm('pair')).join()).toContain(
      'you agree by it that the admin hub shows what is said in this direct talk',
    );
  });

  test('its code is in no row, no audit event, no log line and not in what a repeat gets', async () => {
    const code = codeIn(await dm('pair', { externalId: 'x' }));
    const repeat = await stage.tell('pair', { ...TALK, externalId: 'x' });
    expect(repeat).toMatchObject({ isRepeat: true, outcome: 'command' });
    await stage.world.clock.settle();
    expect(stage.heard).toHaveLength(1);
    const kept: unknown[] = [repeat];
    for (const table of [
      'effect',
      'ingest_event',
      'context_message',
      'notify_notice',
      'identity_pairing',
    ] as const)
      kept.push(await read().find(table, {}));
    for await (const event of stage.deps.audit.all()) kept.push(event);
    const text = JSON.stringify(kept).toUpperCase().replaceAll('-', '');
    expect(text).toContain('STRANGER9');
    expect(text).not.toContain(code.replaceAll('-', ''));
  });

  test('asked again replaces the code; three times in ten minutes, then words, then nothing', async () => {
    const first = codeIn(await dm('pair'));
    const second = codeIn(await dm('pair'));
    expect(second).not.toBe(first);
    expect((await pairings()).map((row) => row.codeHash)).toEqual([pairingHash(second)]);
    const third = codeIn(await dm('pair'));
    expect((await dm('pair')).join()).toContain('Try again in ten minutes');
    expect(await dm('pair')).toEqual([]);
    expect(await dm('pair')).toEqual([]);
    expect((await pairings()).map((row) => row.codeHash)).toEqual([pairingHash(third)]);
    expect(await actions('identity.pair_ask')).toHaveLength(4);
    // Others are not held up, and the next window is open again.
    expect(await dm('pair', { by: 'stranger-8', channel: 'talk-8' })).toHaveLength(1);
    await stage.world.clock.advance(600_000);
    expect(codeIn(await dm('pair'))).not.toBe(third);
  });

  test.each([
    ['is no command in a group', { channelKind: 'group', channel: 'somewhere' }],
    [
      'as a command in a group that nobody bound is met with silence',
      { channelKind: 'group', text: '/pair' },
    ],
    ['that was edited in is none', { kind: 'edit' }],
    ['that was passed on is none', { isRelayed: true }],
    ['of a machine is none', { isBot: true }],
    ['for another bot is none', { text: '/pair@other_bot' }],
  ] as const)('%s', async (_what, more: Partial<Said> & { readonly text?: string }) => {
    const { text = 'pair', ...how } = more;
    expect((await dm(text, how)).join()).not.toMatch(CODE);
    expect(await pairings()).toEqual([]);
  });

  test('in a bound group answers that a code is only told in a direct talk', async () => {
    const answer = await stage.tell('/pair', { by: 'stranger-9' });
    expect(answer.reply).toContain('direct message');
    expect(await pairings()).toEqual([]);
  });

  test('waits for its turn when a hundred wait on one connector; those who are over make room', async () => {
    const nowMs = stage.world.clock.nowMs();
    await stage.deps.store.commit(TEST_AUDIT, async (tx) => {
      for (let n = 0; n < MAX_PAIRINGS; n += 1)
        await tx.insert('identity_pairing', {
          id: stage.deps.ids.make('pairing'),
          connector: 'chat',
          account: 'test',
          externalId: `other-${n}`,
          channel: `talk-of-${n}`,
          displayName: 'other',
          codeHash: pairingHash(`${n}`),
          createdAt: nowMs,
          expiresAt: nowMs + 1_000,
        });
    });
    expect((await dm('pair')).join()).toBe(
      'Too many people wait to be paired at the moment. Try again in ten minutes.',
    );
    expect(await pairings()).toHaveLength(MAX_PAIRINGS);
    await stage.world.clock.advance(1_000);
    codeIn(await dm('pair'));
    expect((await pairings()).map((row) => row.externalId)).toEqual(['stranger-9']);
  });

  test('is answered to the person who is paired, in every place', async () => {
    expect((await stage.tell('/pair')).reply).toBe('You are paired as mia.');
    await stage.world.clock.settle();
    expect(stage.heard).toEqual(['You are paired as mia.']);
    expect(await dm('pair', { by: 'mia', channel: 'talk-of-mia' })).toEqual(['You are paired as mia.']);
    expect(await pairings()).toEqual([]);
  });

  test('is met with silence under panic and behind the gate, and makes no code', async () => {
    stage.world.panic.turnOn('test', 0);
    expect(await dm('pair')).toEqual([]);
    stage.world.panic.turnOff('test', 0);
    await stage.deps.store.commit(TEST_AUDIT, (tx) =>
      tx.insert('gate_state', { id: 'gate', isClosed: true, reason: 'restore', at: 0 }),
    );
    expect(await dm('pair')).toEqual([]);
    expect(await pairings()).toEqual([]);
  });
});

describe('other words in a direct talk that is bound to nothing', () => {
  test('are answered with how to be paired, once a minute, and leave one audit event each time', async () => {
    expect((await dm('hello')).join()).toContain('Send the direct message "pair"');
    expect(await dm('hello?')).toEqual([]);
    // The answer must be true at once.
    codeIn(await dm('pair'));
    await stage.world.clock.advance(60_000);
    expect(await dm('hello!')).toHaveLength(1);
    expect(await actions('ingest.refuse')).toHaveLength(2);
    expect(await read().count('effect', {})).toBe(0);
  });

  test('in a group are met with silence', async () => {
    expect(await dm('hello', { channelKind: 'group' })).toEqual([]);
  });
});
