import type { ContextRow } from '@agent-runtime/domain';
import { type ReactNode, useState } from 'react';
import type { Action } from '../../app/action.ts';
import { ListBody } from '../../app/body.tsx';
import { type Column, useList } from '../../app/list.tsx';
import { useLoad } from '../../app/load.ts';
import { Page } from '../../app/page.tsx';
import type { ScreenProps, ScreenSpec } from '../../app/screen.ts';
import { ContextView } from './context-view.tsx';
import { HubView } from './hub-view.tsx';
import { PromptView } from './prompt-view.tsx';

/** Where people talk, and what the agent may do there. */
export const CONTEXTS: ScreenSpec = {
  id: 'contexts',
  title: 'Contexts',
  key: '6',
  about: 'channels, groups and direct talks: prompt, tools, models, what they inherit; the admin hubs',
  help: [
    'What a context does not say itself it has from its workspace. p shows the files that make its prompt, in the order in which they are read.',
    'The admin hub is where staff hear of open questions. Somebody of the staff asks for it in chat (/hub); h shows who asks, and where it is.',
  ],
  View: Contexts,
};

const COLUMNS: readonly Column<ContextRow>[] = [
  { name: 'workspace', of: (row) => row.workspace, most: 18 },
  { name: 'id', of: (row) => row.id, most: 24 },
  { name: 'kind', of: (row) => row.kind },
  { name: 'who', of: (row) => row.openness, tone: (row) => (row.openness === 'open' ? 'warn' : undefined) },
  { name: 'channel', of: (row) => `${row.connector}:${row.channel}`, most: 30, from: 110 },
  { name: 'title', of: (row) => row.title, isWide: true },
];
const keyOf = (row: ContextRow): string => row.id;

function Contexts({ subject }: ScreenProps): ReactNode {
  const [open, setOpen] = useState(subject);
  const [isPrompt, setPrompt] = useState(false);
  const [isHub, setHub] = useState(false);
  if (isHub) return <HubView onBack={() => setHub(false)} />;
  if (open === undefined) return <ContextList onOpen={setOpen} onHub={() => setHub(true)} />;
  if (isPrompt) return <PromptView id={open} onBack={() => setPrompt(false)} />;
  return <ContextView id={open} onBack={() => setOpen(undefined)} onPrompt={() => setPrompt(true)} />;
}

function ContextList(props: {
  readonly onOpen: (id: string) => void;
  readonly onHub: () => void;
}): ReactNode {
  const loaded = useLoad('contexts', async (client) => (await client.call('context.list', {})).items);
  const list = useList(loaded.value, {
    keyOf,
    textOf: (row) =>
      `${row.workspace} ${row.id} ${row.kind} ${row.openness} ${row.connector} ${row.channel} ${row.title}`,
  });
  const actions: readonly Action[] = [
    {
      key: 'enter',
      name: 'open',
      about: 'its settings, and where they come from',
      run: () => {
        if (list.selected !== undefined) props.onOpen(list.selected.id);
      },
    },
    { key: 'h', name: 'hubs', about: 'where staff hear of open questions', run: props.onHub },
  ];
  return (
    <Page title={loaded.value === undefined ? undefined : String(loaded.value.length)} actions={actions}>
      {(area) => (
        <ListBody
          loaded={loaded}
          list={list}
          columns={COLUMNS}
          area={area}
          keyOf={keyOf}
          empty={['No contexts yet.', 'Bind a channel: agent-runtime context bind --help']}
        />
      )}
    </Page>
  );
}
