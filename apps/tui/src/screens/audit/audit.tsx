import type { AuditRow } from '@agent-runtime/domain';
import { type ReactNode, useState } from 'react';
import type { Action } from '../../app/action.ts';
import { ListBody } from '../../app/body.tsx';
import { type App, useApp } from '../../app/context.ts';
import { factLines, headingLines, textLines } from '../../app/facts.ts';
import { type Column, useList } from '../../app/list.tsx';
import { useLoad } from '../../app/load.ts';
import { Page } from '../../app/page.tsx';
import { Pager } from '../../app/pager.tsx';
import type { ScreenProps, ScreenSpec } from '../../app/screen.ts';
import { WhyView } from './why-view.tsx';

/** The log that cannot be changed unseen. */
export const AUDIT: ScreenSpec = {
  id: 'audit',
  title: 'Audit',
  key: '9',
  about: 'the log: search it, verify it, ask why',
  help: [
    '/ looks through the records that are here. s and a ask the server: for everything about one id, for everything of one kind.',
    'v checks every link and every signed head. y asks why something was allowed, asked or denied.',
  ],
  View: Audit,
};

const MOST_ROWS = 300;
const COLUMNS: readonly Column<AuditRow>[] = [
  { name: 'seq', of: (row) => String(row.seq) },
  { name: 'at (utc)', of: (row) => row.at.slice(5, 16).replace('T', ' ') },
  { name: 'action', of: (row) => row.action, most: 22 },
  { name: 'by', of: (row) => row.actor, most: 20, from: 90 },
  { name: 'about', of: (row) => row.subject, isWide: true },
];
const keyOf = (row: AuditRow): string => String(row.seq);

interface Wanted {
  readonly subject?: string;
  readonly action?: string;
}

function Audit({ subject }: ScreenProps): ReactNode {
  const [why, setWhy] = useState(subject);
  const [record, setRecord] = useState<AuditRow | undefined>(undefined);
  const [wanted, setWanted] = useState<Wanted>({});
  if (why !== undefined) return <WhyView id={why} onBack={() => setWhy(undefined)} />;
  if (record !== undefined)
    return <RecordView record={record} onBack={() => setRecord(undefined)} onWhy={setWhy} />;
  return <Records wanted={wanted} setWanted={setWanted} onOpen={setRecord} onWhy={setWhy} />;
}

function Records(props: {
  readonly wanted: Wanted;
  readonly setWanted: (wanted: Wanted) => void;
  readonly onOpen: (record: AuditRow) => void;
  readonly onWhy: (id: string) => void;
}): ReactNode {
  const { wanted } = props;
  const app = useApp();
  const loaded = useLoad(
    `audit ${wanted.subject ?? ''} ${wanted.action ?? ''}`,
    async (client) => (await client.call('audit.tail', { limit: MOST_ROWS, ...wanted })).items,
    ['approvals', 'effects', 'runs', 'health'],
  );
  const list = useList(loaded.value, {
    keyOf,
    textOf: (row) =>
      `${row.seq} ${row.action} ${row.actor} ${row.subject} ${row.workspace ?? ''} ${row.context ?? ''}`,
  });
  const narrow = async (name: 'subject' | 'action', title: string, hint: string): Promise<void> => {
    const typed = await app.ask.text({ title, hint: `${hint}; empty: all`, initial: wanted[name] ?? '' });
    if (typed === undefined) return;
    const { [name]: _old, ...rest } = wanted;
    props.setWanted(typed.trim() === '' ? rest : { ...rest, [name]: typed.trim() });
  };
  const actions: readonly Action[] = [
    {
      key: 'enter',
      name: 'open',
      about: 'the whole record',
      run: () => {
        if (list.selected !== undefined) props.onOpen(list.selected);
      },
    },
    { key: 'v', name: 'verify', about: 'check every link and every signed head', run: () => verify(app) },
    {
      key: 'y',
      name: 'why',
      about: 'why something was allowed, asked or denied',
      run: () => askWhy(app, list.selected?.subject, props.onWhy),
    },
    {
      key: 's',
      name: 'subject',
      about: 'only records about one id',
      run: () => narrow('subject', 'About which id', 'e.g. appr_… or a user'),
    },
    {
      key: 'a',
      name: 'action',
      about: 'only records of one kind',
      run: () => narrow('action', 'Which action', 'e.g. approval.grant'),
    },
  ];
  const filter = [wanted.subject, wanted.action].filter((one) => one !== undefined).join(' ');
  return (
    <Page title={filter === '' ? 'newest first' : filter} actions={actions}>
      {(area) => (
        <ListBody
          loaded={loaded}
          list={list}
          columns={COLUMNS}
          area={area}
          keyOf={keyOf}
          empty={
            filter === ''
              ? [
                  'No records for you.',
                  'The log is for staff: an admin sees what happened in their workspaces.',
                ]
              : ['No records of that kind.', 's and a, left empty, show all again.']
          }
        />
      )}
    </Page>
  );
}

async function verify(app: App): Promise<void> {
  await app.run('Checking every record', async () => {
    const verdict = await (await app.services.connect()).call('audit.verify', {});
    if (verdict.ok) return `The log is whole: ${verdict.count} records, head ${verdict.head}`;
    const lines = verdict.problems.map((problem) => `${problem.kind} at ${problem.seq}: ${problem.text}`);
    void app.ask.confirm({
      title: `THE LOG WAS CHANGED: ${verdict.problems.length} problems in ${verdict.count} records`,
      lines,
      yes: 'seen',
    });
    return `${verdict.problems.length} problems were found.`;
  });
}

async function askWhy(app: App, initial: string | undefined, onWhy: (id: string) => void): Promise<void> {
  const id = await app.ask.text({ title: 'Why: about which id', initial: initial ?? '' });
  if (id !== undefined && id.trim() !== '') onWhy(id.trim());
}

function RecordView(props: {
  readonly record: AuditRow;
  readonly onBack: () => void;
  readonly onWhy: (id: string) => void;
}): ReactNode {
  const { record } = props;
  const actions: readonly Action[] = [
    {
      key: 'y',
      name: 'why',
      about: 'why it was allowed, asked or denied',
      run: () => props.onWhy(record.subject),
    },
  ];
  return (
    <Page title={`record ${record.seq}`} actions={actions} onBack={props.onBack}>
      {(area) => (
        <Pager
          area={area}
          lines={[
            ...factLines(
              [
                ['Action', record.action, 'strong'],
                ['At', record.at],
                ['By', record.actor],
                ['About', record.subject],
                ['Workspace', record.workspace],
                ['Context', record.context],
                ['Hash', record.hash, 'dim'],
              ],
              area.width,
            ),
            ...headingLines('Data'),
            ...textLines(JSON.stringify(record.data, null, 2), area.width),
          ]}
        />
      )}
    </Page>
  );
}
