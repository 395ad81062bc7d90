import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ContextId, UserId, WorkspaceId } from '../base/index.ts';
import {
  type Clearance,
  canFlow,
  clearanceOfContext,
  clearanceOfFile,
  PUBLIC_CLEARANCE,
  privateUsersOf,
  workspacesOf,
} from './clearance.ts';
import { labelOfFile } from './file-label.ts';
import {
  type AudienceTag,
  capIntegrity,
  capModel,
  ctxTag,
  describeLabel,
  equalLabels,
  type Integrity,
  isLabel,
  isNotAbove,
  join,
  type Label,
  makeLabel,
  NOTHING_READ,
  parseAudienceTag,
  privTag,
  publicLabel,
  wsTag,
} from './label.ts';

// safe: slugs and ids of the right form
const A = 'garden' as WorkspaceId;
const B = 'kitchen' as WorkspaceId;
const c = 'general' as ContextId;
const d = 'board' as ContextId;
const u = 'user_ada00000' as UserId;
const v = 'user_ben00000' as UserId;

const TAGS: readonly AudienceTag[] = [
  wsTag(A),
  wsTag(B),
  ctxTag(A, c),
  ctxTag(A, d),
  ctxTag(B, c),
  privTag(u),
  privTag(v),
];
const integrity = fc.constantFrom<Integrity>(0, 1, 2, 3);
const audience = fc.subarray([...TAGS]);
const label = fc.tuple(integrity, audience).map(([i, tags]) => makeLabel(i, tags));
const flows = (tags: readonly AudienceTag[], clearance: Clearance): boolean =>
  canFlow(makeLabel(1, tags), clearance);

describe('join', () => {
  it('is the least integrity and all audiences', () => {
    fc.assert(
      fc.property(label, label, (a, b) => {
        const both = join(a, b);
        expect(both.integrity).toBe(Math.min(a.integrity, b.integrity));
        expect(new Set(both.audience)).toEqual(new Set([...a.audience, ...b.audience]));
      }),
    );
  });

  it('does not care for order, grouping or repetition, and nothing changes by nothing', () => {
    fc.assert(
      fc.property(label, label, label, (a, b, e) => {
        expect(join(a, b)).toEqual(join(b, a));
        expect(join(join(a, b), e)).toEqual(join(a, join(b, e)));
        expect(join(a, a)).toEqual(a);
        expect(join(a, NOTHING_READ)).toEqual(a);
      }),
    );
    expect(join()).toEqual(NOTHING_READ);
  });

  it('launders nothing: the whole is not above any part', () => {
    fc.assert(
      fc.property(fc.array(label, { minLength: 1 }), (labels) => {
        for (const part of labels) expect(isNotAbove(join(...labels), part)).toBe(true);
      }),
    );
  });

  it('an integrity that is none counts as outside', () => {
    for (const broken of [Number.NaN, -1, 4, undefined, '3'])
      expect(join({ integrity: broken, audience: [] } as never).integrity).toBe(0); // safe: deliberately malformed
  });
});

describe('caps', () => {
  it('what a model wrote is at most member and keeps its audience', () => {
    fc.assert(
      fc.property(label, (a) => {
        expect(capModel(a)).toEqual({ integrity: Math.min(a.integrity, 1), audience: a.audience });
      }),
    );
    expect(capModel({ integrity: Number.NaN, audience: [] } as never).integrity).toBe(0); // safe: deliberately malformed
  });

  it('capIntegrity only lowers', () => {
    fc.assert(
      fc.property(label, integrity, (a, cap) => {
        expect(capIntegrity(a, cap)).toEqual({ integrity: Math.min(a.integrity, cap), audience: a.audience });
      }),
    );
  });

  it('isNotAbove sees both ways of laundering', () => {
    const bound = makeLabel(1, [wsTag(A)]);
    expect(isNotAbove(makeLabel(1, [wsTag(A), privTag(u)]), bound)).toBe(true);
    expect(isNotAbove(makeLabel(2, [wsTag(A)]), bound)).toBe(false);
    expect(isNotAbove(makeLabel(1, []), bound)).toBe(false);
  });

  it('isLabel knows a label', () => {
    fc.assert(fc.property(label, (a) => void expect(isLabel(a)).toBe(true)));
    for (const bad of [
      undefined,
      null,
      1,
      {},
      { integrity: 1 },
      { integrity: 4, audience: [] },
      { integrity: '1', audience: [] },
      { integrity: 1, audience: 'ws:a' },
      { integrity: 1, audience: [1] },
    ])
      expect(isLabel(bad)).toBe(false);
  });

  it('equality is of both parts', () => {
    expect(equalLabels(makeLabel(1, [wsTag(A)]), makeLabel(1, [wsTag(A), wsTag(B)]))).toBe(false);
    expect(equalLabels(makeLabel(1, [wsTag(A), privTag(u)]), makeLabel(1, [wsTag(A), privTag(v)]))).toBe(
      false,
    );
    expect(equalLabels(makeLabel(1, []), makeLabel(1, []))).toBe(true);
    expect(
      equalLabels(makeLabel(1, [wsTag(A), privTag(u)]), makeLabel(1, [privTag(u), wsTag(A), wsTag(A)])),
    ).toBe(true);
    expect(equalLabels(makeLabel(1, [wsTag(A)]), makeLabel(2, [wsTag(A)]))).toBe(false);
    expect(equalLabels(makeLabel(1, [wsTag(A)]), makeLabel(1, [wsTag(B)]))).toBe(false);
    expect(equalLabels(makeLabel(1, [wsTag(A)]), makeLabel(1, []))).toBe(false);
  });
});

describe('audience tags', () => {
  it('parse in their three forms and no other', () => {
    for (const tag of TAGS) expect(parseAudienceTag(tag)).toBe(tag);
    for (const bad of [
      '',
      'ws:',
      'ws:A',
      'ctx:a',
      'ctx:a/',
      'ctx:a/b/c',
      'priv:ada',
      'priv:user_',
      'ws:a\n',
      'all',
      'ws:a b',
    ])
      expect(() => parseAudienceTag(bad), bad).toThrow(
        expect.objectContaining({ code: 'label.tag.invalid' }),
      );
  });

  it('are told to people', () => {
    expect(describeLabel(publicLabel(0))).toBe('text from outside; public');
    expect(describeLabel(makeLabel(2, [wsTag(A)]))).toBe('a file owned by staff; belongs to ws:garden');
  });
});

describe('clearance', () => {
  const closed = clearanceOfContext({ workspace: A, context: c, openness: 'closed' });
  const open = clearanceOfContext({ workspace: A, context: c, openness: 'open' });
  const direct = clearanceOfContext({ workspace: A, context: c, openness: 'closed', directWith: u });

  it('a closed context reads its workspace and itself', () => {
    expect(TAGS.filter((tag) => flows([tag], closed))).toEqual([wsTag(A), ctxTag(A, c)]);
  });

  it('an open context reads only itself and what is public', () => {
    expect(TAGS.filter((tag) => flows([tag], open))).toEqual([ctxTag(A, c)]);
    expect(flows([], open)).toBe(true);
  });

  it('a direct message adds its one person', () => {
    expect(TAGS.filter((tag) => flows([tag], direct))).toEqual([wsTag(A), ctxTag(A, c), privTag(u)]);
  });

  it('mail, HTTP and other workspaces read only what is public', () => {
    expect(TAGS.filter((tag) => flows([tag], PUBLIC_CLEARANCE))).toEqual([]);
    expect(flows([], PUBLIC_CLEARANCE)).toBe(true);
  });

  it('a file is a sink: memory of a context, memory of a workspace', () => {
    expect(TAGS.filter((tag) => flows([tag], clearanceOfFile(A, c)))).toEqual([wsTag(A), ctxTag(A, c)]);
    expect(TAGS.filter((tag) => flows([tag], clearanceOfFile(A)))).toEqual([wsTag(A)]);
  });

  it('a provider or hub reads the workspaces it is cleared for, private texts only where said', () => {
    const some: Clearance = { kind: 'workspaces', workspaces: [A], isPrivateCleared: false };
    expect(TAGS.filter((tag) => flows([tag], some))).toEqual([wsTag(A), ctxTag(A, c), ctxTag(A, d)]);
    expect(flows([privTag(u)], { ...some, isPrivateCleared: true })).toBe(true);
    expect(flows([wsTag(B)], { ...some, isPrivateCleared: true })).toBe(false);
    expect(TAGS.every((tag) => flows([tag], { kind: 'all' }))).toBe(true);
  });

  it('holds no tag but those', () => {
    expect(closed).toEqual({ kind: 'tags', tags: [ctxTag(A, c), wsTag(A)] });
    expect(open).toEqual({ kind: 'tags', tags: [ctxTag(A, c)] });
    expect(clearanceOfFile(A)).toEqual({ kind: 'tags', tags: [wsTag(A)] });
  });

  it('of workspaces takes a mixture only when all of it is of them', () => {
    const both: Clearance = { kind: 'workspaces', workspaces: [A, B], isPrivateCleared: false };
    expect(flows([wsTag(A), ctxTag(B, c)], both)).toBe(true);
    expect(flows([wsTag(A), privTag(u)], both)).toBe(false);
    expect(flows([wsTag(A), wsTag(B)], { ...both, workspaces: [A] })).toBe(false);
  });

  it('a text flows exactly when each of its audiences does', () => {
    fc.assert(
      fc.property(label, fc.constantFrom(closed, open, direct, PUBLIC_CLEARANCE), (a, clearance) => {
        expect(canFlow(a, clearance)).toBe(a.audience.every((tag) => flows([tag], clearance)));
      }),
    );
  });

  it('a join flows only where all its parts do: nothing leaks by mixing', () => {
    fc.assert(
      fc.property(label, label, audience, (a, b, tags) => {
        const clearance: Clearance = { kind: 'tags', tags };
        expect(canFlow(join(a, b), clearance)).toBe(canFlow(a, clearance) && canFlow(b, clearance));
      }),
    );
  });

  it('a malformed label goes nowhere, a malformed tag to nobody', () => {
    for (const bad of [undefined, {}, { integrity: 9, audience: [] }, { integrity: 1, audience: 'x' }]) {
      expect(canFlow(bad as never, { kind: 'all' })).toBe(false); // safe: deliberately malformed
      expect(canFlow(bad as never, PUBLIC_CLEARANCE)).toBe(false); // safe: deliberately malformed
    }
    const odd = { integrity: 1, audience: [`xyz:${A}`] } as unknown as Label; // safe: deliberately malformed
    expect(canFlow(odd, { kind: 'workspaces', workspaces: [A], isPrivateCleared: true })).toBe(false);
    expect(workspacesOf(odd)).toEqual([`xyz:${A}`]);
  });

  it('names the workspaces and the people inside', () => {
    const mixed = makeLabel(1, TAGS);
    expect(new Set(workspacesOf(mixed))).toEqual(new Set([A, B]));
    expect(privateUsersOf(mixed)).toEqual([u, v]);
    expect(workspacesOf(publicLabel(1))).toEqual([]);
  });
});

describe('labels of files', () => {
  const ours = [wsTag(A)];
  const low = makeLabel(0, [wsTag(A)]);
  const base = { sameContent: [], outsideEdits: 'staff' as const, defaultAudience: ours };

  it('what is known of exactly these bytes at this path counts', () => {
    fc.assert(
      fc.property(label, fc.array(label), label, (exact, sameContent, previous) => {
        expect(labelOfFile({ ...base, exact, sameContent, previous })).toEqual(exact);
      }),
    );
  });

  it('a new file of unknown content follows the rule for outside edits', () => {
    expect(labelOfFile(base)).toEqual(makeLabel(2, ours));
    expect(labelOfFile({ ...base, outsideEdits: 'review' })).toEqual(makeLabel(0, ours));
  });

  it('low content stays low when it is renamed or copied', () => {
    expect(labelOfFile({ ...base, sameContent: [low] }).integrity).toBe(0);
    expect(labelOfFile({ ...base, sameContent: [makeLabel(2, [privTag(u)])] }).audience).toContain(
      privTag(u),
    );
  });

  it('a changed file is at most what its path was', () => {
    expect(labelOfFile({ ...base, previous: low }).integrity).toBe(0);
    expect(labelOfFile({ ...base, previous: makeLabel(2, []) })).toEqual(makeLabel(2, []));
    expect(labelOfFile({ ...base, previous: makeLabel(2, ours), outsideEdits: 'review' }).integrity).toBe(0);
  });

  it('never rises above anything that is known of path or content', () => {
    fc.assert(
      fc.property(
        fc.array(label),
        fc.option(label, { nil: undefined }),
        fc.constantFrom('staff' as const, 'review' as const),
        (sameContent, previous, outsideEdits) => {
          const result = labelOfFile({ ...base, sameContent, previous, outsideEdits });
          for (const bound of [...sameContent, ...(previous === undefined ? [] : [previous])])
            expect(isNotAbove(result, bound)).toBe(true);
          expect(result.integrity).toBeLessThanOrEqual(outsideEdits === 'staff' ? 2 : 0);
        },
      ),
    );
  });
});
