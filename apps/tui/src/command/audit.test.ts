import { type ApprovalDetail, ERROR_KINDS } from '@agent-runtime/domain';
import { describe, expect, test } from 'vitest';
import { type Answers, AT, DIGEST, fakeWorld } from '../cli/cli.fixture.ts';

const CONFLICT = ERROR_KINDS.conflict.exit;
const VERDICT = { ok: true, count: 7, head: 'x', problems: [], signatures: { good: 2, unchecked: 0 } };
const ANSWERS = { 'audit.verify': VERDICT, 'audit.tail': { items: [] } };

/** A machine that has looked once, and whose runtime was set back since. */
async function setBack(more: Answers = {}) {
  const cli = fakeWorld({ answers: { ...ANSWERS, ...more } });
  expect(await cli.run('audit', 'verify')).toBe(0);
  cli.log.rewrite(3, 0);
  return cli;
}

describe('a log that is not the one seen before', () => {
  test.each([['verify'], ['tail']])('audit %s refuses it and asks nothing more', async (word) => {
    const cli = await setBack();
    const asked = cli.calls.length;
    expect(await cli.run('audit', word)).toBe(CONFLICT);
    expect(cli.err()).toContain('ROLLED BACK OR REWRITTEN');
    expect(cli.err()).toContain('audit trust');
    expect(cli.calls.length).toBe(asked);
  });

  test('trust shows both heads and changes nothing without --yes', async () => {
    const cli = await setBack();
    expect(await cli.run('audit', 'trust')).toBe(CONFLICT);
    expect(cli.out()).toContain('This machine saw: record 7');
    expect(cli.out()).toContain('The runtime shows: record 3');
    expect(await cli.run('audit', 'tail')).toBe(CONFLICT);
    expect(await cli.run('audit', 'trust', '--yes')).toBe(0);
    expect(await cli.run('audit', 'tail')).toBe(0);
  });

  test('trust has nothing to accept in a log that simply went on', async () => {
    const cli = fakeWorld({ answers: ANSWERS });
    await cli.run('audit', 'verify');
    cli.log.add(4);
    expect(await cli.run('audit', 'trust', '--json')).toBe(0);
    const said = cli.out().trim().split('\n').at(-1) ?? '';
    expect(JSON.parse(said)).toMatchObject({ is_extension: true, is_replaced: false, new: { seq: 11 } });
  });
});

describe('a machine that answers', () => {
  const detail = {
    id: 'appr_0001',
    effect: 'efct_0001',
    kind: 'message.post',
    tier: 'high',
    state: 'pending',
    summary: 'post to news',
    workspace: 'acme',
    context: 'ops',
    requester: 'mia',
    created_at: AT,
    expires_at: AT,
    digest: DIGEST,
    is_intact: true,
    label: 'public',
    approver_role: 'operator',
    needed: 1,
    reasons: [],
    votes: [],
    missing_releases: [],
    audit_head: '7:sha256:00',
    expiry: 1_800_000_000_000,
  } as const satisfies ApprovalDetail;

  test('signs nothing on a log that was set back', async () => {
    for (const word of ['approve', 'deny', 'release']) {
      const cli = await setBack({ 'approval.show': detail });
      expect(await cli.run('approval', word, 'appr_0001')).toBe(CONFLICT);
      expect(cli.signed).toEqual([]);
      expect(cli.calls.at(-1)?.[0]).toBe('approval.show');
    }
  });

  test('remembers the head that holds its own answer', async () => {
    const cli = fakeWorld({
      answers: {
        'approval.show': detail,
        'approval.grant': () => {
          cli.log.add(1);
          return detail;
        },
        ...ANSWERS,
      },
    });
    expect(await cli.run('approval', 'approve', 'appr_0001')).toBe(0);
    cli.log.rewrite(7, 1);
    expect(await cli.run('audit', 'tail')).toBe(CONFLICT);
  });

  test('tells of a client key that is new, once', async () => {
    const row = (id: string) => ({ id, user: 'ada', name: 'laptop', created_at: AT });
    const keys = [row('k'.repeat(43))];
    const cli = fakeWorld({
      answers: {
        'approval.show': detail,
        'approval.grant': detail,
        'key.list': () => ({ items: [...keys] }),
      },
    });
    await cli.run('approval', 'approve', 'appr_0001');
    expect(cli.err()).toBe('');
    keys.push(row('n'.repeat(43)));
    await cli.run('approval', 'approve', 'appr_0001');
    expect(cli.err()).toContain('New client key of ada since you last looked: nnnnnnnnnnnn…');
    const said = cli.err();
    await cli.run('approval', 'approve', 'appr_0001');
    expect(cli.err()).toBe(said);
  });
});

test('signatures that cannot be checked are said loudly', async () => {
  const cli = fakeWorld({
    answers: { 'audit.verify': { ...VERDICT, signatures: { good: 2, unchecked: 3 } } },
  });
  expect(await cli.run('audit', 'verify')).toBe(0);
  expect(cli.out()).toContain('2 good, 3 CANNOT BE CHECKED');
});
