import { AppError, type InboundEvent } from '@agent-runtime/domain';
import { manualClock, settle } from '@agent-runtime/testkit';
import { describe, expect, test } from 'vitest';
import { connectorConformance } from '../conformance.ts';
import { memoryConnector } from './memory.ts';

for (const dropsRepeats of [true, false]) {
  connectorConformance(
    `memory, dropsRepeats ${dropsRepeats}`,
    { arrives: true, breaks: true, speaks: true },
    async () => {
      const connector = memoryConnector({ clock: manualClock(), limitChars: 1_000, dropsRepeats });
      return {
        connector,
        address: 'general',
        limitChars: 1_000,
        arrived: () => connector.delivered.map(({ payload }) => payload),
        breakNext: (kind, doesArrive) => connector.addFault({ kind, doesArrive }),
        // What was refused is the runtime's business; the person is not told.
        speak: (text, externalId) =>
          void connector.say({ channel: 'general', sender: 'u1', text, externalId }).catch(() => {}),
        pass: settle,
      };
    },
  );
}

const target = (effectId: string, part = 0) => ({
  sink: { connector: 'memory', account: 'demo', address: 'general' },
  effectId,
  part,
});
const never = new AbortController().signal;

describe('memory chat', () => {
  test('people have names, channels a kind, and buttons an id', async () => {
    const clock = manualClock(5_000);
    const chat = memoryConnector({ clock });
    chat.addChannel({ id: 'dm1', kind: 'direct', title: 'Ada' });
    chat.addUser({ id: 'u1', displayName: 'Ada' });
    const heard: InboundEvent[] = [];
    await chat.start(async (event) => void heard.push(event));
    await chat.say({ channel: 'dm1', sender: 'u1', text: 'hi' });
    await chat.press({ channel: 'general', sender: 'u2', buttonId: 'b9' });
    expect(heard).toMatchObject([
      {
        source: 'memory:demo',
        kind: 'message',
        channel: { id: 'dm1', kind: 'direct', title: 'Ada' },
        sender: { id: 'u1', displayName: 'Ada', isBot: false },
        isAddressed: true,
        isRelayed: false,
        sentAt: 5_000,
      },
      { kind: 'button', buttonId: 'b9', text: '', channel: { kind: 'channel', title: 'general' } },
    ]);
    expect(new Set(heard.map(({ externalId }) => externalId)).size).toBe(2);
  });

  test('a lasting refusal reaches the speaker and does not come again', async () => {
    const chat = memoryConnector({ clock: manualClock() });
    await chat.start(async () => {
      throw new AppError({ code: 'ingest.event.invalid', kind: 'invalid', message: 'Too long.' });
    });
    await expect(chat.say({ channel: 'c', sender: 'u', text: 'x' })).rejects.toMatchObject({
      kind: 'invalid',
    });
    const heard: string[] = [];
    await chat.start(async (event) => void heard.push(event.text));
    expect(heard).toEqual([]);
  });

  test('a payload for another channel than its effect is refused', async () => {
    const chat = memoryConnector({ clock: manualClock() });
    await expect(
      chat.deliver({ channel: 'elsewhere', text: 'x' }, target('efct_1'), never),
    ).rejects.toMatchObject({ kind: 'rejected' });
    expect(chat.delivered).toEqual([]);
  });

  test('a fault may strike one part, several times', async () => {
    const chat = memoryConnector({ clock: manualClock() });
    const payload = { channel: 'general', text: 'x' };
    chat.addFault({ kind: 'rejected', part: 1, times: 2 });
    await chat.deliver(payload, target('efct_1', 0), never);
    for (let time = 0; time < 2; time += 1)
      await expect(chat.deliver(payload, target('efct_1', 1), never)).rejects.toMatchObject({
        kind: 'rejected',
      });
    await chat.deliver(payload, target('efct_1', 1), never);
    expect(chat.textsIn('general')).toEqual(['x', 'x']);
    chat.addFault({ kind: 'exhausted', retryAfterMs: 700 });
    await expect(chat.deliver(payload, target('efct_2'), never)).rejects.toMatchObject({ retryAfterMs: 700 });
    chat.addFault({ kind: 'rejected' });
    chat.clearFaults();
    await chat.deliver(payload, target('efct_2'), never);
  });

  test('a delivery that hangs ends with its signal, as uncertain', async () => {
    const chat = memoryConnector({ clock: manualClock(), canReconcile: false });
    const control = new AbortController();
    chat.addFault({ kind: 'hang', doesArrive: true });
    const sending = chat.deliver({ channel: 'general', text: 'x' }, target('efct_1'), control.signal);
    control.abort();
    await expect(sending).rejects.toMatchObject({ kind: 'uncertain' });
    expect(chat.delivered).toHaveLength(1);
    expect(await chat.reconcile({}, target('efct_1'), never)).toEqual({ kind: 'unknown' });
  });

  test('buttons go with the last part, the reply with the first', () => {
    const chat = memoryConnector({ clock: manualClock(), limitChars: 100 });
    const draft = { text: 'word '.repeat(60), replyTo: 'm1', buttons: [{ id: 'b', label: 'Yes' }] };
    const parts = chat.render(draft, { address: 'c', effectId: 'e', nowMs: 0 });
    expect(parts.length).toBeGreaterThan(2);
    expect(parts.filter((part) => 'reply_to' in part)).toEqual([parts[0]]);
    expect(parts.filter((part) => 'buttons' in part)).toEqual([parts.at(-1)]);
  });

  test('an answer can be watched while it is made, and completes the message that was shown', async () => {
    const clock = manualClock(0);
    const chat = memoryConnector({ clock, liveEveryMs: 500 });
    const { live, watched } = chat;
    await live?.typing('general', never);
    await live?.show({ address: 'general', key: 'run_1', text: 'half', progress: 'thinking' }, never);
    await live?.show({ address: 'general', key: 'run_1', text: 'late' }, AbortSignal.abort());
    const [payload = {}] = chat.render(
      { text: 'whole', live: 'run_1' },
      { address: 'general', effectId: 'efct_1', nowMs: 0 },
    );
    await chat.deliver(payload, target('efct_1'), never);
    await live?.drop('general', 'run_2', never);
    expect(live?.everyMs).toBe(500);
    expect(watched?.signs).toEqual([
      { kind: 'typing', address: 'general', atMs: 0 },
      { kind: 'show', address: 'general', key: 'run_1', text: 'half', progress: 'thinking', atMs: 0 },
      { kind: 'complete', address: 'general', key: 'run_1', atMs: 0 },
      { kind: 'drop', address: 'general', key: 'run_2', atMs: 0 },
    ]);
    watched?.breakNext('typing', 'throw');
    await expect(live?.typing('general', never)).rejects.toThrow('typing broke');
    await live?.typing('general', never);
  });

  test('a chat that nobody can watch has no live talk; an edit names the message that it replaces', () => {
    const chat = memoryConnector({ clock: manualClock() });
    expect(chat.live).toBeUndefined();
    const draft = { text: 'better', edits: 'm7' };
    expect(chat.render(draft, { address: 'c', effectId: 'e', nowMs: 0 })).toEqual([
      { channel: 'c', text: 'better', edits: 'm7' },
    ]);
  });
});
