import { describe, expect, test } from 'vitest';
import type { Actor } from './api.ts';
import { edit, withdraw } from './approval/index.ts';
import { closeGate, isGateClosed, openGate } from './gate/gate.ts';
import { panicOff } from './panic/panic.ts';
import { resolveEffect } from './settle/resolve.ts';
import {
  BOSS,
  insertReply,
  MEMBER,
  must,
  person,
  proposePost,
  signed,
  TEST_AUDIT,
  tamper,
  useWorld,
} from './settle/world.fixture.ts';

const at = useWorld();
const KEY = 'k'.repeat(43);
const SERIAL = 'c'.repeat(32);
const REFUSED = { code: 'identity.key.unauthenticated' };

/** A request that passed the door; what it came with is revoked before it is written. */
async function lateActor(what: 'key' | 'certificate'): Promise<Actor> {
  const { store } = at.world.deps;
  await store.commit(TEST_AUDIT, async (tx) => {
    await tx.insert('identity_key', {
      id: KEY,
      user: BOSS,
      publicKeyPem: 'PEM',
      name: 'laptop',
      createdAt: 1,
      ...(what === 'key' ? { revokedAt: 2 } : {}),
    });
    await tx.insert('identity_certificate', {
      id: SERIAL,
      key: KEY,
      user: BOSS,
      issuer: 'ca',
      createdAt: 1,
      expiresAt: 10,
      ...(what === 'certificate' ? { revokedAt: 2 } : {}),
    });
  });
  return { ...signed(BOSS), certificate: SERIAL, proof: { keyId: KEY, signature: '', signed: '' } };
}

describe.each(['key', 'certificate'] as const)(
  'a %s that is revoked between the request and its write',
  (what) => {
    test('opens no gate', async () => {
      const { deps } = at.world;
      await closeGate(deps, 'test');
      await expect(openGate(deps, await lateActor(what))).rejects.toMatchObject(REFUSED);
      expect(await isGateClosed(deps.store.read)).toBe(true);
    });

    test('ends no panic', async () => {
      const { world } = at;
      world.panic.turnOn('test', 1);
      await expect(panicOff(world.deps, await lateActor(what))).rejects.toMatchObject(REFUSED);
      expect(world.panic.isOn()).toBe(true);
    });

    test('resolves no effect', async () => {
      const { world } = at;
      const id = await insertReply(world, 'hello');
      await tamper(world, 'effect', { id }, { state: 'uncertain' });
      await expect(resolveEffect(world.deps, id, 'sent', await lateActor(what))).rejects.toMatchObject(
        REFUSED,
      );
      expect((await world.effect(id)).state).toBe('uncertain');
    });

    test('edits and withdraws nothing', async () => {
      const { world } = at;
      const { approval } = await proposePost(world, 'hello');
      const id = must(approval).id;
      const actor = await lateActor(what);
      await expect(edit(world.deps, id, 'other', actor)).rejects.toMatchObject(REFUSED);
      const mine = { ...actor, principal: person(MEMBER) };
      await expect(withdraw(world.deps, id, mine)).rejects.toMatchObject(REFUSED);
      expect((await world.approval(id)).state).toBe('pending');
    });
  },
);
