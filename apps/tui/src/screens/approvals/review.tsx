import { AppError, type ApprovalDetail, wordsOfPayloads } from '@agent-runtime/domain';
import { type ReactNode, useRef } from 'react';
import type { Action } from '../../app/action.ts';
import { Body } from '../../app/body.tsx';
import { type App, useApp, useSession } from '../../app/context.ts';
import { type Line, line } from '../../app/line.tsx';
import { type Loaded, useLoad } from '../../app/load.ts';
import { Page } from '../../app/page.tsx';
import { Pager } from '../../app/pager.tsx';
import type { Decision } from '../../client/answer.ts';
import { demandOneClass } from './inbox.ts';
import { reviewLines } from './review-lines.ts';

const DIGEST_CHARS = 19;

/** One question, or several of one class, with everything in sight before they are answered. */
export function Review(props: {
  readonly ids: readonly string[];
  readonly onBack: () => void;
  /** Goes on with another question, e.g. the one that an edit made. */
  readonly onOpen: (id: string) => void;
}): ReactNode {
  const app = useApp();
  const nowMs = useSession((state) => Math.floor(state.nowMs / 60_000) * 60_000);
  const unseen = useRef(0);
  const loaded = useLoad(
    props.ids.join(' '),
    async (client) => {
      const details: ApprovalDetail[] = [];
      for (const id of props.ids) details.push(await client.call('approval.show', { id }));
      return details;
    },
    ['approvals'],
  );
  const details = loaded.value ?? [];
  const actions = actionsFor({ app, details, loaded, unseen: () => unseen.current, ...props });
  return (
    <Page title={titleOf(details)} actions={actions} onBack={props.onBack}>
      {(area) => (
        <Body loaded={loaded} area={area}>
          {(shown, room) => (
            <Pager
              area={room}
              lines={shown.flatMap((detail, index) => [
                ...headOf(index, shown.length, room.width),
                ...reviewLines(detail, room.width, nowMs),
              ])}
              onUnseen={(count) => {
                unseen.current = count;
              }}
            />
          )}
        </Body>
      )}
    </Page>
  );
}

function titleOf(details: readonly ApprovalDetail[]): string | undefined {
  const [first] = details;
  if (first === undefined) return undefined;
  return details.length === 1
    ? `${first.kind} (${first.tier})`
    : `${details.length} of ${first.kind} (${first.tier})`;
}

function headOf(index: number, count: number, width: number): readonly Line[] {
  if (count === 1) return [];
  return [...(index === 0 ? [] : [[]]), line(`══ ${index + 1} of ${count} ${'═'.repeat(width)}`, 'accent')];
}

interface Desk {
  readonly app: App;
  readonly details: readonly ApprovalDetail[];
  readonly loaded: Loaded<readonly ApprovalDetail[]>;
  readonly onBack: () => void;
  readonly onOpen: (id: string) => void;
  unseen(): number;
}

/** What can be done to what is shown; nothing once it is answered. */
function actionsFor(desk: Desk): readonly Action[] {
  const [first, ...more] = desk.details;
  if (first === undefined) return [];
  const why: Action = {
    key: 'y',
    name: 'why',
    about: 'what the log says about it',
    run: () => desk.app.go('audit', first.id),
  };
  if (desk.details.every((detail) => detail.state !== 'pending')) return [why];
  const answers: readonly Action[] = [
    { key: 'a', name: 'approve', about: 'sign exactly these bytes', run: () => grant(desk) },
    { key: 'd', name: 'deny', about: 'say no, with a reason', run: () => deny(desk) },
  ];
  if (more.length > 0) return answers;
  return [
    ...answers,
    {
      key: 'e',
      name: 'edit',
      about: 'other words: a new question with a new digest',
      run: () => edit(desk, first),
    },
    { key: 'x', name: 'release', about: 'release your own private text in it', run: () => release(desk) },
    { key: 'w', name: 'withdraw', about: 'take your own request back', run: () => withdraw(desk, first) },
    why,
  ];
}

async function grant(desk: Desk): Promise<void> {
  demandIntact(desk.details);
  const unseen = desk.unseen();
  const lines = [
    ...desk.details.map((detail) => `${detail.digest.slice(0, DIGEST_CHARS)}…  ${detail.summary}`),
    ...(unseen === 0 ? [] : [`You have not looked at the last ${unseen} lines.`]),
  ];
  const title = desk.details.length === 1 ? 'Approve' : `Approve all ${desk.details.length}`;
  if (await desk.app.ask.confirm({ title, lines, yes: 'sign and send' })) await answer(desk, 'grant');
}

async function deny(desk: Desk): Promise<void> {
  const title = desk.details.length === 1 ? 'Deny: why?' : `Deny all ${desk.details.length}: why?`;
  const reason = await desk.app.ask.text({ title, hint: 'the person who asked reads it' });
  if (reason === undefined) return;
  if (reason.trim() === '')
    return desk.app.setNote({ kind: 'failed', text: 'Not denied: say why in a few words.' });
  await answer(desk, 'deny', reason.trim());
}

async function release(desk: Desk): Promise<void> {
  const lines = ['It holds text from a direct talk with you. After this, approvers may read it.'];
  if (await desk.app.ask.confirm({ title: 'Release', lines, yes: 'release it' }))
    await answer(desk, 'release');
}

async function withdraw(desk: Desk, detail: ApprovalDetail): Promise<void> {
  if (!(await desk.app.ask.confirm({ title: 'Withdraw', lines: [detail.summary], yes: 'take it back' })))
    return;
  const { app } = desk;
  const isDone = await app.run('Withdrawing', async () => {
    const after = await (await app.services.connect()).call('approval.withdraw', { id: detail.id });
    return `${after.id} is ${after.state}.`;
  });
  if (isDone) desk.onBack();
}

async function edit(desk: Desk, detail: ApprovalDetail): Promise<void> {
  const { app } = desk;
  const text = await app.ask.text({
    title: 'Edit: the whole new text',
    initial: textOf(detail),
    isMultiline: true,
  });
  if (text === undefined || text.trim() === '') return;
  await app.run('Editing', async () => {
    const after = await (await app.services.connect()).call('approval.edit', { id: detail.id, text });
    desk.onOpen(after.id);
    return 'The earlier question is closed. This one is new: look at it before you approve.';
  });
}

/** The words of a draft, as far as it has some. */
function textOf(detail: ApprovalDetail): string {
  return wordsOfPayloads(detail.bytes?.payloads ?? []);
}

/** The digests that were shown are signed, whatever has happened since; the server refuses what is no longer so. */
async function answer(desk: Desk, decision: Decision, reason = ''): Promise<void> {
  const { app, details } = desk;
  if (details.length > 1) demandOneClass(details);
  const label = { grant: 'Signing', deny: 'Denying', release: 'Releasing' }[decision];
  let last: ApprovalDetail | undefined;
  const isDone = await app.run(label, async () => {
    const client = await app.services.connect();
    // Brings the schemas of the contract, which the first frame does not wait for.
    const { answerApproval, answerText } = await import('../../client/answer.ts');
    const witnesses = await app.services.witnesses?.();
    for (const shown of details) last = await answerApproval({ client, witnesses, shown, decision, reason });
    if (details.length > 1) return `${details.length} questions are answered.`;
    return last === undefined ? '' : answerText(last, decision, '');
  });
  if (isDone && decision !== 'release') desk.onBack();
  else desk.loaded.reload();
}

function demandIntact(details: readonly ApprovalDetail[]): void {
  const broken = details.find((detail) => !detail.is_intact);
  if (broken === undefined) return;
  throw new AppError({
    code: 'tui.bytes.conflict',
    kind: 'conflict',
    message: `The stored bytes of ${broken.id} are not those of its digest. Deny it and look at the log.`,
  });
}
