import type { UserRow } from '@agent-runtime/domain';
import { type ReactNode, useState } from 'react';
import type { Action } from '../../app/action.ts';
import { ListBody } from '../../app/body.tsx';
import { type App, useApp } from '../../app/context.ts';
import { type Column, useList } from '../../app/list.tsx';
import { useLoad } from '../../app/load.ts';
import { Page } from '../../app/page.tsx';
import type { ScreenProps, ScreenSpec } from '../../app/screen.ts';
import { UserView } from './user-view.tsx';
import { WhoView } from './who-view.tsx';

/** People, what they hold, and who can do what. */
export const USERS: ScreenSpec = {
  id: 'users',
  title: 'Users',
  key: '8',
  about: 'people: roles, keys, accounts, tokens; who can do what; leaving',
  help: [
    'A role counts in its scope and below it. Nobody gives or takes a role above their own.',
    'Leaving takes every role, key, token and linked account at once, and stops what runs for that person.',
  ],
  View: Users,
};

const COLUMNS: readonly Column<UserRow>[] = [
  { name: 'name', of: (row) => row.name, most: 24 },
  {
    name: 'state',
    of: (row) => (row.is_active ? 'active' : 'left'),
    tone: (row) => (row.is_active ? undefined : 'dim'),
  },
  { name: 'since', of: (row) => row.created_at.slice(0, 10), from: 70 },
  { name: 'full name', of: (row) => row.display_name, isWide: true },
];
const keyOf = (row: UserRow): string => row.id;

function Users({ subject }: ScreenProps): ReactNode {
  const [open, setOpen] = useState(subject);
  const [isWho, setWho] = useState(false);
  if (isWho) return <WhoView onBack={() => setWho(false)} />;
  if (open !== undefined) return <UserView key={open} id={open} onBack={() => setOpen(undefined)} />;
  return <UserList onOpen={setOpen} onWho={() => setWho(true)} />;
}

function UserList(props: { readonly onOpen: (id: string) => void; readonly onWho: () => void }): ReactNode {
  const app = useApp();
  const loaded = useLoad('users', async (client) => (await client.call('user.list', {})).items);
  const list = useList(loaded.value, { keyOf, textOf: (row) => `${row.name} ${row.id} ${row.display_name}` });
  const actions: readonly Action[] = [
    {
      key: 'enter',
      name: 'open',
      about: 'roles, keys, accounts, tokens',
      run: () => {
        if (list.selected !== undefined) props.onOpen(list.selected.id);
      },
    },
    { key: 'n', name: 'new', about: 'a new person, without any role yet', run: () => add(app) },
    { key: 'w', name: 'who can', about: 'everyone with a role at a place', run: props.onWho },
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
          empty={['Nobody is here.', 'n adds a person. The first one is made by: agent-runtime setup']}
        />
      )}
    </Page>
  );
}

async function add(app: App): Promise<void> {
  const name = (await app.ask.text({ title: 'Short name', hint: 'a-z, 0-9 and hyphens' }))?.trim();
  if (name === undefined || name === '') return;
  const display = await app.ask.text({ title: 'Full name', hint: 'may be empty' });
  if (display === undefined) return;
  await app.run('Adding', async () => {
    const row = await (await app.services.connect()).call('user.add', {
      name,
      ...(display.trim() === '' ? {} : { display_name: display.trim() }),
    });
    return `${row.name} is there and has no role yet. Open it and press a.`;
  });
}
