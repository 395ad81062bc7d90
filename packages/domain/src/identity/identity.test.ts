import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ContextId, GrantId, TokenId, UserId, WorkspaceId } from '../base/index.ts';
import {
  type Grant,
  isLive,
  type Principal,
  personOf,
  principalKey,
  roleOf,
  roleOfPrincipal,
} from './principal.ts';
import { isAtLeast, isStaff, minRole, ROLES, type Role, roleRank, strongest } from './role.ts';
import { covers, formatScope, parseScope, type Scope } from './scope.ts';
import { type HttpToken, isUsable } from './token.ts';

const NOW = 1_000;
const ADA = 'user_ada00000' as UserId; // safe: of the right form
const here: Scope = { kind: 'context', workspace: 'garden', context: 'general' };
const slug = fc.constantFrom('garden', 'kitchen', 'general', 'board');
const scope: fc.Arbitrary<Scope> = fc.oneof(
  fc.constant<Scope>({ kind: 'all' }),
  slug.map((workspace): Scope => ({ kind: 'workspace', workspace })),
  fc.tuple(slug, slug).map(([workspace, context]): Scope => ({ kind: 'context', workspace, context })),
  fc.tuple(slug, slug).map(([workspace, skill]): Scope => ({ kind: 'skill', workspace, skill })),
  fc.tuple(slug, slug).map(([workspace, mailbox]): Scope => ({ kind: 'mailbox', workspace, mailbox })),
  slug.map((tool): Scope => ({ kind: 'tool', tool })),
  slug.map((model): Scope => ({ kind: 'model', model })),
);
const role = fc.constantFrom<Role>(...ROLES);
const maybeRole = fc.option(role, { nil: undefined });

function grant(principal: string, granted: Role, where: Scope, expiresAt?: number): Grant {
  return {
    id: 'grnt_00000000' as GrantId,
    principal,
    role: granted,
    scope: where,
    grantedBy: 'appliance',
    createdAt: 0,
    expiresAt,
  }; // safe: of the right form
}

const token: Principal = {
  kind: 'token',
  token: 'tokn_00000000' as TokenId,
  owner: ADA,
  workspace: 'garden' as WorkspaceId,
}; // safe: of the right form
const service: Principal = { kind: 'service', context: 'general' as ContextId, owner: ADA }; // safe: of the right form
const guest: Principal = { kind: 'guest', connector: 'memory', sender: '7' };
const ada: Principal = { kind: 'user', user: ADA };

describe('roles', () => {
  it('are ranked, staff from operator upwards', () => {
    expect([...ROLES].sort((a, b) => roleRank(a) - roleRank(b))).toEqual([
      'viewer',
      'member',
      'operator',
      'admin',
      'overlord',
    ]);
    expect(ROLES.filter(isStaff)).toEqual(['operator', 'admin', 'overlord']);
    expect(isStaff(undefined)).toBe(false);
  });

  it('nobody reaches an unknown role, and an unknown role reaches nothing', () => {
    for (const held of [undefined, ...ROLES]) expect(isAtLeast(held, 'king' as Role)).toBe(false); // safe: deliberately unknown
    for (const needed of ROLES) expect(isAtLeast('king' as Role, needed)).toBe(false); // safe: deliberately unknown
    for (const needed of ROLES) expect(isAtLeast(undefined, needed)).toBe(false);
    for (const role of ROLES) expect(isAtLeast(role, role)).toBe(true);
  });

  it('minRole and strongest agree with the rank', () => {
    fc.assert(
      fc.property(maybeRole, maybeRole, fc.array(role), (a, b, many) => {
        expect(roleRank(minRole(a, b))).toBe(Math.min(roleRank(a), roleRank(b)));
        expect(roleRank(strongest(many))).toBe(Math.max(-1, ...many.map(roleRank)));
      }),
    );
  });
});

describe('scopes', () => {
  it('text and value are inverses', () => {
    fc.assert(fc.property(scope, (value) => void expect(parseScope(formatScope(value))).toEqual(value)));
  });

  it('only canonical texts parse', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((rest) => `ws${rest}`),
          fc.string().map((rest) => `ctx:${rest}`),
        ),
        (text) => {
          let parsed: Scope;
          try {
            parsed = parseScope(text);
          } catch {
            return;
          }
          expect(formatScope(parsed)).toBe(text);
        },
      ),
    );
    for (const bad of [
      '',
      'wsx',
      'ctx',
      'ws:',
      'ws:A',
      'ws:a/b',
      'ctx:a',
      'ctx:a/b/c',
      'all',
      '**',
      'tool:',
      'tool:a b',
      'king:a',
      ':garden',
      'ctx:A/b',
      'ctx:a/B',
      'skill:A/b',
      'skill:a/',
      'skill:a',
      'mailbox:a/B',
      'mailbox:A/b',
      'model: x',
      'model:',
    ])
      expect(() => parseScope(bad), bad).toThrow(expect.objectContaining({ code: 'identity.scope.invalid' }));
  });

  it('everything covers all, each thing itself, a workspace what is in it, and nothing else', () => {
    const names = ['garden', 'kitchen'];
    const pairs = names.flatMap((a) => names.map((b) => [a, b] as const));
    const every: readonly Scope[] = [
      { kind: 'all' },
      ...names.map((workspace): Scope => ({ kind: 'workspace', workspace })),
      ...pairs.map(([workspace, context]): Scope => ({ kind: 'context', workspace, context })),
      ...pairs.map(([workspace, skill]): Scope => ({ kind: 'skill', workspace, skill })),
      ...pairs.map(([workspace, mailbox]): Scope => ({ kind: 'mailbox', workspace, mailbox })),
      ...names.map((tool): Scope => ({ kind: 'tool', tool })),
      ...names.map((model): Scope => ({ kind: 'model', model })),
    ];
    for (const granted of every) {
      for (const target of every) {
        const isSame = formatScope(granted) === formatScope(target);
        const isInside =
          granted.kind === 'workspace' && 'workspace' in target && target.workspace === granted.workspace;
        expect(covers(granted, target), `${formatScope(granted)} ${formatScope(target)}`).toBe(
          granted.kind === 'all' || isSame || isInside,
        );
      }
    }
  });
});

describe('who holds which role', () => {
  it('the strongest live grant that covers the place counts', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            role,
            scope,
            fc.option(fc.integer({ min: 0, max: 2 * NOW }), { nil: undefined }),
            fc.boolean(),
          ),
        ),
        scope,
        (rows, target) => {
          const grants = rows.map(([held, where, expiresAt, isMine]) =>
            grant(isMine ? ADA : 'user_ben00000', held, where, expiresAt),
          );
          const expected = strongest(
            rows
              .filter(
                ([, where, expiresAt, isMine]) =>
                  isMine && covers(where, target) && (expiresAt === undefined || NOW < expiresAt),
              )
              .map(([held]) => held),
          );
          expect(roleOf(ADA, target, grants, NOW)).toBe(expected);
          expect(roleOfPrincipal(ada, target, grants, NOW)).toBe(expected);
        },
      ),
    );
  });

  it('a grant ends at its instant; a broken one gives nothing', () => {
    expect(isLive(grant(ADA, 'admin', here, NOW + 1), NOW)).toBe(true);
    expect(isLive(grant(ADA, 'admin', here, NOW), NOW)).toBe(false);
    expect(isLive(grant(ADA, 'admin', here, Number.NaN), NOW)).toBe(false);
  });

  it('a token is at most member, at most what it was given, and nothing without its owner', () => {
    fc.assert(
      fc.property(maybeRole, maybeRole, (own, owners) => {
        const grants = [
          ...(own === undefined ? [] : [grant('tokn_00000000', own, here)]),
          ...(owners === undefined ? [] : [grant(ADA, owners, here)]),
        ];
        const held = roleOfPrincipal(token, here, grants, NOW);
        expect(roleRank(held)).toBe(
          isAtLeast(owners, 'member') ? Math.min(roleRank(own), roleRank('member')) : -1,
        );
      }),
    );
  });

  it('a token acts in its one workspace only', () => {
    const grants = [
      grant('tokn_00000000', 'member', { kind: 'all' }),
      grant(ADA, 'overlord', { kind: 'all' }),
    ];
    expect(roleOfPrincipal(token, here, grants, NOW)).toBe('member');
    for (const target of [
      { kind: 'workspace', workspace: 'kitchen' },
      { kind: 'all' },
      { kind: 'tool', tool: 'x' },
    ] as const)
      expect(roleOfPrincipal(token, target, grants, NOW)).toBeUndefined();
  });

  it('a service acts in its context only, at most as member, while its owner is one', () => {
    fc.assert(
      fc.property(maybeRole, scope, (owners, target) => {
        const grants = owners === undefined ? [] : [grant(ADA, owners, { kind: 'all' })];
        const isOwn = target.kind === 'context' && target.context === 'general';
        expect(roleRank(roleOfPrincipal(service, target, grants, NOW))).toBe(
          isOwn ? Math.min(roleRank(owners), 1) : -1,
        );
      }),
    );
  });

  it('a guest has no role, whatever is granted', () => {
    expect(
      roleOfPrincipal(guest, here, [grant(principalKey(guest), 'overlord', { kind: 'all' })], NOW),
    ).toBeUndefined();
  });

  it('each principal has its own key and its person', () => {
    const all = [ada, token, service, guest];
    expect(new Set(all.map(principalKey)).size).toBe(all.length);
    expect(all.map(personOf)).toEqual([ADA, ADA, ADA, undefined]);
  });
});

describe('tokens', () => {
  const row = { createdAt: 0 } as HttpToken; // safe: only the two instants are looked at
  it('end at their instant and when they are revoked', () => {
    expect(isUsable(row, NOW)).toBe(true);
    expect(isUsable({ ...row, expiresAt: NOW + 1 }, NOW)).toBe(true);
    expect(isUsable({ ...row, expiresAt: NOW }, NOW)).toBe(false);
    expect(isUsable({ ...row, revokedAt: NOW + 5 }, NOW)).toBe(false);
  });
});
