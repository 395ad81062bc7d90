// Puts history into the data folder of a runtime that is not running, through the store itself, so that numbers of a long life can be taken.
import {
  type AuditDraft,
  type Conversation,
  type HttpToken,
  type Message,
  makeLabel,
  makeRedactor,
  type Run,
  type StoreTx,
  sha256,
  type Task,
} from '@agent-runtime/domain';
import { makeProjector, openStore } from '@agent-runtime/store';
import { crashPoints, manualClock, recordingLogger } from '@agent-runtime/testkit';
import { readMasterKey, witnessFile } from '../src/command/master-key.ts';
import { readConfig } from '../src/config.ts';

/** What there shall be more of. */
export interface Filling {
  readonly env: Readonly<Record<string, string>>;
  /** Talks, each with its task and run that are over. */
  readonly runs: number;
  /** Records of the log beyond those that the runs leave. */
  readonly auditRecords: number;
}

const BATCH = 500;

/** Each run leaves a question and an answer, so messages grow by twice their number. Numbers begin at `first`, for ids are unique. */
export async function fill(filling: Filling, first: number): Promise<void> {
  const config = readConfig(filling.env, process.cwd());
  const open = await openStore({
    dataDir: config.dataDir,
    masterKey: readMasterKey(config),
    witnessFile: witnessFile(config),
    clock: manualClock(Date.now()),
    log: recordingLogger(),
    crash: crashPoints.none(),
    redactor: makeRedactor(() => []),
    config: { auditContent: config.AUDIT_CONTENT, checkpointEvery: 10_000, durability: 'none' },
  });
  try {
    const [token] = await open.store.read.find('identity_token', {}, { limit: 1 });
    if (token === undefined) throw new Error('make a token first: history is put where its runs are');
    for (let at = 0; at < filling.runs; at += BATCH) {
      const numbers = range(first + at, Math.min(BATCH, filling.runs - at));
      await open.store.commit(draftsOf(numbers), async (tx) => {
        for (const number of numbers) await addTalk(tx, token, number);
      });
    }
    for (let at = 0; at < filling.auditRecords; at += BATCH)
      await open.store.commit(
        draftsOf(range(first + at, Math.min(BATCH, filling.auditRecords - at))),
        async () => undefined,
      );
    await makeProjector({
      read: open.store.read,
      audit: open.audit,
      root: open.paths.workspaces,
      cursorFile: open.paths.projectorCursor,
      macKey: open.projectorKey,
      crash: crashPoints.none(),
      log: recordingLogger(),
    }).run();
  } finally {
    await open.close();
  }
}

const range = (from: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, at) => from + at);

function draftsOf(numbers: readonly number[]): readonly [AuditDraft, ...AuditDraft[]] {
  const [head = 0, ...rest] = numbers;
  const draft = (number: number): AuditDraft => ({
    action: 'run.succeed',
    actor: 'appliance',
    // Not the run: the projector would write a file for each, which a life spreads over months.
    subject: 'history',
    data: { run: idOf('run', number), output: sha256(`${number}`) },
  });
  return [draft(head), ...rest.map(draft)];
}

/** As the runtime makes them: of one length, rising. */
const idOf = (noun: string, number: number): string => `${noun}_0${String(number).padStart(19, '0')}`;

/** A conversation of ten talks, as they come in a channel that begins afresh now and then. */
async function addTalk(tx: StoreTx, token: HttpToken, number: number): Promise<void> {
  const { workspace, context, owner } = token;
  const label = makeLabel(1, [`ctx:${workspace}/${context}`]);
  const conversation = idOf('conv', Math.floor(number / 10)) as Conversation['id']; // safe: idOf makes ids
  if (number % 10 === 0)
    await tx.insert('context_conversation', {
      id: conversation,
      workspace,
      context,
      key: `filled-${number}`,
      isOpen: false,
      createdAt: number,
      lastAt: number,
    });
  const task: Task = {
    id: idOf('task', number) as Task['id'], // safe: idOf makes ids
    kind: 'chat',
    title: `Question ${number}`,
    workspace,
    context,
    conversation,
    requester: { kind: 'user', user: owner },
    requesterName: 'owner',
    door: 'http',
    createdAt: number,
  };
  const message = (direction: 'in' | 'out', text: string): Omit<Message, 'seq'> => ({
    id: idOf('mesg', number * 2 + (direction === 'in' ? 0 : 1)) as Message['id'], // safe: idOf makes ids
    conversation,
    workspace,
    context,
    direction,
    sender: direction === 'in' ? owner : 'assistant',
    senderName: direction === 'in' ? 'owner' : 'assistant',
    text,
    label,
    isPromptable: true,
    at: number,
  });
  const question = message(
    'in',
    `Question ${number}: how do I get a refund for a plan that was paid yearly?`,
  );
  const run: Run = {
    id: idOf('run', number) as Run['id'], // safe: idOf makes ids
    task: task.id,
    workspace,
    context,
    conversation,
    input: question.id,
    state: 'succeeded',
    attempt: 1,
    label,
    createdAt: number,
    startedAt: number,
    finishedAt: number,
    output: `Answer ${number}: write to us within 30 days, and we pay it back.`,
    citations: [],
    pendingApprovals: [],
  };
  await tx.insert('task', task);
  await tx.insert('run', run);
  await tx.insert('context_message', { ...question, seq: await tx.next('message') });
  await tx.insert('context_message', {
    ...message('out', run.output ?? ''),
    run: run.id,
    seq: await tx.next('message'),
  });
}
