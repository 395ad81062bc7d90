import type { GrantRow } from '@agent-runtime/domain';
import { type ReactNode, useState } from 'react';
import type { Action } from '../../app/action.ts';
import { ListBody } from '../../app/body.tsx';
import { useApp } from '../../app/context.ts';
import { type Column, useList } from '../../app/list.tsx';
import { useLoad } from '../../app/load.ts';
import { Page } from '../../app/page.tsx';
import { askScope } from '../../app/people.ts';

const COLUMNS: readonly Column<GrantRow>[] = [
  { name: 'who', of: (row) => row.name, most: 24 },
  {
    name: 'role',
    of: (row) => row.role,
    tone: (row) => (row.role === 'overlord' || row.role === 'admin' ? 'warn' : undefined),
  },
  { name: 'until', of: (row) => row.expires_at?.slice(0, 10) ?? '-' },
  { name: 'given by', of: (row) => row.granted_by, most: 20, from: 80 },
  { name: 'by the scope', of: (row) => row.scope, isWide: true },
];
const keyOf = (row: GrantRow): string => row.id;

/** Everyone who has a role at one place, and by which grant. */
export function WhoView({ onBack }: { readonly onBack: () => void }): ReactNode {
  const app = useApp();
  const [scope, setScope] = useState('*');
  const loaded = useLoad(`who ${scope}`, async (client) => (await client.call('grant.who', { scope })).items);
  const list = useList(loaded.value, { keyOf, textOf: (row) => `${row.name} ${row.role} ${row.scope}` });
  const actions: readonly Action[] = [
    {
      key: 's',
      name: 'scope',
      about: 'ask about another place',
      run: async () => {
        const next = await askScope(app, 'Who has a role where');
        if (next !== undefined) setScope(next);
      },
    },
  ];
  return (
    <Page title={`who has a role on ${scope}`} actions={actions} onBack={onBack}>
      {(area) => (
        <ListBody
          loaded={loaded}
          list={list}
          columns={COLUMNS}
          area={area}
          keyOf={keyOf}
          empty={[`Nobody has a role on ${scope}.`, 's asks about another place.']}
        />
      )}
    </Page>
  );
}
