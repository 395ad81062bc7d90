import {
  APPROVAL_STATES,
  AppError,
  type ApprovalDetail,
  type ApprovalRow,
  showHidden,
} from '@agent-runtime/domain';
import { type CommandHandler, type CommandRun, listOption, textArg, textOption } from '../cli/command.ts';
import { answerApproval, answerText, type Decision } from '../client/answer.ts';
import { newKeys } from '../client/new-keys.ts';
import { bytesText } from '../screen/bytes.ts';
import { facts, shortTime, table } from '../screen/table.ts';
import {
  choiceOption,
  given,
  instantOption,
  mistyped,
  numberOption,
  placeOf,
  requiredOption,
} from './input.ts';

/** What waits for an answer. */
export const approvalList: CommandHandler = async (run) => {
  const state = choiceOption(run, 'state', '--state', [...APPROVAL_STATES, 'all'] as const);
  const client = await run.client();
  const reply = await client.call('approval.list', {
    ...placeOf(run),
    ...(state === undefined ? {} : { state }),
  });
  run.show(reply, () =>
    reply.items.length === 0
      ? emptyText(state)
      : table(
          reply.items,
          [
            { name: 'id', of: (row) => row.id },
            { name: 'tier', of: (row) => row.tier },
            ...(state === undefined ? [] : [{ name: 'state', of: (row: ApprovalRow) => row.state }]),
            { name: 'until', of: (row) => shortTime(row.expires_at) },
            { name: 'what', of: (row) => row.summary },
          ],
          run.world.columns,
        ),
  );
};

function emptyText(state: string | undefined): string {
  if (state === 'all') return 'There was no question yet.';
  return state === undefined
    ? 'Nothing waits for an answer. Earlier ones: agent-runtime approval list --state all'
    : `No question is ${state}. All: agent-runtime approval list --state all`;
}

export const approvalShow: CommandHandler = async (run) => {
  const detail = await (await run.client()).call('approval.show', { id: textArg(run, 0) });
  run.show(detail, () => detailText(detail));
};

export const approvalApprove: CommandHandler = async (run) => {
  const detail = await lookAt(run);
  const expected = textOption(run, 'digest');
  if (expected !== undefined && expected !== detail.digest) throw otherBytes(detail);
  await answer(run, detail, 'grant');
};

export const approvalDeny: CommandHandler = async (run) => {
  await answer(run, await lookAt(run), 'deny', textArg(run, 1));
};

export const approvalRelease: CommandHandler = async (run) => {
  await answer(run, await lookAt(run), 'release');
};

export const approvalWithdraw: CommandHandler = async (run) => {
  const detail = await (await run.client()).call('approval.withdraw', { id: textArg(run, 0) });
  run.show(detail, () => `${detail.id} is ${detail.state}.`);
};

export const approvalEdit: CommandHandler = async (run) => {
  const typed = textArg(run, 1);
  const text = typed === '' ? await run.world.readInput() : typed;
  if (text === undefined || text.trim() === '')
    throw mistyped('Give the new text, or pipe it in: agent-runtime approval edit ID "new text"');
  const detail = await (await run.client()).call('approval.edit', { id: textArg(run, 0), text });
  if (run.options.approve === true) await answer(run, detail, 'grant');
  else run.show(detail, () => `${detailText(detail)}\n\nThe earlier question is closed; this one is new.`);
};

async function lookAt(run: CommandRun): Promise<ApprovalDetail> {
  return (await run.client()).call('approval.show', { id: textArg(run, 0) });
}

/** Signs exactly what was shown, on the head of a log that goes on from what this machine has seen, and says what became of it. */
async function answer(
  run: CommandRun,
  detail: ApprovalDetail,
  decision: Decision,
  reason = '',
): Promise<void> {
  const client = await run.client();
  const witnesses = await run.world.witnesses();
  for (const key of await newKeys({ client, witnesses }))
    run.world.err(
      `New client key of ${key.user} since you last looked: ${key.id.slice(0, 12)}… (${showHidden(key.name)}). Not theirs? agent-runtime key revoke ${key.id.slice(0, 12)}\n`,
    );
  const after = await answerApproval({ client, witnesses, shown: detail, decision, reason });
  run.show(after, () =>
    answerText(after, decision, `What becomes of it: agent-runtime effect show ${after.effect}`),
  );
}

function detailText(detail: ApprovalDetail): string {
  const head = facts([
    ['Approval', detail.id],
    ['What', detail.summary],
    ['State', detail.state],
    ['Tier', `${detail.tier} (${detail.needed} of role ${detail.approver_role} or above)`],
    ['Place', `${detail.workspace} / ${detail.context}`],
    ['Asked by', detail.requester],
    ['Label', detail.label],
    ['Digest', detail.digest],
    ['Intact', detail.is_intact ? 'yes' : 'NO: the stored bytes were changed; do not approve'],
    ['Until', shortTime(detail.expires_at)],
    ['Why', detail.reasons.length === 0 ? undefined : showHidden(detail.reasons.join('\n'))],
    [
      'Releases',
      detail.missing_releases.length === 0 ? undefined : `missing from ${detail.missing_releases.join(', ')}`,
    ],
    [
      'Answers',
      detail.votes.length === 0
        ? undefined
        : detail.votes
            .map((vote) => `${vote.decision} by ${vote.person} (${vote.via}, ${shortTime(vote.at) ?? ''})`)
            .join('\n'),
    ],
  ]);
  const bytes = detail.bytes === undefined ? (detail.withheld ?? '') : bytesText(detail.bytes);
  return [head, diffText(detail), bytes].filter((part) => part !== '').join('\n\n');
}

/** What a write changes; every byte of it stands below, in the payload. */
function diffText({ diff, diff_note: note }: ApprovalDetail): string {
  if (diff === undefined) return note === undefined ? '' : `Changes     ${note}`;
  const rest = diff.is_cut ? '\n[more changes; the whole new text stands below]' : '';
  return `Changes     +${diff.added} -${diff.removed} lines\n${showHidden(diff.text)}${rest}`;
}

function otherBytes(detail: ApprovalDetail): AppError {
  return new AppError({
    code: 'tui.digest.conflict',
    kind: 'conflict',
    message: `${detail.id} has the digest ${detail.digest}. Look at it again before you decide.`,
  });
}

export const standingList: CommandHandler = async (run) => {
  const { workspace } = placeOf(run);
  const reply = await (await run.client()).call(
    'standing.list',
    workspace === undefined ? {} : { workspace },
  );
  run.show(reply, () =>
    reply.items.length === 0
      ? 'No standing approvals. Make one: agent-runtime standing add --help'
      : table(
          reply.items,
          [
            { name: 'id', of: (row) => row.id },
            { name: 'state', of: (row) => (row.revoked_at === undefined ? 'live' : 'revoked') },
            { name: 'uses', of: (row) => `${row.uses}/${row.max_uses}` },
            { name: 'until', of: (row) => shortTime(row.ends_at) },
            { name: 'what', of: (row) => `${row.effect_kind} to ${row.recipients.join(', ')}` },
          ],
          run.world.columns,
        ),
  );
};

export const standingAdd: CommandHandler = async (run) => {
  const [connector = '', account = ''] = requiredOption(run, 'sink', '--sink').split(':');
  const until = instantOption(run, 'until', '--until');
  const perDay = numberOption(run, 'perDay', '--per-day');
  const max = numberOption(run, 'max', '--max');
  const recipients = listOption(run, 'to');
  if (until === undefined || perDay === undefined || max === undefined || recipients === undefined)
    throw mistyped('A standing approval needs its limits: --to, --per-day, --max and --until.');
  const row = await (await run.client()).call(
    'standing.add',
    given({
      workspace: requiredOption(run, 'workspace', '--workspace'),
      effect_kind: requiredOption(run, 'kind', '--kind'),
      connector,
      account,
      recipients,
      per_day: perDay,
      max_uses: max,
      ends_at: until,
      template: textOption(run, 'template'),
    }),
  );
  run.show(
    row,
    () =>
      `${row.id} is in force until ${shortTime(row.ends_at) ?? ''}. End it: agent-runtime standing revoke ${row.id}`,
  );
};

export const standingRevoke: CommandHandler = async (run) => {
  const row = await (await run.client()).call('standing.revoke', { id: textArg(run, 0) });
  run.show(row, () => `${row.id} is revoked.`);
};
