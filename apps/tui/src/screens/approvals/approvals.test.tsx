import { canonicalJson } from '@agent-runtime/domain';
import { afterEach, describe, expect, test } from 'vitest';
import { approvalFixture, digestOf } from '../../app/fake-data.fixture.ts';
import { refusal } from '../../app/fake-house.fixture.ts';
import {
  expectInside,
  expectScreen,
  type OpenOptions,
  openTerminal,
  SCREEN_TEST,
  type Terminal,
} from '../../app/terminal.fixture.tsx';

let terminal: Terminal;
const open = (approvals: ReturnType<typeof approvalFixture>[], options: OpenOptions = {}): Terminal => {
  terminal = openTerminal({ house: { approvals }, start: 'approvals', ...options });
  return terminal;
};
afterEach(() => terminal.close());

const answersOf = (route: string) =>
  terminal.client.calls.filter(([name]) => name === route).map(([, input]) => input);
const WIDE = '庭の開園のお知らせ、どうぞ皆さまお誘い合わせのうえお越しください、楽しみにお待ちしております';

describe('the inbox', SCREEN_TEST, () => {
  test('long and wide names are cut, and the screen is as it was', async () => {
    open([
      approvalFixture(1, { summary: WIDE, requester: WIDE }),
      approvalFixture(2, { tier: 'high', kind: 'mail.send', summary: 'mail to 3 people: The garden' }),
      approvalFixture(3, { tier: 'low' }),
    ]);
    await terminal.until('3 waiting');
    expectInside(terminal, 80, 24);
    expect(terminal.text()).toContain('…');
    await expectScreen(terminal, 'approvals-80x24');
  });

  test('when it is empty it says what will be there', async () => {
    open([]);
    await terminal.until('Nothing waits for an answer.');
  });

  test('what the server refuses is shown, and ends nothing', async () => {
    const client = open([approvalFixture(1)], { start: 'overview' }).client;
    await terminal.until('online');
    client.refuse('approval.list', refusal('admin.list.denied', 'denied', 'An operator may read it.'));
    await terminal.press('2');
    await terminal.until('An operator may read it.');
    await terminal.press('ctrl+r');
    await terminal.until('1 waiting');
  });

  test('a thousand questions: the cursor reaches the last one, and only what is in sight is drawn', async () => {
    open(Array.from({ length: 1_000 }, (_, n) => approvalFixture(n)));
    await terminal.until('1000 waiting');
    await terminal.press('G');
    await terminal.until(/›.*10 min/);
    expectInside(terminal, 80, 24);
    await terminal.press('g');
    await terminal.until(/›.*16 h/);
  });
});

describe('an answer', SCREEN_TEST, () => {
  test('everything that decides is in sight before it', async () => {
    open(
      [
        approvalFixture(1, {
          bytes: {
            sink: { connector: 'email', account: 'office', address: 'smtp' },
            recipients: ['grace@example.org', 'alan@example.org'],
            payloads: [{ subject: 'The garden', text: 'Pay to 12\u200b34.\nThanks' }],
            visible: '',
            has_hidden: true,
          },
          diff: { added: 1, removed: 1, text: '-old line\n+new line', is_cut: false },
        }),
      ],
      { rows: 50 },
    );
    await terminal.until('1 waiting');
    await terminal.press('enter');
    await terminal.until('Pay to 12⟨U+200B⟩34.');
    const text = terminal.text();
    for (const words of [
      'grace@example.org',
      'alan@example.org',
      'contains external text from mail',
      'a message to an open channel',
      '+new line',
      '-old line',
      digestOf(1).slice(0, 40),
      'a reader does not see',
    ])
      expect(text).toContain(words);
    await expectScreen(terminal, 'approval-80x50');
  });

  test('approve signs the digest that was shown, by the same statement as the command', async () => {
    const shown = approvalFixture(1);
    open([shown]);
    await terminal.until('1 waiting');
    await terminal.press('enter');
    await terminal.until('sha256');
    await terminal.press('a');
    await terminal.until('sign and send');
    await terminal.press('y');
    await terminal.until('You approved appr_0001.');
    expect(terminal.client.signed).toEqual([
      canonicalJson({
        approval: shown.id,
        effect: shown.effect,
        digest: shown.digest,
        decision: 'grant',
        expiry: shown.expiry,
        auditHead: shown.audit_head,
      }),
    ]);
    expect(answersOf('approval.grant')).toMatchObject([{ id: shown.id, digest: shown.digest }]);
    await terminal.until('Nothing waits');
  });

  test('no is no answer: nothing is signed', async () => {
    open([approvalFixture(1)]);
    await terminal.until('1 waiting');
    await terminal.press('enter');
    await terminal.until('sha256');
    await terminal.press('a', 'n');
    await terminal.press('a', 'escape');
    expect(terminal.client.signed).toEqual([]);
  });

  test('bytes that changed since are refused, shown again, and not approved', async () => {
    open([approvalFixture(1)]);
    await terminal.until('1 waiting');
    await terminal.press('enter');
    await terminal.until(digestOf(1).slice(0, 40));
    const { house } = terminal.client;
    house.approvals = [approvalFixture(1, { digest: digestOf(77) })];
    await terminal.press('a', 'y');
    await terminal.until('The bytes changed since you looked.');
    expect(terminal.client.signed[0]).toContain(digestOf(1));
    await terminal.press('G');
    await terminal.clock.advance(1_000);
    await terminal.press('g');
    await terminal.until(/4d/);
    expect(house.approvals[0]?.state).toBe('pending');
  });

  test('bytes that are not those of their digest are never signed', async () => {
    open([approvalFixture(1, { is_intact: false })]);
    await terminal.until('1 waiting');
    await terminal.press('enter');
    await terminal.until('do not approve');
    await terminal.press('a');
    await terminal.until('are not those of its digest');
    expect(terminal.client.signed).toEqual([]);
  });

  test('deny wants a reason and sends it', async () => {
    open([approvalFixture(1)]);
    await terminal.until('1 waiting');
    await terminal.press('enter');
    await terminal.until('sha256');
    await terminal.press('d', 'enter');
    await terminal.until('say why in a few words');
    expect(answersOf('approval.deny')).toEqual([]);
    await terminal.press('d');
    await terminal.type('wrong channel');
    await terminal.press('enter');
    await terminal.until('You denied appr_0001.');
    expect(answersOf('approval.deny')).toMatchObject([{ reason: 'wrong channel', digest: digestOf(1) }]);
  });

  test('keys that come in one piece answer one after the other', async () => {
    open([approvalFixture(1)]);
    await terminal.until('1 waiting');
    await terminal.press('enter');
    await terminal.until('sha256');
    await terminal.type('ay');
    await terminal.until('You approved appr_0001.');
  });

  test.each([
    ['y', 'y', 'why appr_0001'],
    ['enter', '\r', 'a approve'],
  ])('escape and %s that come in one piece are both: the question is left', async (_name, key, next) => {
    open([approvalFixture(1)]);
    await terminal.until('1 waiting');
    await terminal.press('enter');
    await terminal.until('sha256');
    await terminal.press('d');
    await terminal.until('Deny: why?');
    await terminal.type('no');
    await terminal.type(`\u001b${key}`);
    await terminal.until(next);
    expect(terminal.text()).not.toContain('Deny: why?');
    expect(answersOf('approval.deny')).toEqual([]);
  });

  test('an edit is a new question with a new digest, and is not approved by itself', async () => {
    open([approvalFixture(1)], { rows: 40 });
    await terminal.until('1 waiting');
    await terminal.press('enter');
    await terminal.until('sha256');
    await terminal.press('e');
    await terminal.until('the garden opens on Saturday');
    await terminal.type(' Bring tea.');
    await terminal.press('enter');
    await terminal.until('This one is new');
    await terminal.until('appr_edit');
    expect(answersOf('approval.edit')).toMatchObject([
      { id: 'appr_0001', text: expect.stringContaining('See you there! Bring tea.') },
    ]);
    expect(terminal.client.signed).toEqual([]);
  });

  test('release and withdraw ask once', async () => {
    open([approvalFixture(1, { missing_releases: ['ada'] })]);
    await terminal.until('1 waiting');
    await terminal.press('enter');
    await terminal.until('missing from ada');
    await terminal.press('x', 'y');
    await terminal.until('You released appr_0001.');
    expect(terminal.client.signed[0]).toContain('"decision":"release"');
    await terminal.clock.advance(1_000);
    await terminal.press('w', 'y');
    await terminal.until('appr_0001 is withdrawn.');
  });
});

describe('several answers at once', SCREEN_TEST, () => {
  test('two of one class are looked at together and signed one by one', async () => {
    open([approvalFixture(1), approvalFixture(2)]);
    await terminal.until('2 waiting');
    await terminal.press('space', 'down', 'space', 'b');
    await terminal.until('1 of 2');
    await terminal.press('a');
    await terminal.until('Approve all 2');
    await terminal.press('y');
    await terminal.until('2 questions are answered.');
    expect(answersOf('approval.grant')).toMatchObject([{ digest: digestOf(2) }, { digest: digestOf(1) }]);
  });

  test('different kinds or tiers are refused', async () => {
    open([approvalFixture(1), approvalFixture(2, { kind: 'mail.send' })]);
    await terminal.until('2 waiting');
    await terminal.press('space', 'down', 'space', 'b');
    await terminal.until('Only questions of one class');
    expect(answersOf('approval.show')).toEqual([]);
  });

  test('tier high is always answered alone', async () => {
    open([approvalFixture(1, { tier: 'high' }), approvalFixture(2, { tier: 'high' })]);
    await terminal.until('2 waiting');
    await terminal.press('space', 'down', 'space', 'b');
    await terminal.until('A question of tier high is answered alone');
    expect(answersOf('approval.show')).toEqual([]);
  });
});
