import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TIERS } from '../approval/index.ts';
import { EFFECT_CLASSES } from '../effect/index.ts';
import { isAtLeast, ROLES, type Role } from '../identity/index.ts';
import { type Integrity, makeLabel } from '../label/index.ts';
import { decide } from './decide.ts';
import { MAX_LINKS_PER_TASK } from './decide-tool.ts';
import { approvalOf as askedOf } from './decision.ts';
import {
  ADMIN,
  BOSS,
  CTX,
  callOf,
  contextOf,
  dutyOf,
  FOREIGN,
  GUEST,
  grantOf,
  MEMBER,
  OPERATOR,
  PRIVATE,
  person,
  postOf,
  rulesOf,
  SERVICE,
  STRANGER,
  settingsOf,
  TAME_REACH,
  TOKEN,
  toolOf,
  VIEWER,
  verdict,
  WS,
  writeOf,
} from './policy.fixture.ts';
import type { ReachFacts } from './request.ts';

const integrity = fc.constantFrom<Integrity>(0, 1, 2, 3);

describe('registered -> grants -> hard denies', () => {
  it('panic, a closed gate and an unbound place stop everything', () => {
    expect(verdict(callOf())).toBe('permit policy.read');
    expect(verdict(callOf(), rulesOf({ isPanicOn: true }))).toBe('deny policy.panic');
    expect(verdict(callOf(), rulesOf({ isGateClosed: true }))).toBe('deny policy.gate');
    expect(verdict(callOf(), rulesOf({ context: undefined }))).toBe('deny policy.unbound');
    expect(verdict(callOf(), rulesOf({ settings: undefined }))).toBe('deny policy.unbound');
  });

  it('a tool must exist and be allowed in the context', () => {
    expect(verdict(callOf({ tool: undefined }))).toBe('deny policy.unregistered');
    expect(verdict(callOf(), rulesOf({ settings: settingsOf({ tools: ['other'] }) }))).toBe(
      'deny policy.tool',
    );
    expect(verdict(callOf(), rulesOf({ settings: settingsOf({ tools: [] }) }))).toBe('deny policy.tool');
    expect(verdict(callOf(), rulesOf({ settings: settingsOf({ tools: ['a_tool'] }) }))).toBe(
      'permit policy.read',
    );
  });

  it('the requester needs the role of the tool, and member at every step', () => {
    fc.assert(
      fc.property(fc.constantFrom<Role>(...ROLES), fc.constantFrom<Role>(...ROLES), (held, minRole) => {
        const rules = rulesOf({ grants: [grantOf(STRANGER, held)] });
        const request = callOf({ principal: person(STRANGER), tool: toolOf({ minRole }) });
        const isEnough = isAtLeast(held, minRole) && isAtLeast(held, 'member');
        expect(verdict(request, rules)).toBe(isEnough ? 'permit policy.read' : 'deny policy.role');
      }),
    );
    for (const principal of [person(STRANGER), person(VIEWER)])
      expect(verdict(callOf({ principal }))).toBe('deny policy.role');
    expect(verdict(callOf(), rulesOf({ grants: [grantOf(MEMBER, 'member', { expiresAt: 1 })] }))).toBe(
      'deny policy.role',
    );
  });

  it('tokens and services act as members', () => {
    for (const principal of [TOKEN, SERVICE]) {
      expect(verdict(callOf({ principal }))).toBe('permit policy.read');
      expect(verdict(callOf({ principal, tool: toolOf({ minRole: 'operator' }) }))).toBe('deny policy.role');
    }
  });

  it('guests only read, and only where guests may ask', () => {
    const welcome = rulesOf({ settings: settingsOf({ guests: 'ask' }) });
    expect(verdict(callOf({ principal: GUEST }), welcome)).toBe('permit policy.read');
    expect(verdict(callOf({ principal: GUEST }))).toBe('deny policy.guest-tool');
    for (const kind of EFFECT_CLASSES.filter((name) => name !== 'R'))
      expect(verdict(callOf({ principal: GUEST, tool: toolOf({ class: kind }) }), welcome), kind).toBe(
        'deny policy.guest-tool',
      );
  });

  it('a text needs a label, a call a target', () => {
    expect(verdict(callOf({ label: undefined }))).toBe('deny policy.label');
    expect(verdict(callOf({ label: { integrity: 7, audience: [] } as never }))).toBe('deny policy.label'); // safe: deliberately malformed
    expect(verdict(callOf({ target: undefined }))).toBe('deny policy.target');
  });

  it('text of another workspace goes through no tool of any class', () => {
    for (const kind of EFFECT_CLASSES) {
      const isWrite = kind === 'W1' || kind === 'W2';
      const request = callOf({
        tool: toolOf({ class: kind }),
        target: isWrite
          ? { kind: 'file', path: 'notes/x.md', access: 'write' }
          : { kind: 'message', connector: 'memory', channel: 'general-channel' },
        reach: TAME_REACH,
        label: makeLabel(3, [WS, FOREIGN]),
      });
      expect(verdict(request), kind).toMatch(/^deny policy\.(foreign|admin)$/);
    }
  });

  it('class A is denied whatever the target says and whoever asks', () => {
    for (const path of ['notes/x.md', 'contexts/general/memory.md', 'AGENTS.md']) {
      for (const principal of [person(BOSS), person(ADMIN), SERVICE])
        expect(verdict(writeOf(path, makeLabel(3), { principal, tool: toolOf({ class: 'A' }) }))).toBe(
          'deny policy.admin',
        );
    }
    expect(verdict(callOf({ tool: toolOf({ class: 'A' }) }))).toBe('deny policy.admin');
  });

  it('only write tools write files, and they write nothing else', () => {
    for (const kind of ['R', 'E0', 'E1', 'F', 'K'] as const)
      expect(
        verdict(writeOf('notes/x.md', makeLabel(1), { tool: toolOf({ class: kind }), reach: TAME_REACH })),
        kind,
      ).toBe('deny policy.target');
    for (const kind of ['W1', 'W2'] as const) {
      expect(verdict(callOf({ tool: toolOf({ class: kind }) })), kind).toBe('deny policy.target');
      expect(
        verdict(
          callOf({
            tool: toolOf({ class: kind }),
            target: { kind: 'file', path: 'notes/x.md', access: 'read' },
          }),
        ),
        kind,
      ).toBe('deny policy.target');
    }
    expect(verdict(writeOf('notes/x.md', makeLabel(1), { tool: toolOf({ class: 'W0' }) }))).toBe(
      'permit policy.note',
    );
    expect(verdict(callOf({ tool: toolOf({ class: 'Z' as never }) }))).toBe('deny policy.class'); // safe: deliberately unknown
  });
});

describe('R read, W0 internal, E0 to the origin', () => {
  it('reading is permitted with the filter of the place', () => {
    const open = contextOf({ openness: 'open' });
    expect(dutyOf(decide(callOf(), rulesOf()), 'filter')?.clearance).toEqual({
      kind: 'tags',
      tags: [CTX, WS],
    });
    expect(dutyOf(decide(callOf(), rulesOf({ context: open })), 'filter')?.clearance).toEqual({
      kind: 'tags',
      tags: [CTX],
    });
  });

  it('a read stays inside the workspace', () => {
    const read = (path: string) => verdict(callOf({ target: { kind: 'file', path, access: 'read' } }));
    expect(read('notes/x.md')).toBe('permit policy.read');
    for (const path of ['../x.md', '/etc/x.md', '.hidden.md', 'x.txt', 'a//b.md', 'a\u200b.md'])
      expect(read(path), path).toBe('deny policy.path');
    expect(verdict(callOf({ target: { kind: 'url', url: 'https://a.example' } }))).toBe('deny policy.target');
    expect(verdict(callOf({ target: { kind: 'message', connector: 'memory', channel: 'x' } }))).toBe(
      'deny policy.target',
    );
  });

  it('internal notes keep their label, capped for a model', () => {
    fc.assert(
      fc.property(integrity, (level) => {
        const decision = decide(
          callOf({ tool: toolOf({ class: 'W0' }), label: makeLabel(level, [CTX]) }),
          rulesOf(),
        );
        expect(decision.kind).toBe('permit');
        expect(dutyOf(decision, 'store-label')?.label).toEqual(makeLabel(level === 0 ? 0 : 1, [CTX]));
      }),
    );
  });

  it('an answer goes to the very place it came from, and only if it fits', () => {
    const show = (channel: string, connector = 'memory', label = makeLabel(0, [WS])) =>
      verdict(
        callOf({ tool: toolOf({ class: 'E0' }), target: { kind: 'message', connector, channel }, label }),
      );
    expect(show('general-channel')).toBe('permit policy.origin');
    expect(show('other-channel')).toBe('deny policy.flow');
    expect(show('general-channel', 'telegram')).toBe('deny policy.flow');
    expect(show('general-channel', 'memory', makeLabel(3, [PRIVATE]))).toBe('deny policy.flow');
    expect(verdict(callOf({ tool: toolOf({ class: 'E0' }), target: { kind: 'workspace' } }))).toBe(
      'deny policy.flow',
    );
  });
});

describe('W1 and W2: the path decides', () => {
  const own = 'contexts/general/memory.md';

  it('notes and research are written with their own label, never above member', () => {
    fc.assert(
      fc.property(integrity, fc.constantFrom('notes/a.md', 'research/x/y.md'), (level, path) => {
        const decision = decide(writeOf(path, makeLabel(level, [CTX])), rulesOf());
        expect(decision.kind).toBe('permit');
        expect(dutyOf(decision, 'store-label')?.label).toEqual(makeLabel(level === 0 ? 0 : 1, [CTX]));
      }),
    );
  });

  it('memory of this context: from member on as member, from outside a human is asked', () => {
    for (const path of [own, 'contexts/general/memory/2026-11-21.md']) {
      for (const level of [1, 2, 3] as const) {
        const decision = decide(writeOf(path, makeLabel(level, [CTX])), rulesOf());
        expect(decision.kind).toBe('permit');
        expect(dutyOf(decision, 'store-label')?.label.integrity).toBe(1);
      }
      const asked = decide(writeOf(path, makeLabel(0, [CTX])), rulesOf());
      expect(asked.kind).toBe('ask');
      expect(askedOf(asked)).toMatchObject({
        tier: 'low',
        approverRole: 'operator',
        needed: 1,
        releasers: [],
      });
    }
  });

  it('private text enters memory only in its own direct message, and needs no release there', () => {
    const label = makeLabel(1, [PRIVATE]);
    expect(verdict(writeOf(own, label))).toBe('deny policy.flow');
    const direct = rulesOf({ context: contextOf({ kind: 'direct', directWith: MEMBER }) });
    expect(verdict(writeOf(own, label), direct)).toBe('permit policy.memory');
    expect(askedOf(decide(writeOf(own, makeLabel(0, [PRIVATE])), direct))?.releasers).toEqual([]);
    const others = rulesOf({ context: contextOf({ kind: 'direct', directWith: ADMIN }) });
    expect(verdict(writeOf(own, label), others)).toBe('deny policy.flow');
  });

  it('memory of an open context may hold texts of its workspace: each entry keeps its readers', () => {
    expect(
      verdict(writeOf(own, makeLabel(1, [WS])), rulesOf({ context: contextOf({ openness: 'open' }) })),
    ).toBe('permit policy.memory');
  });

  it('memory of the workspace changes by an approved diff', () => {
    const decision = decide(writeOf('memory.md', makeLabel(3, [CTX])), rulesOf());
    expect(decision.kind).toBe('ask');
    expect(askedOf(decision)).toMatchObject({ tier: 'low', approverRole: 'operator' });
    expect(verdict(writeOf('memory.md', makeLabel(3, [PRIVATE])))).toBe('deny policy.flow');
  });

  it('what steers the assistant, and every other document, needs an admin', () => {
    for (const path of [
      'AGENTS.md',
      'system.md',
      'contexts/general/context.md',
      'skills/x.md',
      'prompts/x.md',
      'schedules/x.md',
      'workflows/x.md',
      'notes/SOUL.md',
      'handbook.md',
      'deep/er/x.md',
    ]) {
      const decision = decide(writeOf(path, makeLabel(3, [CTX])), rulesOf());
      expect(decision.kind, path).toBe('ask');
      expect(askedOf(decision), path).toMatchObject({ tier: 'high', approverRole: 'admin' });
      expect(verdict(writeOf(path, makeLabel(3, [PRIVATE]))), path).toBe('deny policy.flow');
    }
  });

  it('records, other memories and unclear paths are written by nobody', () => {
    for (const path of ['logs/a/b/2026-11.md', 'tasks/x.md', 'approvals/x.md', 'email/x.md'])
      expect(verdict(writeOf(path)), path).toBe('deny policy.record');
    for (const path of [
      'contexts/board/memory.md',
      'contexts/board/memory/x.md',
      'contexts/GENERAL/memory.md',
    ])
      expect(verdict(writeOf(path)), path).toBe('deny policy.memory');
    for (const path of [
      '',
      '/x.md',
      '../x.md',
      'a/../b.md',
      'x.txt',
      '.x.md',
      'a\\b.md',
      'x.md ',
      'notes/\u202ex.md',
    ])
      expect(verdict(writeOf(path)), path).toBe('deny policy.path');
  });

  it('launders nothing: no permitted write stores more trust or fewer readers than the text has', () => {
    const path = fc.constantFrom(
      'notes/a.md',
      own,
      'memory.md',
      'AGENTS.md',
      'handbook.md',
      'logs/x.md',
      'contexts/board/memory.md',
    );
    const audience = fc.subarray([WS, CTX, PRIVATE, FOREIGN]);
    fc.assert(
      fc.property(path, integrity, audience, (where, level, tags) => {
        const label = makeLabel(level, tags);
        const decision = decide(writeOf(where, label), rulesOf());
        if (decision.kind !== 'permit') return;
        const stored = dutyOf(decision, 'store-label')?.label;
        expect(stored?.integrity).toBeLessThanOrEqual(Math.min(level, 1));
        expect(stored?.audience).toEqual(label.audience);
      }),
    );
  });
});

describe('E1 external', () => {
  it('always asks an operator, however trusted', () => {
    fc.assert(
      fc.property(
        integrity,
        fc.subarray([WS, CTX, PRIVATE]),
        fc.constantFrom(MEMBER, OPERATOR, ADMIN, BOSS),
        (level, tags, by) => {
          const decision = decide(
            postOf({ label: makeLabel(level, tags), principal: person(by) }),
            rulesOf(),
          );
          expect(decision.kind).toBe('ask');
          expect(askedOf(decision)?.approverRole).toBe('operator');
        },
      ),
    );
  });

  it('is denied when nobody knows whom it reaches', () => {
    expect(verdict(postOf({ reach: undefined }))).toBe('deny policy.reach');
  });

  it('private text must be released by each person it belongs to', () => {
    expect(askedOf(decide(postOf({ label: makeLabel(1, [CTX, PRIVATE]) }), rulesOf()))?.releasers).toEqual([
      MEMBER,
    ]);
    expect(askedOf(decide(postOf(), rulesOf()))?.releasers).toEqual([]);
  });

  it('the tier table, both ways', () => {
    const reach: fc.Arbitrary<ReachFacts> = fc.record({
      hasNewRecipient: fc.boolean(),
      isReplyToParticipants: fc.boolean(),
      isKnownChannel: fc.boolean(),
      isBackToSource: fc.boolean(),
      hasAttachment: fc.boolean(),
    });
    fc.assert(
      fc.property(reach, integrity, fc.boolean(), (facts, level, isPrivate) => {
        const label = makeLabel(level, isPrivate ? [PRIVATE] : []);
        const isHigh =
          facts.hasNewRecipient ||
          facts.hasAttachment ||
          isPrivate ||
          (level === 0 && !facts.isBackToSource) ||
          !(facts.isReplyToParticipants || facts.isKnownChannel);
        expect(askedOf(decide(postOf({ reach: facts, label }), rulesOf()))?.tier).toBe(
          isHigh ? 'high' : 'medium',
        );
      }),
      { numRuns: 500 },
    );
  });

  it('a fact that is missing counts as the worse', () => {
    for (const key of Object.keys(TAME_REACH) as (keyof ReachFacts)[]) {
      // safe: keys of that value
      const facts = { ...TAME_REACH, [key]: undefined } as unknown as ReachFacts; // safe: deliberately missing
      const tier = askedOf(decide(postOf({ reach: facts, label: makeLabel(0, []) }), rulesOf()))?.tier;
      expect(tier, key).toBe(key === 'isReplyToParticipants' || key === 'isKnownChannel' ? 'medium' : 'high');
    }
  });

  it('policy raises a tier and never lowers it', () => {
    for (const floor of TIERS) {
      const rules = rulesOf({ tierFloors: { a_tool: floor } });
      expect(askedOf(decide(postOf(), rules))?.tier).toBe(floor === 'high' ? 'high' : 'medium');
      expect(askedOf(decide(postOf({ reach: { ...TAME_REACH, hasAttachment: true } }), rules))?.tier).toBe(
        'high',
      );
    }
    expect(askedOf(decide(postOf(), rulesOf({ tierFloors: { another: 'high' } })))?.tier).toBe('medium');
  });
});

describe('F fetch', () => {
  const fetchOf = (more: Parameters<typeof callOf>[0] = {}) =>
    callOf({
      tool: toolOf({ class: 'F', minRole: 'member' }),
      target: { kind: 'url', url: 'https://a.example/x' },
      ...more,
    });

  it('permits what the requester typed and what an operator allowed; the result is outside text', () => {
    for (const urlTrust of ['typed-by-requester', 'operator'] as const) {
      const decision = decide(fetchOf({ urlTrust, label: makeLabel(3, [CTX]) }), rulesOf());
      expect(decision.kind).toBe('permit');
      expect(dutyOf(decision, 'store-label')?.label).toEqual(makeLabel(0, [CTX]));
    }
  });

  it('permits links of a fetched page up to the limit of the task, then asks', () => {
    const follow = (linksFollowedOfTask: number | undefined) =>
      verdict(fetchOf({ urlTrust: 'linked-on-allowed-page', linksFollowedOfTask }));
    expect(follow(0)).toBe('permit policy.fetch');
    expect(follow(MAX_LINKS_PER_TASK - 1)).toBe('permit policy.fetch');
    expect(follow(MAX_LINKS_PER_TASK)).toBe('ask policy.fetch-ask');
    expect(follow(Number.NaN)).toBe('ask policy.fetch-ask');
    expect(follow(undefined)).toBe('ask policy.fetch-ask');
  });

  it('asks for every other address, at tier high and with release when private text could leave', () => {
    for (const urlTrust of ['none', undefined, 'sure'] as const)
      expect(verdict(fetchOf({ urlTrust: urlTrust as never }))).toBe('ask policy.fetch-ask'); // safe: one is deliberately unknown
    expect(verdict(fetchOf({ urlTrust: 'none', linksFollowedOfTask: 0 }))).toBe('ask policy.fetch-ask');
    expect(askedOf(decide(fetchOf(), rulesOf()))).toMatchObject({
      tier: 'medium',
      approverRole: 'operator',
      releasers: [],
    });
    expect(askedOf(decide(fetchOf({ label: makeLabel(1, [PRIVATE]) }), rulesOf()))).toMatchObject({
      tier: 'high',
      releasers: [MEMBER],
    });
  });

  it('refuses what is no address of a named host, however trusted', () => {
    for (const url of [
      'file:///etc/passwd',
      'ftp://a.example/',
      'http://localhost/',
      'http://127.0.0.1/',
      'http://[::127.0.0.1]/',
      'http://2130706433/',
      'http://printer/',
      'http://nas.local/',
      'https://u:p@a.example/',
      'javascript:alert(1)',
      'x',
      '',
    ])
      expect(verdict(fetchOf({ urlTrust: 'typed-by-requester', target: { kind: 'url', url } })), url).toBe(
        'deny policy.url',
      );
    expect(
      verdict(fetchOf({ urlTrust: 'operator', target: { kind: 'url', url: 'http://127.0.0.1:8080/' } })),
    ).toBe('permit policy.fetch');
    expect(
      verdict(fetchOf({ urlTrust: 'operator', target: { kind: 'url', url: 'http://u:p@127.0.0.1/' } })),
    ).toBe('deny policy.url');
    expect(verdict(fetchOf({ urlTrust: 'operator', target: { kind: 'workspace' } }))).toBe('deny policy.url');
  });
});

describe('K code', () => {
  const code = (hasNetwork: boolean | undefined, tags = [CTX]) =>
    decide(
      callOf({ tool: toolOf({ class: 'K', minRole: 'member' }), hasNetwork, label: makeLabel(3, tags) }),
      rulesOf(),
    );

  it('always asks; with network, or when that is unknown, at tier high', () => {
    expect(askedOf(code(false))).toMatchObject({ tier: 'medium', approverRole: 'operator' });
    expect(askedOf(code(true))?.tier).toBe('high');
    expect(askedOf(code(undefined))?.tier).toBe('high');
  });

  it('with network, private text must be released first', () => {
    expect(askedOf(code(true, [PRIVATE]))?.releasers).toEqual([MEMBER]);
    expect(askedOf(code(false, [PRIVATE]))?.releasers).toEqual([]);
  });
});

describe('how much may be asked', () => {
  it('at most three open questions per task, none of a kind after a no', () => {
    for (const pending of [0, 1, 2])
      expect(verdict(postOf({ pendingOfTask: pending }))).toBe('ask policy.external');
    for (const pending of [3, 4, Number.NaN, undefined])
      expect(verdict(postOf({ pendingOfTask: pending as number }))).toBe('deny policy.flood'); // safe: one is deliberately missing
    expect(verdict(postOf({ wasKindDenied: true }))).toBe('deny policy.denied-before');
    expect(verdict(postOf({ wasKindDenied: undefined as never }))).toBe('deny policy.denied-before'); // safe: deliberately missing
  });

  it('what is permitted without a question is not counted', () => {
    expect(verdict(callOf({ pendingOfTask: 99, wasKindDenied: true }))).toBe('permit policy.read');
  });
});

describe('how many must approve', () => {
  const several = settingsOf({ approversForHigh: 3 });
  const high = postOf({ reach: { ...TAME_REACH, hasAttachment: true } });
  const needed = (request: typeof high, more: Parameters<typeof rulesOf>[0]) =>
    askedOf(decide(request, rulesOf({ settings: several, ...more })))?.needed;

  it('as many as policy wants for tier high, one otherwise', () => {
    expect(needed(high, {})).toBe(3);
    expect(needed(postOf(), {})).toBe(1);
  });

  it('never more than there are, so that a single admin can work', () => {
    expect(needed(high, { eligibleApprovers: 2 })).toBe(2);
    expect(needed(high, { eligibleApprovers: 0 })).toBe(1);
    expect(needed(high, { grants: [grantOf(MEMBER, 'member'), grantOf(ADMIN, 'admin')] })).toBe(1);
    expect(needed(high, { grants: [grantOf(MEMBER, 'member')] })).toBe(1);
  });

  it('says so when fewer can approve than policy wants, and only then', () => {
    const said = (more: Parameters<typeof rulesOf>[0]) =>
      decide(high, rulesOf({ settings: several, ...more })).reasons.map((reason) => reason.text);
    expect(said({ eligibleApprovers: 2 })).toContain('Policy wants 3 approvers, only 2 can approve.');
    expect(said({ eligibleApprovers: 0 })).toContain('Policy wants 3 approvers, only 1 can approve.');
    expect(said({}).join()).not.toContain('Policy wants');
    const codes = decide(high, rulesOf({ settings: several, eligibleApprovers: 2 })).reasons;
    expect(codes.map((reason) => reason.code)).toContain('policy.few-approvers');
  });

  it('counts those with the role that is needed, without the one who asks', () => {
    // Two admins' worth of staff: the operator cannot approve a control file.
    expect(needed(writeOf('AGENTS.md'), {})).toBe(2);
    expect(needed({ ...high, principal: person(ADMIN) }, {})).toBe(2);
    const few = [grantOf(MEMBER, 'member'), grantOf(ADMIN, 'admin'), grantOf('tokn_00000000', 'admin')];
    expect(needed(high, { grants: few })).toBe(1);
  });
});
