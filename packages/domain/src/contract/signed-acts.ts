import { ADMIN_ROUTES } from './admin.ts';
import { ADMIN_PREFIX, type AdminRoute } from './admin-route.ts';

/** Acts of the log that come about by a signed request and in no other way, and the requests that order them. */
const SIGNED_ACTS = {
  'approval.revoke': ['standing.revoke'],
  'approval.stand': ['standing.add'],
  'context.bind': ['context.bind', 'pair.approve'],
  'context.set': ['context.set'],
  'effect.resolve': ['effect.resolve'],
  'gate.open': ['gate.open'],
  'hub.approve': ['hub.approve'],
  'hub.deny': ['hub.rm'],
  'hub.remove': ['hub.rm'],
  'identity.add': ['user.add', 'pair.approve'],
  'identity.create_token': ['token.create'],
  'identity.grant': ['grant.add', 'pair.approve'],
  'identity.offboard': ['user.offboard'],
  'identity.pair_approve': ['pair.approve'],
  'identity.pair_deny': ['pair.deny'],
  'identity.pair_look': ['pair.show', 'pair.approve'],
  'identity.renew': ['certificate.renew'],
  'identity.revoke': ['grant.rm'],
  'identity.revoke_certificate': ['certificate.revoke'],
  'identity.revoke_key': ['key.revoke'],
  'identity.revoke_token': ['token.revoke'],
  'identity.rotate_ca': ['certificate.rotate_ca'],
  'identity.unlink': ['identity.unlink'],
  'label.approve': ['label.approve'],
  'label.publish': ['label.publish'],
  'memory.undo': ['memory.undo'],
  'panic.off': ['panic.off'],
  'vault.remove': ['secret.rm'],
  'vault.set': ['secret.set'],
  'workspace.create': ['workspace.create', 'pair.approve'],
  'workspace.set': ['workspace.set'],
} as const satisfies Record<string, readonly (keyof typeof ADMIN_ROUTES)[]>;

const ROUTES: Readonly<Partial<Record<string, readonly AdminRoute[]>>> = Object.fromEntries(
  Object.entries(SIGNED_ACTS).map(([action, names]) => [action, names.map((name) => ADMIN_ROUTES[name])]),
);

/** True for an act that only a signed request can order. */
export function mustBeSigned(action: string): boolean {
  return Object.hasOwn(SIGNED_ACTS, action);
}

/** Is that a request by which this act is ordered? True for acts that are not in the list. */
export function isRequestFor(
  action: string,
  asked: { readonly method: string; readonly path: string },
): boolean {
  const routes = mustBeSigned(action) ? ROUTES[action] : undefined;
  return routes?.some((route) => route.method === asked.method && fits(route.path, asked.path)) ?? true;
}

function fits(pattern: string, path: string): boolean {
  const wanted = (ADMIN_PREFIX + pattern).split('/');
  const parts = path.split('/');
  return (
    wanted.length === parts.length && wanted.every((part, at) => part.startsWith(':') || part === parts[at])
  );
}
