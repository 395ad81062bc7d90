import { isFinalRun, type TaskDetail, type TaskRow } from '@agent-runtime/domain';
import { type ReactNode, useMemo, useState } from 'react';
import type { Action } from '../../app/action.ts';
import { ListBody } from '../../app/body.tsx';
import { useSession } from '../../app/context.ts';
import { type Column, useList } from '../../app/list.tsx';
import { useLoad } from '../../app/load.ts';
import { Page } from '../../app/page.tsx';
import type { ScreenProps, ScreenSpec } from '../../app/screen.ts';
import { type Tone, useTheme } from '../../app/theme.ts';
import { ageText } from '../../app/time.ts';
import { branches, inTrees } from '../../screen/tree.ts';
import { TaskView } from './task-view.tsx';

/** Work: what was asked, how it goes, what came of it. */
export const TASKS: ScreenSpec = {
  id: 'tasks',
  title: 'Tasks',
  key: '3',
  about: 'work: how it goes, what came of it; abort, retry, steer',
  help: [
    'Enter shows a task with its runs and effects; of a running one the text is shown while it is written.',
    'What came from a task hangs below it: p leads to the one above, c to one below, Esc the way back.',
    'An effect that is uncertain may have left or not. Look there, then say with u what you found.',
  ],
  View: Tasks,
};

const MOST_ROWS = 200;
const keyOf = (row: TaskRow): string => row.id;
const TREE = { keyOf, parentOf: (row: TaskRow) => row.parent };

function Tasks({ subject }: ScreenProps): ReactNode {
  // The tasks that were opened, one from the other; the last one is shown.
  const [trail, setTrail] = useState<readonly string[]>(subject === undefined ? [] : [subject]);
  const open = trail.at(-1);
  const onOpen = (id: string): void => setTrail((now) => [...now, id]);
  return open === undefined ? (
    <TaskList onOpen={onOpen} />
  ) : (
    <TaskView key={open} id={open} onOpen={onOpen} onBack={() => setTrail((now) => now.slice(0, -1))} />
  );
}

function TaskList({ onOpen }: { readonly onOpen: (id: string) => void }): ReactNode {
  const nowMs = useSession((state) => Math.floor(state.nowMs / 10_000) * 10_000);
  const loaded = useLoad(
    'tasks',
    async (client) => inTrees((await client.call('task.list', { limit: MOST_ROWS })).items, TREE),
    ['runs', 'effects', 'approvals'],
  );
  const list = useList(loaded.value, {
    keyOf,
    textOf: (row) =>
      `${row.id} ${row.status} ${row.kind} ${row.title} ${row.requester} ${row.workspace} ${row.context}`,
  });
  const titleOf = useTitles(list.rows, loaded.value ?? list.rows);
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
          columns={columnsAt(nowMs, titleOf)}
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

/** Titles with the lines of their tree, in words for a screen reader. */
function useTitles(shown: readonly TaskRow[], all: readonly TaskRow[]): (row: TaskRow) => string {
  const { isReader } = useTheme();
  const drawn = useMemo(() => branches(shown, all, TREE), [shown, all]);
  return (row) => {
    const { depth, lines } = drawn.get(row) ?? { depth: 0, lines: '' };
    const words = depth === 0 ? '' : `level ${depth + 1}, `;
    return `${isReader ? words : lines}${row.title}`;
  };
}

function columnsAt(nowMs: number, titleOf: (row: TaskRow) => string): readonly Column<TaskRow>[] {
  return [
    { name: 'status', of: (row) => row.status, tone: (row) => statusTone(row.status) },
    { name: 'age', of: (row) => ageText(nowMs - Date.parse(row.created_at)) },
    { name: 'kind', of: (row) => row.kind, from: 75 },
    { name: 'by', of: (row) => row.requester, most: 16, from: 65 },
    { name: 'place', of: (row) => `${row.workspace}/${row.context}`, most: 28, from: 110 },
    { name: 'title', of: titleOf, isWide: true },
  ];
}

/** How a state of a run looks. */
export function statusTone(status: TaskDetail['status']): Tone | undefined {
  if (status === 'failed') return 'bad';
  if (!isFinalRun(status)) return 'accent';
  return status === 'aborted' ? 'warn' : undefined;
}
