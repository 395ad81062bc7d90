import {
  type Approval,
  type Effect,
  type JsonObject,
  join,
  type Message,
  oneLine,
  type Run,
  sha256,
  type Task,
} from '@agent-runtime/domain';
import { stringify } from 'yaml';
import { formatRecord, type ParsedRecords, parseRecords } from './record.ts';

/** tasks/<id>.md: front matter for people, one record per row, newest run last. Rewritten whole. */
export function taskFile(
  rows: { readonly task: Task; readonly runs: readonly Run[]; readonly question: Message | undefined },
  key: Uint8Array,
): string {
  const { task, runs, question } = rows;
  const label = join(...(question === undefined ? [] : [question.label]), ...runs.map((run) => run.label));
  const last = runs.at(-1);
  const front = stringify({
    id: task.id,
    title: task.title,
    kind: task.kind,
    status: last?.state ?? 'queued',
    context: task.context,
    runs: runs.length,
  });
  return [
    `---\n${front}---\n\n`,
    formatRecord(
      {
        head: { row: json(task), kind: 'task', label: { ...label }, front: sha256(front) },
        text: task.title,
      },
      `# ${oneLine(task.title, 80)}`,
      key,
    ),
    ...runs.map((run) =>
      formatRecord(
        {
          head: { row: json({ ...run, output: undefined }), kind: 'run', label: { ...label } },
          text: run.output ?? '',
        },
        `## Attempt ${run.attempt}: ${run.state}`,
        key,
      ),
    ),
  ].join('');
}

/** approvals/<id>.md: what was asked, what was answered, what became of it. Never read back: authority is not rebuilt. */
export function approvalFile(
  rows: { readonly approval: Approval; readonly effect: Effect },
  key: Uint8Array,
): string {
  const { approval, effect } = rows;
  const front = stringify({
    id: approval.id,
    effect: effect.id,
    state: approval.state,
    outcome: effect.state,
    tier: approval.tier,
    kind: effect.kind,
    digest: approval.digest,
  });
  const votes = approval.votes.map(
    (vote) => `${vote.decision} by ${vote.person} at ${new Date(vote.at).toISOString()} (${vote.via})`,
  );
  const text = [
    effect.summary,
    ...votes,
    '',
    ...effect.payloads.map((payload) => JSON.stringify(payload)),
  ].join('\n');
  const head: JsonObject = {
    kind: 'approval',
    id: approval.id,
    effect: effect.id,
    state: approval.state,
    label: { ...effect.label },
    front: sha256(front),
  };
  return `---\n${front}---\n\n${formatRecord({ head, text }, `# ${oneLine(effect.summary, 80)}`, key)}`;
}

/** Reads any projected file. The front matter counts as ours only when the first record vouches for it. */
export function parseRecordFile(text: string, key: Uint8Array): ParsedRecords {
  const match = /^---\n([\s\S]*?)^---\n/m.exec(text);
  if (match === null || match.index !== 0) return parseRecords(text, key);
  const [whole, front = ''] = match;
  const parsed = parseRecords(text.slice(whole.length), key);
  if (parsed.records[0]?.head.front === sha256(front)) return parsed;
  return { ...parsed, foreignLines: parsed.foreignLines + whole.split('\n').length - 1 };
}

/** A row as JSON, members without a value left out. */
function json(row: object): JsonObject {
  return JSON.parse(JSON.stringify(row)) as JsonObject; // safe: rows are plain JSON values
}
