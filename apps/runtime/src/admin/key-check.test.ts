import { caFingerprint, isCaOfInvite, parseInvite } from '@agent-runtime/pki';
import { describe, expect, test } from 'vitest';
import { makeKeyCheck, serverIdentity } from './key-check.ts';

describe('an invite code', () => {
  test('names the CA of the moment', () => {
    let current = '1'.repeat(64);
    const keys = makeKeyCheck('instance-1', () => current);
    const before = parseInvite(keys.newInvite(0).code);
    current = '2'.repeat(64);
    const after = parseInvite(keys.newInvite(0).code);
    expect(isCaOfInvite(before, '1'.repeat(64))).toBe(true);
    expect(isCaOfInvite(after, '1'.repeat(64))).toBe(false);
    expect(isCaOfInvite(after, current)).toBe(true);
  });

  test('names what is pinned on the socket while there is no CA', () => {
    const invite = parseInvite(makeKeyCheck('instance-1').newInvite(0).code);
    expect(isCaOfInvite(invite, caFingerprint(serverIdentity('instance-1')))).toBe(true);
    expect(isCaOfInvite(invite, caFingerprint(serverIdentity('instance-2')))).toBe(false);
  });
});
