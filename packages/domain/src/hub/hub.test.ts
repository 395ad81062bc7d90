import { describe, expect, it } from 'vitest';
import type { ContextId, HubId, UserId, WorkspaceId } from '../base/index.ts';
import type { Context } from '../context/index.ts';
import { effectDigest } from '../effect/index.ts';
import { canFlow, makeLabel } from '../label/index.ts';
import { answerOf, contextOf, PLACE, rulesOf, verdict } from '../policy/policy.fixture.ts';
import {
  clearanceOfHub,
  HUB_CARD,
  HUB_MIRROR,
  type Hub,
  isHubAsked,
  isHubPlace,
  mayHubSee,
  mirrorLabel,
} from './hub.ts';

// safe: slugs and ids of the right form
const KITCHEN = 'kitchen' as WorkspaceId;
const CELLAR = 'cellar' as WorkspaceId;
const PLACE_HERE = contextOf();
const HUB: Hub = {
  id: 'ahub_00000000' as HubId,
  state: 'active',
  connector: PLACE_HERE.connector,
  account: PLACE_HERE.account,
  channel: PLACE_HERE.channel,
  context: PLACE.context,
  workspace: PLACE.workspace,
  askedBy: 'user_oper0000' as UserId,
  askedAt: 0,
  expiresAt: 1_000,
  clearedFor: [KITCHEN],
};
const seen = (audience: readonly string[], hub = HUB, place = PLACE_HERE, workspace = KITCHEN): boolean =>
  mayHubSee(hub, place, { workspace, label: makeLabel(1, audience as never) }); // safe: tags of the right form

/** What makes a place no hub. */
const NO_HUB: readonly (readonly [what: string, hub: Partial<Hub>, place: Partial<Context>])[] = [
  ['is only asked for', { state: 'asked' }, {}],
  ['is open to strangers', {}, { openness: 'open' }],
  ['is another context', {}, { id: 'other' as ContextId }],
  ['was bound to another channel', {}, { channel: 'other' }],
  ['was bound to another account', {}, { account: 'other' }],
  ['was bound to another connector', {}, { connector: 'other' }],
  ['is the talk of one person', {}, { directWith: 'user_boss0000' as UserId }],
  ['is a direct talk', {}, { kind: 'direct' }],
];

describe('what an admin hub may see', () => {
  it('is every text of the workspaces that it is cleared for, and what is public', () => {
    expect(seen(['ws:kitchen'])).toBe(true);
    expect(seen(['ctx:kitchen/stove', 'ws:kitchen'])).toBe(true);
    expect(seen([])).toBe(true);
  });

  it('is nothing of another workspace, also not of its own, not in part, and nothing private', () => {
    for (const audience of [
      ['ws:cellar'],
      ['ctx:cellar/wine'],
      ['ws:kitchen', 'ctx:cellar/wine'],
      [`ctx:${PLACE.workspace}/${PLACE.context}`],
      ['ws:kitchen', 'priv:user_boss0000'],
    ])
      expect(seen(audience), audience.join()).toBe(false);
  });

  it('is nothing that came up in a workspace it is not cleared for, whatever the label says', () => {
    expect(seen([], HUB, PLACE_HERE, CELLAR)).toBe(false);
    expect(seen(['ws:kitchen'], HUB, PLACE_HERE, CELLAR)).toBe(false);
  });

  it.each(NO_HUB)('is nothing where the place %s', (_what, hub, place) => {
    const here = { ...PLACE_HERE, ...place };
    const row = { ...HUB, ...hub };
    expect(isHubPlace(row, here)).toBe(false);
    expect(seen(['ws:kitchen'], row, here)).toBe(false);
    expect(canFlow(makeLabel(1, ['ws:kitchen' as never]), clearanceOfHub(row, here))).toBe(false); // safe: a tag
  });

  it('a request counts until its end', () => {
    expect(isHubAsked({ ...HUB, state: 'asked' }, 999)).toBe(true);
    expect(isHubAsked({ ...HUB, state: 'asked' }, 1_000)).toBe(false);
    expect(isHubAsked(HUB, 0)).toBe(false);
  });
});

describe('a card may leave', () => {
  const bytes = {
    kind: HUB_CARD,
    sink: { connector: 'memory', account: 'demo', address: PLACE_HERE.channel },
    recipients: [PLACE_HERE.channel],
    payloads: [{ text: 'a question' }],
  };
  const card = (audience: readonly string[], more: Partial<typeof bytes> = {}) => {
    const all = { ...bytes, ...more };
    return answerOf({ ...all, digest: effectDigest(all), label: makeLabel(1, audience as never) }); // safe: tags
  };
  const leave = (effect: ReturnType<typeof card>, hub: Hub | undefined, place: Partial<Context> = {}) =>
    verdict(
      { action: 'effect.perform', effect, approval: undefined, isToolGranted: true, hub },
      rulesOf({ context: { ...PLACE_HERE, ...place } }),
    );

  it('for the hub that is cleared for it', () => {
    expect(leave(card(['ws:kitchen']), HUB)).toBe('permit policy.hub');
    expect(leave(card([]), HUB)).toBe('permit policy.hub');
  });

  it('for no place that is not the hub, whatever it says', () => {
    expect(leave(card([]), undefined)).toBe('deny policy.hub');
    for (const [what, hub, place] of NO_HUB.filter(([, , one]) => one.id === undefined))
      expect(leave(card([]), { ...HUB, ...hub }, place), what).toBe('deny policy.hub');
    const sink = { ...bytes.sink, address: 'elsewhere' };
    expect(leave(card([], { sink }), HUB)).toBe('deny policy.hub');
  });

  it('for a hub that is not cleared for its words: never', () => {
    for (const audience of [['ws:cellar'], ['ws:kitchen', 'ws:cellar'], ['priv:user_boss0000']])
      expect(leave(card(audience), HUB), audience.join()).toBe('deny policy.flow');
  });

  it('while an answer there has no more than its own place has', () => {
    expect(leave(card(['ws:kitchen'], { kind: 'message.reply' }), HUB)).toBe('deny policy.foreign');
  });
});

describe('a text of a direct talk may leave for the hub', () => {
  const OLGA = 'user_oper0000' as UserId; // safe: an id
  const bytes = {
    kind: HUB_MIRROR,
    sink: { connector: 'memory', account: 'demo', address: PLACE_HERE.channel },
    recipients: [PLACE_HERE.channel],
    payloads: [{ text: 'said in a talk' }],
  };
  /** Olga has no role in the place of the hub. */
  const leave = (
    more: object,
    effect: Parameters<typeof answerOf>[0] = {},
    audience: readonly string[] = ['ws:kitchen'],
  ) =>
    verdict(
      {
        action: 'effect.perform',
        effect: answerOf({
          ...bytes,
          digest: effectDigest(bytes),
          label: makeLabel(1, audience as never), // safe: tags
          requester: { kind: 'service', context: 'talk' as ContextId, owner: 'user_nobody00' as UserId }, // safe: ids
          ...effect,
        }),
        approval: undefined,
        isToolGranted: true,
        hub: HUB,
        isMirrorAgreed: true,
        ...more,
      },
      rulesOf({ context: PLACE_HERE }),
    );

  it('while whose talk it is agrees, whatever their role there', () => {
    expect(leave({})).toBe('permit policy.hub');
    for (const isMirrorAgreed of [false, undefined, 'yes'])
      expect(leave({ isMirrorAgreed })).toBe('deny policy.hub');
  });

  it('and only for the hub that is cleared for it', () => {
    expect(leave({ hub: undefined })).toBe('deny policy.hub');
    expect(leave({ hub: { ...HUB, state: 'asked' } })).toBe('deny policy.hub');
    for (const audience of [['ws:cellar'], ['ws:kitchen', 'priv:user_oper0000']])
      expect(leave({}, {}, audience)).toBe('deny policy.flow');
  });

  it('and nothing else that a person without a role asks for', () => {
    const reply = { ...bytes, kind: 'message.reply' };
    expect(leave({}, { ...reply, digest: effectDigest(reply) }, [])).toBe('deny policy.role');
    expect(leave({}, { class: 'E1' }, [])).toBe('deny policy.role');
  });

  it('with the private text of whose talk it is, and of nobody else', () => {
    const label = makeLabel(1, ['ws:kitchen', 'priv:user_oper0000', 'priv:user_boss0000'] as never); // safe: tags
    expect(mirrorLabel(label, OLGA)).toEqual(makeLabel(1, ['ws:kitchen', 'priv:user_boss0000'] as never)); // safe: tags
    expect(mirrorLabel(mirrorLabel(label, OLGA), 'user_boss0000' as UserId).audience).toEqual(['ws:kitchen']); // safe: an id
  });
});
