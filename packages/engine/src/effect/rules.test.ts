import type { ContextId, Principal, TokenId, WorkspaceId } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import {
  BOSS,
  MEMBER,
  OPERATOR,
  ORIGIN,
  person,
  SECOND,
  TEST_AUDIT,
  useWorld,
  WORKSPACE,
} from '../settle/world.fixture.ts';
import { belongsTo, policyRules } from './rules.ts';

const at = useWorld();
const rules = (context: ContextId | undefined = ORIGIN, asker = undefined as typeof MEMBER | undefined) =>
  policyRules(at.world.deps, at.world.deps.store.read, context, asker);
const TOKEN = 'tokn_00000000000000000001' as TokenId; // safe: alphabet of ids

describe('the rules of a moment', () => {
  test('say what is stopped', async () => {
    expect(await rules()).toMatchObject({ isPanicOn: false, isGateClosed: false });
    at.world.panic.turnOn('test', 0);
    await at.world.deps.store.commit(TEST_AUDIT, (tx) =>
      tx.insert('gate_state', { id: 'gate', isClosed: true, reason: '', at: 0 }),
    );
    expect(await rules()).toMatchObject({ isPanicOn: true, isGateClosed: true });
  });

  test('know a context with its workspace, or neither', async () => {
    expect(await rules()).toMatchObject({ context: { id: ORIGIN }, settings: { concurrency: 5 } });
    const nothing = { context: undefined, settings: undefined, eligibleApprovers: 0 };
    expect(await rules('nowhere' as ContextId)).toMatchObject(nothing); // safe: a slug
    expect(await policyRules(at.world.deps, at.world.deps.store.read, undefined)).toMatchObject(nothing);
    await at.world.deps.store.commit(TEST_AUDIT, (tx) => tx.remove('workspace', { id: WORKSPACE }));
    expect(await rules()).toMatchObject({ context: undefined, settings: undefined });
  });

  test.each([
    ['that lives', {}, true],
    ['that was revoked', { revokedAt: 1 }, false],
    ['that has ended', { expiresAt: 1 }, false],
  ])('a token %s, with its grant', async (_name, end, isLive) => {
    await at.world.deps.store.commit(TEST_AUDIT, async (tx) => {
      await tx.insert('identity_token', {
        id: TOKEN,
        name: 'bot',
        secretHash: 'sha256:x' as never, // safe: not looked at here
        workspace: WORKSPACE,
        context: ORIGIN,
        owner: BOSS,
        createdAt: 0,
        ...end,
      });
    });
    await at.world.grant(TOKEN as never, 'operator'); // safe: a principal key
    const { grants, eligibleApprovers } = await rules();
    expect(grants.map((grant) => grant.principal).includes(TOKEN)).toBe(isLive);
    expect(grants.map((grant) => grant.principal)).toContain(BOSS);
    // A token is no person, whatever it was granted.
    expect(eligibleApprovers).toBe(3);
  });

  test('approvers are staff of this place, and not who asks', async () => {
    expect((await rules()).eligibleApprovers).toBe(3);
    expect((await rules(ORIGIN, MEMBER)).eligibleApprovers).toBe(3);
    expect((await rules(ORIGIN, BOSS)).eligibleApprovers).toBe(2);
    await at.world.ungrant(SECOND);
    await at.world.grant(SECOND, 'operator', { kind: 'workspace', workspace: 'other' as WorkspaceId }); // safe: a slug
    expect((await rules()).eligibleApprovers).toBe(2);
  });
});

test('work belongs to who asked for it and to the person behind', () => {
  const token: Principal = { kind: 'token', token: TOKEN, owner: BOSS, workspace: WORKSPACE };
  const service: Principal = { kind: 'service', context: ORIGIN, owner: BOSS };
  const guest: Principal = { kind: 'guest', connector: 'chat', sender: '7' };
  expect([person(BOSS), token, service, guest].map((one) => belongsTo(one, BOSS))).toEqual([
    true,
    true,
    true,
    false,
  ]);
  expect(belongsTo(token, TOKEN)).toBe(true);
  expect(belongsTo(service, `service:${ORIGIN}`)).toBe(true);
  expect(belongsTo(guest, 'guest:chat:7')).toBe(true);
  for (const one of [person(BOSS), token, service, guest]) expect(belongsTo(one, OPERATOR)).toBe(false);
});
