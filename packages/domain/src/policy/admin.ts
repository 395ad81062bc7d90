import type { Role } from '../identity/index.ts';

/**
 * What may be asked of the admin plane, and the least role. Verbs are `<room>.<what>`, and the audit uses the same words.
 * `socket`: the local unix socket may ask it unsigned; `network`: anybody may, and proves something else. `chat`: staff may ask it from chat.
 */
export const ADMIN_VERBS = {
  'status.read': { role: 'viewer', also: ['socket'] },
  'policy.explain': { role: 'operator', also: [] },
  'task.read': { role: 'operator', also: [] },
  'effect.read': { role: 'operator', also: [] },
  'effect.resolve': { role: 'operator', also: [] },
  'approval.read': { role: 'viewer', also: [] },
  'context.read': { role: 'operator', also: [] },
  'context.set': { role: 'admin', also: [] },
  'workspace.read': { role: 'viewer', also: [] },
  'workspace.create': { role: 'admin', also: [] },
  'workspace.set': { role: 'admin', also: [] },
  'identity.read': { role: 'operator', also: [] },
  'identity.set': { role: 'admin', also: [] },
  'identity.invite': { role: 'admin', also: ['socket'] },
  'identity.rotate_ca': { role: 'admin', also: [] },
  'identity.renew': { role: 'viewer', also: [] },
  'identity.enrol': { role: 'viewer', also: ['socket', 'network'] },
  'label.read': { role: 'operator', also: [] },
  'label.approve': { role: 'admin', also: [] },
  'label.publish': { role: 'admin', also: [] },
  'vault.read': { role: 'admin', also: [] },
  'vault.set': { role: 'admin', also: [] },
  'audit.read': { role: 'operator', also: [] },
  'memory.read': { role: 'viewer', also: [] },
  'memory.undo': { role: 'operator', also: [] },
  'panic.on': { role: 'operator', also: ['socket', 'chat'] },
  'panic.off': { role: 'admin', also: [] },
  'gate.open': { role: 'admin', also: [] },
  'standing.set': { role: 'admin', also: [] },
  'hub.read': { role: 'operator', also: [] },
  'hub.request': { role: 'operator', also: ['chat'] },
  'hub.set': { role: 'admin', also: [] },
  'ledger.read': { role: 'operator', also: [] },
} as const satisfies Record<
  string,
  { readonly role: Role; readonly also: readonly ('socket' | 'network' | 'chat')[] }
>;

export type AdminVerb = keyof typeof ADMIN_VERBS;

export function isAdminVerb(text: string): text is AdminVerb {
  return Object.hasOwn(ADMIN_VERBS, text);
}

/** Verbs that reach every workspace: the role must hold everywhere, one workspace's admin is not enough. */
const APPLIANCE_WIDE: ReadonlySet<AdminVerb> = new Set<AdminVerb>([
  'panic.off',
  'gate.open',
  'vault.read',
  'identity.rotate_ca',
  'vault.set',
  'workspace.create',
]);

export function isApplianceWide(verb: AdminVerb): boolean {
  return APPLIANCE_WIDE.has(verb);
}
