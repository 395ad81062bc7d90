import { describe, expect, it } from 'vitest';
import type { Context } from '../context/index.ts';
import type { Grant, Principal } from '../identity/index.ts';
import { decide } from './decide.ts';
import type { PolicyRules } from './request.ts';

// safe: test values with ids of the right form
const ada: Principal = { kind: 'user', user: 'user_ada00000' as never };
const ben: Principal = { kind: 'user', user: 'user_ben00000' as never };
const token: Principal = {
  kind: 'token',
  token: 'tokn_00000001' as never,
  owner: 'user_ada00000' as never,
  workspace: 'garden' as never,
};
const sibling: Principal = { ...token, token: 'tokn_00000002' as never };
const guest: Principal = { kind: 'guest', connector: 'memory', sender: '7' };
const context = { id: 'general', workspace: 'garden' } as unknown as Context; // safe: only the two names are looked at

function ask(principal: Principal, requester: Principal, role?: Grant['role']): string {
  const grant = { principal: 'user_ben00000', role, scope: { kind: 'workspace', workspace: 'garden' } };
  const rules: PolicyRules = {
    nowMs: 1,
    isPanicOn: true, // looking is possible under panic
    isGateClosed: true,
    grants: role === undefined ? [] : [grant as unknown as Grant], // safe: only principal, role, scope and expiry count
    context,
    settings: undefined,
    eligibleApprovers: 0,
  };
  return decide({ action: 'run.read', principal, requester }, rules).kind;
}

describe('who may look at a run', () => {
  it('its requester, and the person behind a token', () => {
    expect(ask(ada, ada)).toBe('permit');
    expect(ask(token, token)).toBe('permit');
    expect(ask(ada, token)).toBe('permit');
    expect(ask(guest, guest)).toBe('permit');
  });

  it('staff of the place', () => {
    expect(ask(ben, ada, 'operator')).toBe('permit');
    expect(ask(ben, guest, 'admin')).toBe('permit');
  });

  it('nobody else', () => {
    expect(ask(ben, ada)).toBe('deny');
    expect(ask(ben, ada, 'member')).toBe('deny');
    expect(ask(token, ada)).toBe('deny');
    expect(ask(sibling, token)).toBe('deny');
    expect(ask(guest, ada)).toBe('deny');
  });
});

it('a run whose place is gone is seen by nobody else, for a reason', () => {
  const rules = {
    nowMs: 1,
    isPanicOn: false,
    isGateClosed: false,
    grants: [],
    context: undefined,
    settings: undefined,
    eligibleApprovers: 0,
  };
  const decision = decide({ action: 'run.read', principal: ben, requester: ada }, rules);
  expect([decision.kind, decision.reasons[0]?.code]).toEqual(['deny', 'policy.role']);
});
