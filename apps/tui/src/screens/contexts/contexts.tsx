import type { ContextRow, SeenRow } from '@agent-runtime/domain';
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
import { UnboundView } from './unbound-view.tsx';

/** Where people talk, and what the agent may do there. */
export const CONTEXTS: ScreenSpec = {
  id: 'contexts',
  title: 'Contexts',
  key: '6',
  about: 'channels, groups and direct talks: prompt, tools, models, what they inherit; the admin hubs',
  help: [
    'What a context does not say itself it has from its workspace. p shows the files that make its prompt, in the order in which they are read.',
    'A place that was seen and is bound to nothing is listed as unbound: nobody is answered there. enter shows how to bind it.',
    'The admin hub is where staff hear of open questions. Somebody of the staff asks for it in chat (/hub); h shows who asks, and where it is.',
  ],
  View: Contexts,
};

/** A context, or a place that is none yet. */
type Entry = ContextRow | SeenRow;

const COLUMNS: readonly Column<Entry>[] = [
  {
    name: 'workspace',
    of: (row) => ('id' in row ? row.workspace : 'unbound'),
    tone: (row) => ('id' in row ? undefined : 'dim'),
    most: 18,
  },
  { name: 'id', of: (row) => ('id' in row ? row.id : '-'), most: 24 },
  { name: 'kind', of: (row) => row.kind },
  {
    name: 'who',
    of: (row) => ('id' in row ? row.openness : 'nobody'),
    tone: (row) => ('id' in row && row.openness === 'open' ? 'warn' : undefined),
  },
  { name: 'channel', of: (row) => `${row.connector}:${row.channel}`, most: 30, from: 110 },
  { name: 'title', of: (row) => row.title, isWide: true },
];
const keyOf = (row: Entry): string =>
  'id' in row ? row.id : JSON.stringify([row.connector, row.account, row.channel]);

function Contexts({ subject }: ScreenProps): ReactNode {
  const [open, setOpen] = useState(subject);
  const [isPrompt, setPrompt] = useState(false);
  const [isHub, setHub] = useState(false);
  const [place, setPlace] = useState<SeenRow | undefined>(undefined);
  if (place !== undefined) return <UnboundView place={place} onBack={() => setPlace(undefined)} />;
  if (isHub) return <HubView onBack={() => setHub(false)} />;
  if (open === undefined)
    return <ContextList onOpen={setOpen} onUnbound={setPlace} onHub={() => setHub(true)} />;
  if (isPrompt) return <PromptView id={open} onBack={() => setPrompt(false)} />;
  return <ContextView id={open} onBack={() => setOpen(undefined)} onPrompt={() => setPrompt(true)} />;
}

function ContextList(props: {
  readonly onOpen: (id: string) => void;
  readonly onUnbound: (place: SeenRow) => void;
  readonly onHub: () => void;
}): ReactNode {
  const loaded = useLoad('contexts', async (client): Promise<readonly Entry[]> => {
    const { items, unbound } = await client.call('context.list', {});
    return [...items, ...unbound];
  });
  const list = useList(loaded.value, {
    keyOf,
    textOf: (row) =>
      ['id' in row ? `${row.workspace} ${row.id} ${row.openness}` : 'unbound', row.kind, row.connector]
        .concat([row.channel, row.title])
        .join(' '),
  });
  const actions: readonly Action[] = [
    {
      key: 'enter',
      name: 'open',
      about: 'its settings, and where they come from; how an unbound place is bound',
      run: () => {
        const row = list.selected;
        if (row === undefined) return;
        if ('id' in row) props.onOpen(row.id);
        else props.onUnbound(row);
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
