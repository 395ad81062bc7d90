import type { WorkspaceDetail, WorkspaceRow } from '@agent-runtime/domain';
import { type ReactNode, useState } from 'react';
import type { Action } from '../../app/action.ts';
import { Body, ListBody } from '../../app/body.tsx';
import { type App, useApp } from '../../app/context.ts';
import { factLines, headingLines, textLines } from '../../app/facts.ts';
import type { Line } from '../../app/line.tsx';
import { type Column, useList } from '../../app/list.tsx';
import { useLoad } from '../../app/load.ts';
import { Page } from '../../app/page.tsx';
import { Pager } from '../../app/pager.tsx';
import type { ScreenProps, ScreenSpec } from '../../app/screen.ts';
import { askSetting, type Setting, SHARED_SETTINGS, shown } from '../../app/settings.ts';
import { bindingText } from '../../screen/binding.ts';

/** Isolated stores with a policy of their own. */
export const WORKSPACES: ScreenSpec = {
  id: 'workspaces',
  title: 'Workspaces',
  key: '7',
  about: 'isolated stores with a policy of their own',
  help: ['What a workspace says counts in each of its contexts that does not say otherwise.'],
  View: Workspaces,
};

const SETTINGS: readonly Setting[] = [
  { name: 'title', about: 'for people', kind: { kind: 'text' } },
  {
    name: 'outside_edits',
    about: 'who vouches for files that are edited by hand',
    kind: { kind: 'choice', values: ['staff', 'review'] },
  },
  { name: 'concurrency', about: 'runs at the same time', kind: { kind: 'whole' } },
  { name: 'approvers_for_high', about: 'people who must say yes to tier high', kind: { kind: 'whole' } },
  { name: 'time_zone', about: 'e.g. Europe/Berlin', kind: { kind: 'text' } },
  ...SHARED_SETTINGS.map((setting): Setting => ({ ...setting })),
];

const COLUMNS: readonly Column<WorkspaceRow>[] = [
  { name: 'id', of: (row) => row.id, most: 28 },
  { name: 'kind', of: (row) => row.kind },
  { name: 'your role', of: (row) => row.role ?? '-' },
  { name: 'owner', of: (row) => row.owner, most: 20, from: 80 },
  { name: 'title', of: (row) => row.title, isWide: true },
];
const keyOf = (row: WorkspaceRow): string => row.id;

function Workspaces({ subject }: ScreenProps): ReactNode {
  const [open, setOpen] = useState(subject);
  return open === undefined ? (
    <WorkspaceList onOpen={setOpen} />
  ) : (
    <WorkspaceView id={open} onBack={() => setOpen(undefined)} />
  );
}

function WorkspaceList({ onOpen }: { readonly onOpen: (id: string) => void }): ReactNode {
  const app = useApp();
  const loaded = useLoad('workspaces', async (client) => (await client.call('workspace.list', {})).items);
  const list = useList(loaded.value, {
    keyOf,
    textOf: (row) => `${row.id} ${row.kind} ${row.owner} ${row.title}`,
  });
  const actions: readonly Action[] = [
    {
      key: 'enter',
      name: 'open',
      about: 'its settings and contexts',
      run: () => {
        if (list.selected !== undefined) onOpen(list.selected.id);
      },
    },
    { key: 'n', name: 'new', about: 'a new workspace', run: () => create(app, onOpen) },
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
          empty={[
            'You have a role in no workspace.',
            'n makes one. Or have an admin give you a role: agent-runtime grant add --help',
          ]}
        />
      )}
    </Page>
  );
}

async function create(app: App, onOpen: (id: string) => void): Promise<void> {
  const id = (await app.ask.text({ title: 'Name of the workspace', hint: 'a-z, 0-9 and hyphens' }))?.trim();
  if (id === undefined || id === '') return;
  const title = await app.ask.text({ title: 'Title', hint: 'for people; may be empty' });
  if (title === undefined) return;
  const kind = await app.ask.choose({
    title: 'For whom',
    options: [
      { value: 'community' as const, about: 'several people' },
      { value: 'private' as const, about: 'one person' },
    ],
  });
  if (kind === undefined) return;
  const isDone = await app.run('Making it', async () => {
    const row = await (await app.services.connect()).call('workspace.create', {
      id,
      kind,
      ...(title.trim() === '' ? {} : { title: title.trim() }),
    });
    return `The workspace ${row.id} is there.`;
  });
  if (isDone) onOpen(id);
}

function WorkspaceView({ id, onBack }: { readonly id: string; readonly onBack: () => void }): ReactNode {
  const app = useApp();
  const loaded = useLoad(`workspace ${id}`, (client) => client.call('workspace.show', { id }));
  const detail = loaded.value;
  const actions: readonly Action[] =
    detail === undefined
      ? []
      : [
          { key: 'e', name: 'edit', about: 'change a setting', run: () => edit(app, detail, loaded.reload) },
          {
            key: 'c',
            name: 'context',
            about: 'look at one of its contexts',
            run: () => openContext(app, detail),
          },
          { key: 'y', name: 'why', about: 'what the log says about it', run: () => app.go('audit', id) },
        ];
  return (
    <Page title={id} actions={actions} onBack={onBack}>
      {(area) => (
        <Body loaded={loaded} area={area}>
          {(value, room) => <Pager area={room} lines={workspaceLines(value, room.width)} />}
        </Body>
      )}
    </Page>
  );
}

function workspaceLines(detail: WorkspaceDetail, width: number): readonly Line[] {
  return [
    ...factLines(
      [
        ['Title', detail.title, 'strong'],
        ['Kind', detail.kind],
        ['Owner', detail.owner],
        ['Your role', detail.role],
        [
          'Edits by hand',
          detail.outside_edits === 'staff'
            ? 'staff: they count as staff’s own'
            : 'review: they count as from outside until approved',
        ],
        ['At the same time', `${detail.concurrency} runs`],
        ['Tier high needs', `${detail.approvers_for_high} approvers`],
        ['Time zone', detail.time_zone],
        ['Tools', shown(detail.tools)],
        ['Models', shown(detail.models)],
        ['Takes places of', shown(detail.bindings.map(bindingText))],
        ['Since', detail.created_at.slice(0, 10)],
      ],
      width,
    ),
    ...headingLines(`Contexts, ${detail.contexts.length}`),
    ...textLines(detail.contexts.length === 0 ? 'none' : detail.contexts.join(', '), width),
  ];
}

async function edit(app: App, detail: WorkspaceDetail, reload: () => void): Promise<void> {
  const patch = await askSetting(app, SETTINGS, detail);
  if (patch === undefined) return;
  await app.run('Changing it', async () => {
    await (await app.services.connect()).call('workspace.set', { id: detail.id, ...patch });
    return `${Object.keys(patch).join()} of ${detail.id} is changed.`;
  });
  reload();
}

async function openContext(app: App, detail: WorkspaceDetail): Promise<void> {
  const id = await app.ask.choose({
    title: 'Which context',
    options: detail.contexts.map((value) => ({ value })),
  });
  if (id !== undefined) app.go('contexts', id);
}
