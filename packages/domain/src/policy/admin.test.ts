import { expect, it } from 'vitest';
import { ADMIN_VERBS, type AdminVerb, isApplianceWide } from './admin.ts';
import { ADMIN, person, verdict } from './policy.fixture.ts';

// Written out once more on purpose: a role or a way that changes in the table must be changed here, too, and be seen in a review.
const TABLE = [
  ['status.read', 'viewer', 'socket'],
  ['policy.explain', 'operator', ''],
  ['task.read', 'operator', ''],
  ['effect.read', 'operator', ''],
  ['effect.resolve', 'operator', ''],
  ['approval.read', 'viewer', ''],
  ['context.read', 'operator', ''],
  ['context.set', 'admin', ''],
  ['workspace.read', 'viewer', ''],
  ['workspace.create', 'admin', ''],
  ['workspace.set', 'admin', ''],
  ['identity.read', 'operator', ''],
  ['identity.set', 'admin', ''],
  ['identity.invite', 'admin', 'socket'],
  ['identity.rotate_ca', 'admin', ''],
  ['identity.renew', 'viewer', ''],
  ['identity.enrol', 'viewer', 'socket network'],
  ['label.read', 'operator', ''],
  ['label.approve', 'admin', ''],
  ['label.publish', 'admin', ''],
  ['vault.read', 'admin', ''],
  ['vault.set', 'admin', ''],
  ['audit.read', 'operator', ''],
  ['memory.read', 'viewer', ''],
  ['memory.undo', 'operator', ''],
  ['panic.on', 'operator', 'socket chat'],
  ['panic.off', 'admin', ''],
  ['gate.open', 'admin', ''],
  ['standing.set', 'admin', ''],
  ['hub.read', 'operator', ''],
  ['hub.request', 'operator', 'chat'],
  ['hub.set', 'admin', ''],
  ['ledger.read', 'operator', ''],
];

it('each admin act has its least role and its ways, as written here', () => {
  const rows = Object.entries(ADMIN_VERBS).map(([verb, { role, also }]) => [verb, role, also.join(' ')]);
  expect(rows).toEqual(TABLE);
});

it('what reaches every workspace, as written here', () => {
  // safe: the keys of the table
  const wide = (Object.keys(ADMIN_VERBS) as (keyof typeof ADMIN_VERBS)[]).filter(isApplianceWide);
  expect(wide).toEqual([
    'workspace.create',
    'identity.rotate_ca',
    'vault.read',
    'vault.set',
    'panic.off',
    'gate.open',
  ]);
});

it('the local socket is refused everything that the table does not give it', () => {
  for (const [verb = '', , ways = ''] of TABLE) {
    // safe: the table above holds verbs
    const asked = {
      action: 'admin',
      verb: verb as AdminVerb,
      via: 'socket',
      principal: person(ADMIN),
      target: { kind: 'all' },
    } as const;
    expect(verdict(asked), verb).toBe(
      ways.includes('socket') ? 'permit policy.socket' : 'deny policy.signed',
    );
  }
});

it('the unsigned network is refused everything that the table does not give it', () => {
  for (const [verb = '', , ways = ''] of TABLE) {
    // safe: the table above holds verbs
    const asked = {
      action: 'admin',
      verb: verb as AdminVerb,
      via: 'network',
      principal: person(ADMIN),
      target: { kind: 'all' },
    } as const;
    expect(verdict(asked), verb).toBe(
      ways.includes('network') ? 'permit policy.network' : 'deny policy.signed',
    );
  }
});
