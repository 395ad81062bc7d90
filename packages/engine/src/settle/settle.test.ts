import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { approve } from '../approval/index.ts';
import { makeOutbox, type Outbox } from './outbox.ts';
import { fault, inChat, makeWorld, OPERATOR, proposePost, type World } from './world.fixture.ts';

let world: World;
let outbox: Outbox;
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'settle-'));
  world = await makeWorld(folder);
  outbox = makeOutbox(world.deps);
});

afterEach(async () => {
  await outbox.drain(0);
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

async function approved(text: string) {
  const proposal = await proposePost(world, text);
  await approve(world.deps, proposal.approval.id, proposal.effect.digest, inChat(OPERATOR));
  return proposal.effect.id;
}

async function run(): Promise<void> {
  await outbox.start();
  await outbox.idle();
}

/** Posts that arrived in the news channel, without the cards and notices of the origin. */
function posts(id: string) {
  return world.chat.sent.filter((sent) => sent.effectId === id).map((sent) => sent.payload);
}

describe('an approved effect', () => {
  test('leaves exactly once, byte for byte as stored, and says so in the log', async () => {
    const id = await approved('one\n\ntwo');
    await run();
    expect(posts(id)).toEqual((await world.effect(id)).payloads);
    expect((await world.effect(id)).state).toBe('done');
    outbox.wake();
    await outbox.idle();
    expect(posts(id)).toHaveLength(2);
    expect(await world.actions(id)).toEqual([
      'effect.propose',
      'effect.perform',
      'effect.receipt',
      'effect.done',
    ]);
  });

  test('its claim and approval are durable before the first byte leaves (T4)', async () => {
    const id = await approved('hello');
    const seen: unknown[] = [];
    world.chat.onDeliver = async (sent) => {
      if (sent.effectId !== id) return;
      const effect = await world.effect(id);
      seen.push(effect.state, (await world.approval(String(effect.approval))).state);
      seen.push(...(await world.actions(id)));
    };
    await run();
    expect(seen).toEqual(['performing', 'consumed', 'effect.propose', 'effect.perform']);
  });

  test('is not sent before it is approved', async () => {
    const { effect } = await proposePost(world, 'wait');
    await run();
    expect(posts(effect.id)).toEqual([]);
    expect((await world.effect(effect.id)).state).toBe('proposed');
  });

  test('a refused second part stops the third and says so (P1)', async () => {
    const id = await approved('one\n\ntwo\n\nthree');
    world.chat.onDeliver = (sent) => {
      if (sent.effectId === id && sent.part === 1) throw fault('rejected');
    };
    await run();
    expect(posts(id)).toEqual([{ text: 'one' }]);
    const effect = await world.effect(id);
    expect(effect.state).toBe('rejected');
    const events = await world.deps.store.read.find('context_message', { direction: 'event' });
    expect(events.at(-1)?.text).toContain('1 of 3 parts had left; nothing more will');
  });
});
