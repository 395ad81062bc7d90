import { isFinalRun, type TaskDetail, type TaskRow } from '@agent-runtime/domain';
import { type ReactNode, useState } from 'react';
import type { Action } from '../../app/action.ts';
import { ListBody } from '../../app/body.tsx';
import { useSession } from '../../app/context.ts';
import { type Column, useList } from '../../app/list.tsx';
import { useLoad } from '../../app/load.ts';
import { Page } from '../../app/page.tsx';
import type { ScreenProps, ScreenSpec } from '../../app/screen.ts';
import type { Tone } from '../../app/theme.ts';
import { ageText } from '../../app/time.ts';
import { TaskView } from './task-view.tsx';

/** Work: what was asked, how it goes, what came of it. */
export const TASKS: ScreenSpec = {
  id: 'tasks',
  title: 'Tasks',
  key: '3',
  about: 'work: how it goes, what came of it; abort, retry, steer',
  help: [
    'Enter shows a task with its runs and effects; of a running one the text is shown while it is written.',
    'An effect that is uncertain may have left or not. Look there, then say with u what you found.',
  ],
  View: Tasks,
};

const MOST_ROWS = 200;
const keyOf = (row: TaskRow): string => row.id;

function Tasks({ subject }: ScreenProps): ReactNode {
  const [open, setOpen] = useState(subject);
  return open === undefined ? (
    <TaskList onOpen={setOpen} />
  ) : (
    <TaskView key={open} id={open} onBack={() => setOpen(undefined)} />
  );
}

function TaskList({ onOpen }: { readonly onOpen: (id: string) => void }): ReactNode {
  const nowMs = useSession((state) => Math.floor(state.nowMs / 10_000) * 10_000);
  const loaded = useLoad(
    'tasks',
    async (client) => (await client.call('task.list', { limit: MOST_ROWS })).items,
    ['runs', 'effects', 'approvals'],
  );
  const list = useList(loaded.value, {
    keyOf,
    textOf: (row) =>
      `${row.id} ${row.status} ${row.kind} ${row.title} ${row.requester} ${row.workspace} ${row.context}`,
  });
  const actions: readonly Action[] = [
    {
      key: 'enter',
      name: 'open',
      about: 'runs, effects, the text as it is written',
      run: () => {
        if (list.selected !== undefined) onOpen(list.selected.id);
      },
    },
  ];
  return (
    <Page title={loaded.value === undefined ? undefined : String(loaded.value.length)} actions={actions}>
      {(area) => (
        <ListBody
          loaded={loaded}
          list={list}
          columns={columnsAt(nowMs)}
          area={area}
          keyOf={keyOf}
          empty={[
            'No tasks yet.',
            'Ask something in the chat (4), or from a shell: agent-runtime ask "How do I get a refund?"',
          ]}
        />
      )}
    </Page>
  );
}

function columnsAt(nowMs: number): readonly Column<TaskRow>[] {
  return [
    { name: 'status', of: (row) => row.status, tone: (row) => statusTone(row.status) },
    { name: 'age', of: (row) => ageText(nowMs - Date.parse(row.created_at)) },
    { name: 'kind', of: (row) => row.kind, from: 75 },
    { name: 'by', of: (row) => row.requester, most: 16, from: 65 },
    { name: 'place', of: (row) => `${row.workspace}/${row.context}`, most: 28, from: 110 },
    { name: 'title', of: (row) => row.title, isWide: true },
  ];
}

/** How a state of a run looks. */
export function statusTone(status: TaskDetail['status']): Tone | undefined {
  if (status === 'failed') return 'bad';
  if (!isFinalRun(status)) return 'accent';
  return status === 'aborted' ? 'warn' : undefined;
}
