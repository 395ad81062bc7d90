import { type Connector, type Effect, makeLabel, sha256, type WorkspaceFiles } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { fault } from './outside.fixture.ts';
import { performerOf } from './performer.ts';
import { must, proposePost, proposeWrite, useWorld } from './world.fixture.ts';

const at = useWorld();
const signal = new AbortController().signal;

describe('who delivers a message', () => {
  test('is the connector of its name and account that takes deliveries', async () => {
    const { effect } = await proposePost(at.world, 'hello');
    const { chat } = at.world;
    const other = (change: Partial<Connector>): Connector => ({ ...chat, ...change });
    const others = [
      other({ name: 'mail' }),
      other({ account: 'second' }),
      other({ delivery: 'pull' }),
      other({ name: 'mail', account: 'second' }),
    ];
    const files = at.world.files;
    expect(performerOf({ connectors: others, files }, effect)).toBeUndefined();
    const mine = other({ dropsRepeats: true });
    const performer = performerOf({ connectors: [...others, mine], files }, effect);
    expect(performer).toMatchObject({ dropsRepeats: true, isFinalWitness: false });
    await expect(must(performer).deliver(effect, 1, signal)).rejects.toMatchObject({
      code: 'settle.part.bug',
    });
  });
});

describe('who writes a file', () => {
  async function writing(files: Partial<WorkspaceFiles> = {}, change: Partial<Effect> = {}) {
    const { effect } = await proposeWrite(at.world, 'memory.md', 'new', sha256('old'));
    const deps = { connectors: [], files: { ...at.world.files, ...files } };
    const one = { ...effect, ...change };
    return { performer: must(performerOf(deps, one)), effect: one };
  }

  test('may do it twice, and knows for certain what it did', async () => {
    const { performer, effect } = await writing();
    expect(performer).toMatchObject({ dropsRepeats: true, isFinalWitness: true });
    const seen: unknown[] = [];
    for (const text of ['new', 'old', 'another']) {
      at.world.files.texts.set('memory.md', text);
      seen.push((await performer.reconcile(effect, 0, signal)).kind);
    }
    expect(seen).toEqual(['sent', 'not-sent', 'unknown']);
  });

  test('takes a file that is not there for absent, and no other fault', async () => {
    const absent = [{ path: 'memory.md', text: 'new', expected: 'absent' }];
    const { performer, effect } = await writing({}, { payloads: absent });
    expect(await performer.reconcile(effect, 0, signal)).toEqual({ kind: 'not-sent' });
    for (const thrown of [fault('denied'), Object.assign(new Error('x'), { kind: 'missing' })]) {
      const broken = await writing({ read: () => Promise.reject(thrown) }, { payloads: absent });
      await expect(broken.performer.reconcile(broken.effect, 0, signal)).rejects.toBe(thrown);
    }
  });

  test.each([
    ['conflict', 'has changed since'],
    ['denied', 'place of this file'],
    ['invalid', 'too large'],
    ['missing', 'is gone'],
    ['exhausted', 'cannot be written'],
  ])('a %s is a lasting no, in words of the appliance alone', async (kind, words) => {
    const { performer, effect } = await writing({ write: () => Promise.reject(fault(kind)) });
    await expect(performer.deliver(effect, 0, signal)).rejects.toMatchObject({
      code: 'settle.file.rejected',
      kind: 'rejected',
      message: expect.stringContaining(words),
    });
  });

  test('what is no refusal stays what it is', async () => {
    for (const thrown of [fault('unavailable'), Object.assign(new Error('x'), { kind: 'conflict' })]) {
      const { performer, effect } = await writing({ write: () => Promise.reject(thrown) });
      await expect(performer.deliver(effect, 0, signal)).rejects.toBe(thrown);
    }
  });

  test.each(['path', 'text', 'expected'])('writes nothing where the %s is no text', async (member) => {
    const payload = { path: 'memory.md', text: 'new', expected: 'absent', [member]: 5 };
    const { performer, effect } = await writing({}, { payloads: [payload], label: makeLabel(1) });
    await expect(performer.deliver(effect, 0, signal)).rejects.toMatchObject({
      code: 'settle.payload.rejected',
    });
    expect(at.world.files.texts.size).toBe(0);
  });
});
