import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Approval } from '../approval/index.ts';
import type { Effect } from '../effect/index.ts';
import { isAtLeast, ROLES, type Role } from '../identity/index.ts';
import { makeLabel } from '../label/index.ts';
import { ADMIN_VERBS, type AdminVerb } from './admin.ts';
import { decide } from './decide.ts';
import { CHAT_GRANTS_PER_DAY } from './decide-approval.ts';
import { takenAs } from './decision.ts';
import {
  ADMIN,
  answerOf,
  approvalOf,
  BOSS,
  CTX,
  callOf,
  contextOf,
  dutyOf,
  effectOf,
  FOREIGN,
  GRANTS,
  GUEST,
  grantOf,
  MEMBER,
  NOW,
  OPERATOR,
  PLACE,
  PRIVATE,
  person,
  postOf,
  rulesOf,
  SERVICE,
  STRANGER,
  settingsOf,
  TOKEN,
  VIEWER,
  verdict,
  voteOf,
  WS,
  writeOf,
} from './policy.fixture.ts';
import type { PolicyRequest, PolicyRules } from './request.ts';

type Of<A extends PolicyRequest['action']> = Extract<PolicyRequest, { action: A }>;
const welcome = rulesOf({ settings: settingsOf({ guests: 'ask' }) });
const inPanic = rulesOf({ isPanicOn: true });
const behindGate = rulesOf({ isGateClosed: true });

describe('what an event may come to', () => {
  const takenOf = (more: Partial<Of<'ingest.take'>> = {}, rules = rulesOf()) =>
    takenAs(
      decide(
        {
          action: 'ingest.take',
          kind: 'message',
          principal: person(MEMBER),
          door: 'chat',
          isBot: false,
          isRelayed: false,
          ...more,
        },
        rules,
      ),
    );

  it('is decided by its kind alone, for whom it comes from', () => {
    const guest = { principal: GUEST };
    expect([takenOf(), takenOf({ kind: 'command' }), takenOf(guest)]).toEqual(['order', 'order', 'order']);
    expect([takenOf({ kind: 'edit' }), takenOf({ kind: 'edit', ...guest })]).toEqual(['words', 'words']);
    // A guest may say OK to a wish of their own; what a button does is decided when it is pressed.
    expect([takenOf({ kind: 'button' }), takenOf({ kind: 'button', ...guest })]).toEqual(['press', 'press']);
    for (const principal of [TOKEN, SERVICE]) expect(takenOf({ kind: 'button', principal })).toBeUndefined();
    for (const kind of ['reaction', 'member', 'moved'] as const) expect(takenOf({ kind })).toBe('fact');
  });

  it('is no order from a machine, another door, or when it was passed on; what is not known counts as that', () => {
    const unsure = undefined as unknown as boolean; // safe: what a faulty caller gives
    expect(takenOf({ isBot: true })).toBe('words');
    expect(takenOf({ isBot: unsure })).toBe('words');
    expect(takenOf({ kind: 'command', isRelayed: true })).toBe('ask');
    expect(takenOf({ isRelayed: unsure })).toBe('ask');
    for (const door of ['http', 'cli', 'mail', 'cron', 'file', 'outcome'] as const)
      expect(takenOf({ door })).toBe('ask');
    for (const more of [{ isBot: true }, { isRelayed: true }])
      expect(takenOf({ kind: 'button', ...more })).toBeUndefined();
  });

  it('is nothing where nothing is bound, and for a kind that is not known', () => {
    const kinds = ['message', 'command', 'edit', 'button', 'reaction', 'member', 'moved'] as const;
    for (const kind of kinds) {
      expect(takenOf({ kind }, rulesOf({ context: undefined }))).toBeUndefined();
      expect(takenOf({ kind }, rulesOf({ settings: undefined }))).toBeUndefined();
    }
    expect(takenOf({ kind: 'poke' as 'edit' })).toBeUndefined(); // safe: what a faulty connector gives
  });
});

describe('starting a run', () => {
  const start = (more: Partial<Of<'task.create'>> = {}, rules = rulesOf()) =>
    verdict(
      { action: 'task.create', principal: person(MEMBER), door: 'chat', isAddressed: true, ...more },
      rules,
    );

  it('needs the role member in the place', () => {
    fc.assert(
      fc.property(fc.option(fc.constantFrom<Role>(...ROLES), { nil: undefined }), (role) => {
        const rules = rulesOf({ grants: role === undefined ? [] : [grantOf(STRANGER, role)] });
        expect(start({ principal: person(STRANGER) }, rules)).toBe(
          isAtLeast(role, 'member') ? 'permit policy.member' : 'deny policy.role',
        );
      }),
    );
    expect(start({ principal: TOKEN })).toBe('permit policy.member');
    expect(start({ principal: SERVICE, door: 'cron' })).toBe('permit policy.member');
    expect(start({}, rulesOf({ context: contextOf({ workspace: 'kitchen' as never }) }))).toBe(
      'deny policy.role',
    ); // safe: a slug
  });

  it('needs to be addressed, and a place that is bound', () => {
    expect(start({ isAddressed: false })).toBe('deny policy.unaddressed');
    expect(start({ isAddressed: undefined as never })).toBe('deny policy.unaddressed'); // safe: deliberately missing
    expect(start({}, rulesOf({ context: undefined }))).toBe('deny policy.unbound');
    expect(start({}, rulesOf({ settings: undefined }))).toBe('deny policy.unbound');
  });

  it('stops under panic and behind the gate', () => {
    expect(start({}, inPanic)).toBe('deny policy.panic');
    expect(start({}, behindGate)).toBe('deny policy.gate');
    expect(start({}, rulesOf({ isPanicOn: undefined as never }))).toBe('deny policy.panic'); // safe: deliberately missing
    expect(start({}, rulesOf({ isGateClosed: undefined as never }))).toBe('deny policy.gate'); // safe: deliberately missing
  });

  it('guests may ask in chat where the context says so, and are marked', () => {
    expect(start({ principal: GUEST })).toBe('deny policy.guest');
    expect(start({ principal: GUEST }, welcome)).toBe('permit policy.guest-ask');
    expect(
      dutyOf(
        decide({ action: 'task.create', principal: GUEST, door: 'chat', isAddressed: true }, welcome),
        'guest',
      ),
    ).toBeDefined();
    for (const door of ['http', 'cli', 'mail', 'cron', 'file'] as const)
      expect(start({ principal: GUEST, door }, welcome)).toBe('deny policy.guest');
    expect(start({ principal: GUEST, isAddressed: false }, welcome)).toBe('deny policy.unaddressed');
  });
});

describe('reading by command', () => {
  const read = (principal: Of<'workspace.read'>['principal'], rules = rulesOf()) =>
    verdict({ action: 'workspace.read', principal }, rules);

  it('needs the role viewer, and gets only what belongs there', () => {
    expect(read(person(VIEWER))).toBe('permit policy.viewer');
    expect(read(person(STRANGER))).toBe('deny policy.role');
    expect(read(GUEST, welcome)).toBe('deny policy.role');
    expect(read(person(VIEWER), rulesOf({ context: undefined }))).toBe('deny policy.unbound');
    expect(
      dutyOf(decide({ action: 'workspace.read', principal: person(VIEWER) }, rulesOf()), 'filter')?.clearance,
    ).toEqual({ kind: 'tags', tags: [CTX, WS] });
  });
});

describe('performing an effect', () => {
  const granted = (more: Partial<Approval> = {}): Approval =>
    approvalOf({ state: 'granted', votes: [voteOf(OPERATOR)], ...more });
  const perform = (
    effect: Effect,
    approval: Approval | undefined = granted({
      digest: effect.digest,
      votes: [voteOf(OPERATOR, { digest: effect.digest })],
    }),
    rules = rulesOf(),
    isToolGranted = true,
  ) => verdict({ action: 'effect.perform', effect, approval, isToolGranted }, rules);

  it('permits what was approved, and what was permitted', () => {
    expect(perform(effectOf())).toBe('permit policy.approved');
    expect(perform(answerOf(), undefined)).toBe('permit policy.origin');
    for (const kind of ['W0', 'W1', 'F', 'R'] as const)
      expect(perform(effectOf({ class: kind, decision: 'permit', approval: undefined }), undefined)).toBe(
        'permit policy.permitted',
      );
  });

  it('panic and the gate stop it, answers too', () => {
    for (const effect of [effectOf(), answerOf()]) {
      expect(perform(effect, granted(), inPanic)).toBe('deny policy.panic');
      expect(perform(effect, granted(), behindGate)).toBe('deny policy.gate');
    }
  });

  it('only from a state in which it can leave', () => {
    for (const state of ['approved', 'performing'] as const)
      expect(perform(effectOf({ state }))).toBe('permit policy.approved');
    for (const state of [
      'proposed',
      'denied',
      'withdrawn',
      'superseded',
      'expired',
      'done',
      'rejected',
      'uncertain',
      'void',
    ] as const)
      expect(perform(effectOf({ state })), state).toBe('deny policy.state');
  });

  it('its place must be there and be its own', () => {
    expect(perform(effectOf(), granted(), rulesOf({ context: undefined }))).toBe('deny policy.unbound');
    expect(perform(effectOf(), granted(), rulesOf({ context: contextOf({ id: 'board' as never }) }))).toBe(
      'deny policy.unbound',
    ); // safe: a slug
    expect(perform(effectOf({ workspace: 'kitchen' as never }))).toBe('deny policy.unbound'); // safe: a slug
  });

  it('one changed byte is refused', () => {
    const digest = effectOf().digest;
    expect(perform(effectOf({ payloads: [{ text: 'hellO' }], digest }))).toBe('deny policy.digest');
    expect(perform(effectOf({ recipients: ['all'], digest }))).toBe('deny policy.digest');
    expect(perform(answerOf({ digest }), undefined)).toBe('deny policy.digest');
  });

  it('it must not be late, its label readable, its tool allowed, its requester entitled', () => {
    expect(perform(effectOf({ expiresAt: NOW + 1 }))).toBe('permit policy.approved');
    for (const expiresAt of [NOW, NOW - 1, Number.NaN])
      expect(perform(effectOf({ expiresAt }))).toBe('deny policy.expired');
    expect(perform(effectOf({ label: undefined as never }))).toBe('deny policy.label'); // safe: deliberately missing
    expect(perform(effectOf(), granted(), rulesOf(), false)).toBe('deny policy.tool');
    for (const requester of [person(STRANGER), person(VIEWER)])
      expect(perform(effectOf({ requester }))).toBe('deny policy.role');
    expect(
      perform(
        effectOf(),
        granted(),
        rulesOf({ grants: GRANTS.filter((grant) => grant.principal !== MEMBER) }),
      ),
    ).toBe('deny policy.role');
    expect(perform(answerOf({ requester: GUEST }), undefined, welcome)).toBe('permit policy.origin');
    expect(perform(answerOf({ requester: GUEST }), undefined)).toBe('deny policy.role');
  });

  it('text of another workspace never leaves', () => {
    for (const effect of [
      effectOf({ label: makeLabel(1, [FOREIGN]) }),
      answerOf({ label: makeLabel(1, [FOREIGN]) }),
    ])
      expect(perform(effect)).toBe('deny policy.foreign');
  });

  it('an answer leaves only to its origin and only if it fits', () => {
    expect(perform(answerOf({ label: makeLabel(1, [PRIVATE]) }), undefined)).toBe('deny policy.flow');
    const { sink } = answerOf();
    for (const change of [{ connector: 'telegram' }, { account: 'other' }, { address: 'news' }])
      expect(perform(answerOf({ sink: { ...sink, ...change } }), undefined)).toBe('deny policy.sink');
  });

  it('class A never, an unknown class never', () => {
    expect(perform(effectOf({ class: 'A' }))).toBe('deny policy.admin');
    expect(perform(effectOf({ class: 'Z' as never }))).toBe('deny policy.class'); // safe: deliberately unknown
  });

  it('what must be asked is not believed to be permitted', () => {
    for (const kind of ['E1', 'W2', 'K'] as const) {
      expect(perform(effectOf({ class: kind }))).toBe('permit policy.approved');
      expect(perform(effectOf({ class: kind, decision: 'permit' })), kind).toBe('deny policy.external');
    }
  });

  it('the approval must be its own, given, of these bytes and not late', () => {
    for (const kind of ['E1', 'W1', 'W2', 'F', 'K'] as const) {
      const effect = effectOf({ class: kind });
      expect(perform(effect, granted())).toBe('permit policy.approved');
      expect(verdict({ action: 'effect.perform', effect, approval: undefined, isToolGranted: true })).toBe(
        'deny policy.approval',
      );
      expect(perform(effect, granted({ effect: 'efct_11111111' as never }))).toBe('deny policy.approval'); // safe: of the right form
      expect(perform(effect, granted({ id: 'appr_11111111' as never }))).toBe('deny policy.approval'); // safe: of the right form
      for (const state of [
        'pending',
        'consumed',
        'denied',
        'withdrawn',
        'superseded',
        'expired',
        'void',
      ] as const)
        expect(perform(effect, granted({ state })), state).toBe('deny policy.approval');
      expect(perform(effect, granted({ digest: 'sha256:0' }))).toBe('deny policy.digest');
      expect(perform(effect, granted({ expiresAt: NOW }))).toBe('deny policy.expired');
    }
  });

  it('enough of those who approved must still hold the role', () => {
    const gone = rulesOf({ grants: GRANTS.filter((grant) => grant.principal !== OPERATOR) });
    expect(perform(effectOf(), granted(), gone)).toBe('deny policy.approver');
    expect(perform(effectOf(), granted({ approverRole: 'admin' }))).toBe('deny policy.approver');
    expect(perform(effectOf(), granted({ needed: 2 }))).toBe('deny policy.approver');
    expect(perform(effectOf(), granted({ needed: 2, votes: [voteOf(OPERATOR), voteOf(OPERATOR)] }))).toBe(
      'deny policy.approver',
    );
    expect(perform(effectOf(), granted({ needed: 2, votes: [voteOf(OPERATOR), voteOf(ADMIN)] }))).toBe(
      'permit policy.approved',
    );
    for (const needed of [0, -1, Number.NaN])
      expect(perform(effectOf(), granted({ needed, votes: [] })), String(needed)).toBe(
        'deny policy.approver',
      );
    expect(perform(effectOf(), granted({ votes: [voteOf(OPERATOR, { decision: 'deny' })] }))).toBe(
      'deny policy.approver',
    );
    expect(perform(effectOf(), granted({ votes: [voteOf(OPERATOR, { digest: 'sha256:0' })] }))).toBe(
      'deny policy.approver',
    );
  });

  it('whoever the approval names must have released, whatever the class; what stays inside needs nobody else', () => {
    for (const kind of ['E1', 'W1', 'F', 'K'] as const)
      expect(perform(effectOf({ class: kind }), granted({ releasers: [MEMBER] })), kind).toBe(
        'deny policy.release',
      );
    expect(perform(effectOf({ class: 'W1', label: makeLabel(0, [PRIVATE]) }), granted())).toBe(
      'permit policy.approved',
    );
  });

  it('private text leaves only when its owner released these bytes; the label says who that is', () => {
    const effect = effectOf({ label: makeLabel(1, [CTX, PRIVATE]) });
    const released = [voteOf(MEMBER, { decision: 'release' }), voteOf(OPERATOR)];
    expect(perform(effect, granted({ releasers: [MEMBER], votes: released }))).toBe('permit policy.approved');
    expect(perform(effect, granted({ releasers: [MEMBER] }))).toBe('deny policy.release');
    expect(perform(effect, granted({ releasers: [] }))).toBe('deny policy.release');
    expect(
      perform(
        effect,
        granted({ releasers: [], votes: [voteOf(ADMIN, { decision: 'release' }), voteOf(OPERATOR)] }),
      ),
    ).toBe('deny policy.release');
    expect(
      perform(
        effect,
        granted({ votes: [voteOf(MEMBER, { decision: 'release', digest: 'sha256:0' }), voteOf(OPERATOR)] }),
      ),
    ).toBe('deny policy.release');
  });
});

describe('showing a text', () => {
  const show = (more: Partial<Of<'effect.show'>> = {}, rules = rulesOf()) =>
    verdict({ action: 'effect.show', class: 'E0', label: makeLabel(0, [WS]), ...more }, rules);

  it('only to those who may read it, only as an answer, only with a label', () => {
    expect(show()).toBe('permit policy.origin');
    expect(show({ label: makeLabel(3, [PRIVATE]) })).toBe('deny policy.flow');
    expect(show({}, rulesOf({ context: contextOf({ openness: 'open' }) }))).toBe('deny policy.flow');
    expect(show({ label: undefined })).toBe('deny policy.label');
    expect(show({ class: 'E1' })).toBe('deny policy.class');
    expect(show({}, rulesOf({ context: undefined }))).toBe('deny policy.unbound');
  });
});

describe('answering a question', () => {
  type Answer = Of<'approval.grant' | 'approval.deny' | 'approval.release'>;
  const answer = (more: Partial<Answer> = {}, rules = rulesOf()) =>
    verdict(
      {
        action: 'approval.grant',
        principal: person(OPERATOR),
        approval: approvalOf(),
        effectClass: 'E1',
        via: 'signed',
        chatGrantsToday: 0,
        ...more,
      },
      rules,
    );

  it('takes a person with the role that it needs', () => {
    for (const approverRole of ['operator', 'admin'] as const) {
      fc.assert(
        fc.property(fc.constantFrom<Role>(...ROLES), (role) => {
          const rules = rulesOf({ grants: [grantOf(STRANGER, role)] });
          expect(answer({ principal: person(STRANGER), approval: approvalOf({ approverRole }) }, rules)).toBe(
            isAtLeast(role, approverRole) ? 'permit policy.staff' : 'deny policy.role',
          );
        }),
      );
    }
    for (const principal of [TOKEN, SERVICE, GUEST])
      expect(answer({ principal }, welcome)).toBe('deny policy.person');
  });

  it('a requester below operator never approves their own', () => {
    expect(answer({ principal: person(MEMBER) })).toBe('deny policy.role');
  });

  it('staff may approve their own where one is enough', () => {
    expect(answer({ approval: approvalOf({ requesterPerson: OPERATOR }) })).toBe('permit policy.staff');
  });

  it('where several are wanted the requester is none of them', () => {
    const several = rulesOf({ settings: settingsOf({ approversForHigh: 2 }) });
    const own = approvalOf({ requesterPerson: OPERATOR, tier: 'high', needed: 2 });
    expect(answer({ approval: own }, several)).toBe('deny policy.separation');
    expect(answer({ approval: { ...own, needed: Number.NaN } }, several)).toBe('deny policy.separation');
    expect(answer({ approval: { ...own, needed: 1 } }, several)).toBe('deny policy.separation');
    expect(answer({ approval: own, principal: person(ADMIN) }, several)).toBe('permit policy.staff');
    expect(answer({ approval: { ...own, needed: 1, tier: 'medium' } }, several)).toBe('permit policy.staff');
  });

  it('a question that was asked of several stays so when policy changes', () => {
    expect(answer({ approval: approvalOf({ requesterPerson: OPERATOR, tier: 'high', needed: 2 }) })).toBe(
      'deny policy.separation',
    );
    expect(answer({ approval: approvalOf({ requesterPerson: OPERATOR, tier: 'high', needed: 1 }) })).toBe(
      'permit policy.staff',
    );
  });

  it('the only admin stays able to work, also where several are wanted', () => {
    const alone = rulesOf({
      settings: settingsOf({ approversForHigh: 2 }),
      grants: [grantOf(ADMIN, 'admin'), grantOf(OPERATOR, 'operator')],
    });
    const own = approvalOf({ requesterPerson: ADMIN, tier: 'high', needed: 1, approverRole: 'admin' });
    expect(answer({ approval: own, principal: person(ADMIN) }, alone)).toBe('permit policy.staff');
  });

  it('tier high needs a signature, the lower ones work from chat', () => {
    for (const [tier, chat] of [
      ['low', 'permit policy.staff'],
      ['medium', 'permit policy.staff'],
      ['high', 'deny policy.signed'],
      ['odd', 'deny policy.signed'],
    ] as const) {
      expect(answer({ approval: approvalOf({ tier: tier as never }), via: 'chat' }), tier).toBe(chat); // safe: one is deliberately unknown
      expect(answer({ approval: approvalOf({ tier: tier as never }), via: 'signed' })).toBe(
        'permit policy.staff',
      ); // safe: as above
    }
    expect(answer({ via: 'letter' as never })).toBe('deny policy.signed'); // safe: deliberately unknown
  });

  it('a standing approval was signed once, and counts as signed', () => {
    expect(answer({ approval: approvalOf({ tier: 'high' }), via: 'standing' })).toBe('permit policy.staff');
  });

  it('chat has a cap per day', () => {
    expect(answer({ via: 'chat', chatGrantsToday: CHAT_GRANTS_PER_DAY - 1 })).toBe('permit policy.staff');
    for (const chatGrantsToday of [CHAT_GRANTS_PER_DAY, Number.NaN])
      expect(answer({ via: 'chat', chatGrantsToday })).toBe('deny policy.cap');
    expect(answer({ via: 'signed', chatGrantsToday: 10_000 })).toBe('permit policy.staff');
  });

  it('the cap of chat is what the appliance says, also none at all', () => {
    for (const chatGrantsPerDay of [0, 2]) {
      const rules = rulesOf({ chatGrantsPerDay });
      expect(answer({ via: 'chat', chatGrantsToday: chatGrantsPerDay }, rules)).toBe('deny policy.cap');
      expect(answer({ via: 'chat', chatGrantsToday: chatGrantsPerDay - 1 }, rules)).toBe(
        'permit policy.staff',
      );
      expect(answer({ via: 'signed', chatGrantsToday: 9 }, rules)).toBe('permit policy.staff');
    }
    expect(answer({ via: 'chat', chatGrantsToday: 0 }, rulesOf({ chatGrantsPerDay: Number.NaN }))).toBe(
      'deny policy.cap',
    );
  });

  it('only in its own place', () => {
    const both = [...GRANTS, grantOf(OPERATOR, 'operator', { scope: { kind: 'all' } })];
    expect(answer({}, rulesOf({ grants: both, context: contextOf({ id: 'board' as never }) }))).toBe(
      'deny policy.unbound',
    ); // safe: a slug
    expect(answer({}, rulesOf({ grants: both, context: contextOf({ workspace: 'kitchen' as never }) }))).toBe(
      'deny policy.unbound',
    ); // safe: a slug
    expect(answer({}, rulesOf({ context: undefined }))).toBe('deny policy.unbound');
  });

  it('nothing is approved under panic or behind the gate; a no is always possible', () => {
    expect(answer({}, inPanic)).toBe('deny policy.panic');
    expect(answer({}, behindGate)).toBe('deny policy.gate');
    for (const rules of [inPanic, behindGate, rulesOf()])
      expect(
        answer(
          {
            action: 'approval.deny',
            via: 'chat',
            approval: approvalOf({ tier: 'high', approverRole: 'admin' }),
          },
          rules,
        ),
      ).toBe('permit policy.staff');
    expect(answer({ action: 'approval.deny', principal: person(MEMBER) })).toBe('deny policy.role');
  });

  it('admin acts are never approved', () => {
    expect(answer({ principal: person(BOSS), effectClass: 'A' })).toBe('deny policy.admin');
  });

  it('private text is released by its owner alone, of any role', () => {
    const approval = approvalOf({ releasers: [VIEWER] });
    expect(answer({ action: 'approval.release', principal: person(VIEWER), approval })).toBe(
      'permit policy.release',
    );
    for (const other of [BOSS, OPERATOR, MEMBER])
      expect(answer({ action: 'approval.release', principal: person(other), approval })).toBe(
        'deny policy.release',
      );
    expect(
      answer({ action: 'approval.release', principal: TOKEN, approval: approvalOf({ releasers: [MEMBER] }) }),
    ).toBe('deny policy.person');
  });
});

describe('taking back, stopping, steering', () => {
  const withdraw = (principal: Of<'approval.withdraw'>['principal'], approval = approvalOf()) =>
    verdict({ action: 'approval.withdraw', principal, approval }, inPanic);

  it('the requester may always withdraw, nobody else', () => {
    expect(withdraw(person(MEMBER))).toBe('permit policy.requester');
    expect(withdraw(TOKEN)).toBe('permit policy.requester');
    for (const other of [BOSS, OPERATOR, STRANGER])
      expect(withdraw(person(other))).toBe('deny policy.requester');
    expect(withdraw(GUEST, approvalOf({ requesterPerson: undefined }))).toBe('deny policy.requester');
    expect(withdraw(TOKEN, approvalOf({ workspace: 'kitchen' as never }))).toBe('deny policy.requester'); // safe: a slug
  });

  type Order = Of<'run.abort' | 'run.retry' | 'run.steer'>;
  const order = (
    action: Order['action'],
    principal: Order['principal'],
    requester: Order['requester'],
    rules = rulesOf(),
  ) => verdict({ action, principal, requester }, rules);

  it('the requester and staff may abort, also under panic and where the place is gone', () => {
    for (const rules of [rulesOf(), inPanic, behindGate]) {
      expect(order('run.abort', person(MEMBER), person(MEMBER), rules)).toBe('permit policy.requester');
      expect(order('run.abort', person(OPERATOR), person(MEMBER), rules)).toBe('permit policy.staff');
    }
    expect(order('run.abort', person(MEMBER), TOKEN)).toBe('permit policy.requester');
    expect(order('run.abort', GUEST, GUEST)).toBe('permit policy.requester');
    expect(order('run.abort', person(MEMBER), person(MEMBER), rulesOf({ context: undefined }))).toBe(
      'permit policy.requester',
    );
    expect(order('run.abort', person(OPERATOR), person(MEMBER), rulesOf({ context: undefined }))).toBe(
      'deny policy.role',
    );
    for (const other of [person(VIEWER), person(STRANGER), GUEST])
      expect(order('run.abort', other, person(MEMBER))).toBe('deny policy.role');
    expect(order('run.abort', TOKEN, person(MEMBER))).toBe('deny policy.role');
  });

  it('a retry starts something: it needs the role and neither panic nor gate', () => {
    expect(order('run.retry', person(MEMBER), person(MEMBER))).toBe('permit policy.requester');
    expect(order('run.retry', person(OPERATOR), person(MEMBER))).toBe('permit policy.staff');
    expect(order('run.retry', person(VIEWER), person(VIEWER))).toBe('deny policy.role');
    expect(order('run.retry', person(MEMBER), person(MEMBER), inPanic)).toBe('deny policy.panic');
    expect(order('run.retry', person(MEMBER), person(MEMBER), behindGate)).toBe('deny policy.gate');
  });

  it('only the same sender steers, while they may still ask', () => {
    expect(order('run.steer', person(MEMBER), person(MEMBER))).toBe('permit policy.sender');
    expect(order('run.steer', GUEST, GUEST, welcome)).toBe('permit policy.sender');
    expect(order('run.steer', GUEST, GUEST)).toBe('deny policy.sender');
    for (const other of [BOSS, OPERATOR])
      expect(order('run.steer', person(other), person(MEMBER))).toBe('deny policy.sender');
    expect(order('run.steer', person(MEMBER), TOKEN)).toBe('deny policy.sender');
    expect(order('run.steer', person(VIEWER), person(VIEWER))).toBe('deny policy.sender');
    expect(order('run.steer', person(VIEWER), person(VIEWER), welcome)).toBe('deny policy.sender');
    expect(order('run.steer', person(MEMBER), person(MEMBER), inPanic)).toBe('deny policy.panic');
    expect(order('run.steer', person(MEMBER), person(MEMBER), behindGate)).toBe('deny policy.gate');
  });
});

describe('the admin plane', () => {
  const VERBS = Object.keys(ADMIN_VERBS) as AdminVerb[]; // safe: keys of that table
  const ALL = { kind: 'all' } as const;
  const rules = rulesOf({ grants: ROLES.map((role) => grantOf(`user_${role}`, role, { scope: ALL })) });
  const admin = (verb: string, more: Partial<Of<'admin'>> = {}, with_: PolicyRules = rules) =>
    verdict(
      {
        action: 'admin',
        verb: verb as AdminVerb,
        principal: person('user_overlord' as never),
        via: 'signed',
        target: ALL,
        ...more,
      },
      with_,
    ); // safe: some are deliberately unknown

  it('never from a model, whoever is behind it', () => {
    for (const verb of VERBS) expect(admin(verb, { via: 'model' }), verb).toBe('deny policy.admin');
  });

  it('signed: each verb needs its role', () => {
    // One's own certificate needs no role: see the test below.
    for (const verb of VERBS.filter((one) => one !== 'identity.renew')) {
      for (const role of ROLES) {
        const isEnough = isAtLeast(role, ADMIN_VERBS[verb].role);
        expect(admin(verb, { principal: person(`user_${role}` as never) }), `${verb} ${role}`).toBe(
          isEnough ? 'permit policy.role' : 'deny policy.role',
        ); // safe: keys of the grants above
      }
      expect(admin(verb, { principal: person(STRANGER) }), verb).toBe('deny policy.role');
    }
  });

  it('renewing the certificate of one’s own key needs a signature and no role', () => {
    expect(admin('identity.renew', { principal: person(STRANGER) })).toBe('permit policy.own');
    expect(admin('identity.renew', { principal: person(STRANGER), via: 'chat' })).toBe('deny policy.signed');
    expect(admin('identity.renew', { principal: person(STRANGER), via: 'network' })).toBe(
      'deny policy.signed',
    );
    expect(admin('identity.renew', { principal: TOKEN })).toBe('deny policy.person');
  });

  it('changing rights, secrets, labels, policy and switches needs an admin', () => {
    for (const verb of [
      'context.set',
      'workspace.create',
      'workspace.set',
      'identity.set',
      'identity.invite',
      'label.approve',
      'label.publish',
      'vault.read',
      'vault.set',
      'panic.off',
      'gate.open',
      'standing.set',
      'hub.set',
    ] as const)
      expect(ADMIN_VERBS[verb].role, verb).toBe('admin');
  });

  it('the local socket may only mint an invite, enrol, read status and panic', () => {
    const open = VERBS.filter((verb) => admin(verb, { via: 'socket' }) === 'permit policy.socket');
    expect(open.sort()).toEqual(['identity.enrol', 'identity.invite', 'panic.on', 'status.read']);
  });

  it('chat may only panic and ask for a hub, and only staff', () => {
    const open = VERBS.filter((verb) => admin(verb, { via: 'chat' }).startsWith('permit'));
    expect(open).toEqual(['panic.on', 'hub.request']);
    for (const verb of open)
      expect(admin(verb, { via: 'chat', principal: person('user_member' as never) }), verb).toBe(
        'deny policy.role',
      ); // safe: key of a grant above
  });

  it('only people, by a known way, for a known verb', () => {
    for (const principal of [TOKEN, SERVICE, GUEST])
      expect(admin('status.read', { principal }, rulesOf())).toBe('deny policy.person');
    expect(admin('status.read', { via: 'letter' as never })).toBe('deny policy.signed'); // safe: deliberately unknown
    for (const verb of ['', 'panic', 'constructor', '__proto__', 'panic.maybe'])
      expect(admin(verb)).toBe('deny policy.unknown');
  });

  it('what reaches every workspace needs a role that holds everywhere', () => {
    for (const verb of ['panic.off', 'gate.open', 'vault.read', 'vault.set', 'workspace.create'] as const) {
      expect(
        admin(
          verb,
          { target: { kind: 'workspace', workspace: PLACE.workspace }, principal: person(ADMIN) },
          rulesOf(),
        ),
        verb,
      ).toBe('deny policy.scope');
      expect(admin(verb, { principal: person(ADMIN) }, rulesOf()), verb).toBe('deny policy.role');
      expect(admin(verb, { principal: person(BOSS) }, rulesOf()), verb).toBe('permit policy.role');
    }
    expect(
      admin(
        'workspace.set',
        { target: { kind: 'workspace', workspace: PLACE.workspace }, principal: person(ADMIN) },
        rulesOf(),
      ),
    ).toBe('permit policy.role');
    expect(
      admin(
        'workspace.set',
        { target: { kind: 'workspace', workspace: 'kitchen' }, principal: person(ADMIN) },
        rulesOf(),
      ),
    ).toBe('deny policy.role');
  });
});

describe('decide is total', () => {
  const GOOD: readonly PolicyRequest[] = [
    { action: 'task.create', principal: person(MEMBER), door: 'chat', isAddressed: true },
    callOf(),
    postOf(),
    writeOf('notes/x.md'),
    writeOf('contexts/general/memory.md', makeLabel(0, [CTX])),
    {
      action: 'effect.perform',
      effect: effectOf(),
      approval: approvalOf({ state: 'granted', votes: [voteOf(OPERATOR)] }),
      isToolGranted: true,
    },
    { action: 'effect.perform', effect: answerOf(), approval: undefined, isToolGranted: true },
    { action: 'effect.show', class: 'E0', label: makeLabel(1, [WS]) },
    {
      action: 'approval.grant',
      principal: person(OPERATOR),
      approval: approvalOf(),
      effectClass: 'E1',
      via: 'chat',
      chatGrantsToday: 0,
    },
    { action: 'workspace.read', principal: person(MEMBER) },
    { action: 'run.retry', principal: person(MEMBER), requester: person(MEMBER) },
    {
      action: 'admin',
      verb: 'workspace.set',
      principal: person(ADMIN),
      via: 'signed',
      target: { kind: 'workspace', workspace: PLACE.workspace },
    },
  ];

  it('garbage is denied with a reason, and never throws', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (request, rules) => {
        const decision = decide(request as PolicyRequest, rules as PolicyRules); // safe: deliberately anything
        expect(decision.kind).toBe('deny');
        expect(decision.reasons.length).toBeGreaterThan(0);
      }),
      { numRuns: 1000 },
    );
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw {
            toString: () => {
              throw new Error('x');
            },
          };
        },
      },
    );
    expect(decide(hostile as PolicyRequest, rulesOf()).kind).toBe('deny'); // safe: deliberately hostile
    expect(decide(callOf(), hostile as PolicyRules).kind).toBe('deny'); // safe: deliberately hostile
  });

  it('a known action with garbage for rules is denied', () => {
    fc.assert(
      fc.property(fc.constantFrom(...GOOD), fc.anything(), (request, rules) => {
        expect(decide(request, rules as PolicyRules).kind).toBe('deny'); // safe: deliberately anything
      }),
    );
  });

  it('an unknown action is denied', () => {
    expect(verdict({ action: 'task.destroy' } as never)).toBe('deny policy.unknown'); // safe: deliberately unknown
  });

  it('every good request is let through: the tests above refuse for their reason and no other', () => {
    for (const request of GOOD) expect(decide(request, rulesOf()).kind, request.action).not.toBe('deny');
  });

  it('taking any fact of the rules away never permits more', () => {
    const order = { deny: 0, ask: 1, permit: 2 } as const;
    const keys = Object.keys(rulesOf()) as (keyof PolicyRules)[]; // safe: keys of that value
    const broken = [undefined, null, Number.NaN, 'x', {}, []];
    for (const request of GOOD) {
      for (const key of keys) {
        for (const value of broken) {
          const rules = { ...rulesOf(), [key]: value } as unknown as PolicyRules; // safe: deliberately broken
          expect(order[decide(request, rules).kind], `${request.action} without ${key}`).toBeLessThanOrEqual(
            order[decide(request, rulesOf()).kind],
          );
        }
      }
    }
  });

  it('taking any fact of the request away never turns a question into a permit', () => {
    const order = { deny: 0, ask: 1, permit: 2 } as const;
    for (const request of GOOD) {
      for (const key of Object.keys(request)) {
        const less = { ...request, [key]: undefined } as unknown as PolicyRequest; // safe: deliberately broken
        expect(order[decide(less, rulesOf()).kind], `${request.action} without ${key}`).toBeLessThanOrEqual(
          order[decide(request, rulesOf()).kind],
        );
      }
    }
  });

  it('the same question gets the same answer', () => {
    for (const request of GOOD) expect(decide(request, rulesOf())).toEqual(decide(request, rulesOf()));
  });
});
