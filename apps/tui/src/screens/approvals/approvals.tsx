import type { ApprovalRow } from '@agent-runtime/domain';
import { type ReactNode, useState } from 'react';
import type { Action } from '../../app/action.ts';
import { ListBody } from '../../app/body.tsx';
import { useApp, useSession } from '../../app/context.ts';
import { type Column, useList } from '../../app/list.tsx';
import { useLoad } from '../../app/load.ts';
import { Page } from '../../app/page.tsx';
import type { ScreenProps, ScreenSpec } from '../../app/screen.ts';
import { ageText } from '../../app/time.ts';
import { byRiskThenAge, demandOneClass } from './inbox.ts';
import { Review } from './review.tsx';

/** The inbox: what would leave or change, and waits for a person. */
export const APPROVALS: ScreenSpec = {
  id: 'approvals',
  title: 'Approvals',
  key: '2',
  about: 'what waits for an answer: exact bytes, recipients, reasons',
  help: [
    'The riskiest stand first, then those that wait longest. Enter shows the exact bytes; only there is something approved, and what is signed is the digest of what was shown.',
    'Space marks questions; marked ones of one kind and tier are looked at and answered together with b. Tier high is always answered alone.',
  ],
  View: Approvals,
};

/** The server's most; more than these are shown once some are answered. */
const MOST_ROWS = 1_000;
const keyOf = (row: ApprovalRow): string => row.id;

function Approvals({ subject }: ScreenProps): ReactNode {
  const [open, setOpen] = useState<readonly string[]>(subject === undefined ? [] : [subject]);
  const [marked, setMarked] = useState<ReadonlySet<string>>(new Set());
  if (open.length > 0)
    return (
      <Review
        key={open.join(' ')}
        ids={open}
        onOpen={(id) => setOpen([id])}
        onBack={() => {
          setOpen([]);
          setMarked(new Set());
        }}
      />
    );
  return <Inbox marked={marked} setMarked={setMarked} onOpen={setOpen} />;
}

function Inbox(props: {
  readonly marked: ReadonlySet<string>;
  readonly setMarked: (marked: ReadonlySet<string>) => void;
  readonly onOpen: (ids: readonly string[]) => void;
}): ReactNode {
  const { marked } = props;
  const app = useApp();
  const nowMs = useSession((state) => Math.floor(state.nowMs / 10_000) * 10_000);
  const waiting = useSession((state) => state.status?.approvals_pending ?? 0);
  const loaded = useLoad(
    'inbox',
    async (client) => byRiskThenAge((await client.call('approval.list', { limit: MOST_ROWS })).items),
    ['approvals'],
  );
  const rows = loaded.value ?? [];
  const list = useList(loaded.value, { keyOf, textOf });
  const chosen = rows.filter((row) => marked.has(row.id));
  const onRow = (use: (id: string) => void): void => {
    if (list.selected !== undefined) use(list.selected.id);
  };
  const actions: readonly Action[] = [
    {
      key: 'enter',
      name: 'open',
      about: 'the exact bytes, and everything to decide',
      run: () => onRow((id) => props.onOpen([id])),
    },
    {
      key: 'space',
      name: 'mark',
      about: 'mark it for an answer together with others',
      run: () => onRow((id) => props.setMarked(toggled(marked, id))),
    },
    {
      key: 'b',
      name: chosen.length === 0 ? 'batch' : `batch ${chosen.length}`,
      about: 'look at the marked ones together; one kind and tier, never tier high',
      run: () => {
        if (chosen.length === 0)
          return app.setNote({ kind: 'failed', text: 'Nothing is marked. Space marks.' });
        demandOneClass(chosen);
        props.onOpen(chosen.map(keyOf));
      },
    },
  ];
  const more = waiting > rows.length && rows.length >= MOST_ROWS ? ` of ${waiting}` : '';
  return (
    <Page title={loaded.value === undefined ? undefined : `${rows.length}${more} waiting`} actions={actions}>
      {(area) => (
        <ListBody
          loaded={loaded}
          list={list}
          columns={columnsAt(nowMs)}
          area={area}
          keyOf={keyOf}
          isMarked={(row) => marked.has(row.id)}
          empty={[
            'Nothing waits for an answer.',
            'When an agent wants to send or change something that needs a person, it stands here.',
          ]}
        />
      )}
    </Page>
  );
}

function textOf(row: ApprovalRow): string {
  return `${row.id} ${row.kind} ${row.tier} ${row.summary} ${row.workspace} ${row.context} ${row.requester}`;
}

function toggled(marked: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(marked);
  if (!next.delete(id)) next.add(id);
  return next;
}

function columnsAt(nowMs: number): readonly Column<ApprovalRow>[] {
  return [
    {
      name: 'tier',
      of: (row) => row.tier,
      tone: (row) => (({ low: undefined, medium: 'warn', high: 'bad' }) as const)[row.tier],
    },
    { name: 'waits', of: (row) => ageText(nowMs - Date.parse(row.created_at)) },
    { name: 'ends in', of: (row) => ageText(Date.parse(row.expires_at) - nowMs), from: 90 },
    { name: 'kind', of: (row) => row.kind, most: 18 },
    { name: 'by', of: (row) => row.requester, most: 16, from: 70 },
    { name: 'place', of: (row) => `${row.workspace}/${row.context}`, most: 28, from: 120 },
    { name: 'what', of: (row) => row.summary, isWide: true },
  ];
}
