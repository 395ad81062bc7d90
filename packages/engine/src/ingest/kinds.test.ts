import type { InboundEvent } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { useStage } from '../run/run.fixture.ts';
import { ORIGIN, TEST_AUDIT } from '../settle/world.fixture.ts';
import { NOT_VALID } from './press.ts';

const stage = useStage();
const read = () => stage.world.deps.store.read;

const PLACES = ['unbound', 'closed', 'open'] as const;
const PEOPLE = { stranger: 'stranger-9', member: 'mia', staff: 'olga' } as const;
type Person = keyof typeof PEOPLE;

/** What each kind comes to, by person, in a place that is unbound, closed, open. `refused`: with words; `nothing`: not even a row. */
const TABLE: Readonly<Record<InboundEvent['kind'], Readonly<Record<Person, readonly string[]>>>> = {
  message: {
    stranger: ['refused', 'refused', 'run'],
    member: ['refused', 'run', 'run'],
    staff: ['refused', 'run', 'run'],
  },
  command: {
    stranger: ['refused', 'command', 'command'],
    member: ['refused', 'command', 'command'],
    staff: ['refused', 'command', 'command'],
  },
  edit: {
    stranger: ['nothing', 'kept', 'kept'],
    member: ['nothing', 'kept', 'kept'],
    staff: ['nothing', 'kept', 'kept'],
  },
  button: {
    stranger: ['refused', 'refused', 'refused'],
    member: ['refused', 'refused', 'refused'],
    staff: ['refused', 'refused', 'refused'],
  },
  reaction: {
    stranger: ['nothing', 'nothing', 'nothing'],
    member: ['nothing', 'nothing', 'nothing'],
    staff: ['nothing', 'nothing', 'nothing'],
  },
  member: {
    stranger: ['nothing', 'nothing', 'nothing'],
    member: ['nothing', 'nothing', 'nothing'],
    staff: ['nothing', 'nothing', 'nothing'],
  },
  moved: {
    stranger: ['nothing', 'moved', 'moved'],
    member: ['nothing', 'moved', 'moved'],
    staff: ['nothing', 'moved', 'moved'],
  },
};
/** The words of each kind are an order that nobody of these may give in this way, but staff by a command. */
const WORDS: Readonly<Record<InboundEvent['kind'], string>> = {
  message: 'hello',
  command: '/whoami',
  edit: '/panic on',
  button: '/panic on',
  reaction: '/panic on',
  member: '/panic on',
  moved: '/panic on',
};
const CASES = Object.entries(TABLE).flatMap(([kind, people]) =>
  Object.entries(people).flatMap(([person, outcomes]) =>
    outcomes.map((outcome, i) => ({ kind, person, place: PLACES[i] ?? '', outcome })),
  ),
);

async function outcomeOf(kind: InboundEvent['kind'], person: Person, place: string): Promise<string> {
  const channel = place === 'unbound' ? 'nowhere' : 'ops-channel';
  const before = await read().count('context_message', {});
  const accepted = await stage.tell(WORDS[kind], {
    kind,
    by: PEOPLE[person],
    channel: kind === 'moved' ? 'new-place' : channel,
    movedFrom: kind === 'moved' ? channel : undefined,
    member: kind === 'member' ? { change: 'joined', isSelf: false } : undefined,
    buttonId: kind === 'button' ? 'not-there' : undefined,
  });
  const kept = (await read().count('context_message', { direction: 'in' })) - before;
  if (accepted.outcome !== 'logged') return accepted.outcome;
  const moved = (await read().get('context', { id: ORIGIN }))?.channel === 'new-place';
  return moved ? 'moved' : kept > 0 ? 'kept' : 'nothing';
}

describe('every kind of event passes the same door', () => {
  test.each(CASES)('$kind of $person in a place that is $place: $outcome', async (one) => {
    const { kind, person, place, outcome } = one;
    await stage.world.deps.store.commit(TEST_AUDIT, (tx) =>
      tx.update('context', { id: ORIGIN }, { openness: place === 'open' ? 'open' : 'closed' }),
    );
    // safe: keys of the table
    expect(await outcomeOf(kind as InboundEvent['kind'], person as Person, place)).toBe(outcome);
    expect(stage.deps.panic.isOn()).toBe(false);
    expect(await read().count('run', {})).toBe(outcome === 'run' ? 1 : 0);
  });

  test('who presses what is not there hears it each time; the log names it once a minute', async () => {
    const press = { kind: 'button', by: 'stranger-9', buttonId: 'not-there' } as const;
    for (const channel of ['ops-channel', 'ops-channel', 'nowhere']) {
      const pressed = await stage.tell('', { ...press, channel });
      expect(pressed.reply).toBe(NOT_VALID);
    }
    const named = await stage.deps.audit.tail(10, { action: 'ingest.refuse' });
    expect(named).toMatchObject([{ context: ORIGIN, data: { reason: 'button' } }]);
    expect(await read().count('context_message', {})).toBe(0);
  });

  test('an edit that comes before its message starts nothing, and the message is answered then', async () => {
    await stage.tell('hello, better', { kind: 'edit', externalId: '7:e1' });
    expect(await read().count('run', {})).toBe(0);
    expect(await stage.tell('hello', { externalId: '7' })).toMatchObject({ outcome: 'run' });
  });

  test.each([
    ['their direct talk', { channel: 'dm-olga', channelKind: 'direct' }],
    ['a group', { channel: 'nowhere', channelKind: 'group' }],
  ] as const)('staff stop everything from %s that is bound to nothing', async (_what, where) => {
    for (const by of ['stranger-9', 'mia']) await stage.tell('/panic on', { ...where, by });
    for (const more of [{ isRelayed: true }, { isBot: true }, { kind: 'edit' }] as const)
      await stage.tell('/panic on', { ...where, ...more, by: 'olga' });
    await stage.tell('/panic on@other_bot', { ...where, by: 'olga' });
    await stage.tell('/panic@other_bot on', { ...where, by: 'olga' });
    expect(stage.deps.panic.isOn()).toBe(false);
    const order = { ...where, by: 'olga', externalId: 'stop' };
    expect(await stage.tell('/panic on', order)).toMatchObject({
      outcome: 'command',
      reply: 'Panic is on: nothing runs and nothing is sent.',
    });
    expect(stage.deps.panic.isOn()).toBe(true);
    stage.world.panic.turnOff('test', 0);
    expect(await stage.tell('/panic on', order)).toMatchObject({ isRepeat: true });
    expect(stage.deps.panic.isOn()).toBe(false);
  });

  test('an answer that leaves by itself says so, so that nobody shows it twice', async () => {
    expect(await stage.tell('/whoami', { externalId: 'w' })).toMatchObject({
      outcome: 'command',
      isQueued: true,
    });
    expect(await stage.tell('/whoami', { externalId: 'w' })).toMatchObject({
      isRepeat: true,
      isQueued: true,
    });
    stage.world.panic.turnOn('test', 0);
    for (const _delivery of [1, 2])
      expect((await stage.tell('/whoami', { externalId: 'p' })).isQueued).toBeUndefined();
  });
});
