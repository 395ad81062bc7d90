import { ADMIN_ROUTES, parseWire } from '@agent-runtime/domain';
import { type Actor, ADMIN } from '@agent-runtime/engine';
import type { AdminParts } from './deps.ts';
import { makeKeyCheck } from './key-check.ts';

/** Anybody who reaches the public door; what they prove is an invite's code. */
const ANYBODY: Actor = {
  principal: { kind: 'guest', connector: 'network', sender: 'anybody' },
  via: 'network',
};

/** Enrolment on the public door, while somebody is invited. */
export interface Enrolment {
  /** False: the door behaves as if the path did not exist. */
  isOpen(): Promise<boolean>;
  /** @throws AppError contract.value.invalid, invite.proof.unauthenticated and what else `key.enrol` throws */
  enrol(body: unknown): Promise<object>;
}

export function makeEnrolment(parts: AdminParts): Enrolment {
  const route = ADMIN_ROUTES['key.enrol'];
  const deps = { ...parts, keys: makeKeyCheck() };
  return {
    isOpen: async () => {
      const open = { usedAt: { isNull: true }, expiresAt: { gt: parts.clock.nowMs() } } as const;
      return (await parts.store.read.count('identity_invite', open)) > 0;
    },
    enrol: async (body) =>
      route.reply.parse(await ADMIN['key.enrol'](deps, ANYBODY, parseWire(route.input, body, 'request'))),
  };
}
