import type { InboundEvent } from '@agent-runtime/domain';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Arrival } from '../api.ts';
import { useStage } from '../run/run.fixture.ts';
import { TEST_AUDIT } from '../settle/world.fixture.ts';

const stage = useStage();
const read = () => stage.deps.store.read;
const KINDS = ['message', 'edit', 'button', 'command', 'reaction', 'member', 'moved'] as const;
/** Members and moves are no words: who is told to have caused them may be ourselves. */
const SPOKEN = KINDS.filter((kind) => kind !== 'member' && kind !== 'moved');
const WORDS = ['hello assistant', '/task do it', '/panic on', '/new', 'pair', ''];

let said = 0;
function arrive(kind: InboundEvent['kind'], text: string, more: Partial<InboundEvent> = {}): Arrival {
  said += 1;
  return {
    event: {
      source: 'chat:test',
      externalId: `bot-${said}`,
      kind,
      channel: { id: 'ops-channel', kind: 'channel', title: 'Ops' },
      sender: { id: 'robot', displayName: 'robot', isBot: true },
      text,
      message: `bot-${said}`,
      buttonId: kind === 'button' ? 'button-1' : undefined,
      isAddressed: true,
      isRelayed: false,
      sentAt: stage.world.clock.nowMs(),
      ...more,
    },
    door: 'chat',
    conversationKey: 'ops',
  };
}

/** What the engine refuses to take at all starts nothing either. */
const take = (arrival: Arrival) => stage.engine.accept(arrival).catch(() => undefined);

/** Nothing runs, nothing is answered, nothing was ordered. */
async function expectSilence(): Promise<void> {
  expect(await read().count('run', {})).toBe(0);
  expect(await read().count('effect', {})).toBe(0);
  expect(await read().count('identity_pairing', {})).toBe(0);
  expect(await read().count('ingest_event', { outcome: 'run' })).toBe(0);
  expect((await read().get('context_conversation', { key: 'ops' }))?.isOpen).toBe(true);
  expect(stage.world.panic.isOn()).toBe(false);
  expect(stage.heard).toEqual([]);
}

describe('bots never start, order or answer anything', () => {
  // One that somebody linked to a person by mistake is a bot all the same.
  const senders = ['robot', 'olga'];
  beforeEach(async () => {
    // A place as open as it can be.
    await stage.set({ guests: 'ask' });
    await stage.deps.store.commit(TEST_AUDIT, async (tx) => {
      await tx.update('context', { id: 'ops' as never }, { openness: 'open' });
    });
  });

  test.each(KINDS)('by a %s: replying to us, mentioning us, in a direct talk', async (kind) => {
    for (const id of senders)
      for (const text of WORDS) {
        const sender = { id, displayName: id, isBot: true };
        await take(arrive(kind, text, { sender, repliesTo: 'our-message' }));
        await take(arrive(kind, text, { sender }));
        const channel = { id: `direct-${id}`, kind: 'direct', title: 'robot' } as const;
        await take(arrive(kind, text, { sender, channel }));
      }
    await expectSilence();
  });

  test.each(SPOKEN)(
    'nor does our own account by a %s that comes back to us, whatever is said of it',
    async (kind) => {
      for (const text of WORDS)
        for (const isBot of [true, false])
          await take(arrive(kind, text, { sender: { id: 'test', displayName: 'us', isBot } }));
      await expectSilence();
      // Our words are in the log already.
      expect(await read().count('context_message', {})).toBe(0);
    },
  );

  test('what another bot says is kept for the log, and out of prompts', async () => {
    await stage.engine.accept(arrive('message', 'I am a robot.'));
    expect(await read().find('context_message', {})).toMatchObject([
      { text: 'I am a robot.', isPromptable: false, label: { integrity: 0 } },
    ]);
    await expectSilence();
  });
});
