import type { HubRow } from '@agent-runtime/domain';
import type { ReactNode } from 'react';
import type { Action } from '../../app/action.ts';
import { ListBody } from '../../app/body.tsx';
import { type App, useApp } from '../../app/context.ts';
import { mistake } from '../../app/dialog.ts';
import { type Column, useList } from '../../app/list.tsx';
import { useLoad } from '../../app/load.ts';
import { Page } from '../../app/page.tsx';
import { clearedText } from '../../screen/hub.ts';

const COLUMNS: readonly Column<HubRow>[] = [
  { name: 'connector', of: (row) => row.connector, most: 14 },
  {
    name: 'state',
    of: (row) => (row.state === 'active' ? 'hub' : 'asks'),
    tone: (row) => (row.state === 'active' ? undefined : 'warn'),
  },
  { name: 'place', of: (row) => `${row.workspace}/${row.context}`, most: 30 },
  { name: 'by', of: (row) => row.approved_by ?? row.asked_by, most: 16, from: 80 },
  { name: 'shows texts of', of: clearedText, isWide: true },
];
const keyOf = (row: HubRow): string => row.id;

/** The admin hub of each connector, and the places that ask to be it. */
export function HubView({ onBack }: { readonly onBack: () => void }): ReactNode {
  const app = useApp();
  const loaded = useLoad('hubs', async (client) => (await client.call('hub.list', {})).items, ['health']);
  const rows = loaded.value ?? [];
  const list = useList(loaded.value, {
    keyOf,
    textOf: (row) =>
      `${row.connector} ${row.state} ${row.workspace} ${row.context} ${row.cleared_for.join(' ')}`,
  });
  const row = list.selected;
  const actions: readonly Action[] = [
    ...(row?.state === 'asked'
      ? [{ key: 'a', name: 'approve', about: 'make it the hub', run: () => approve(app, row, rows) }]
      : []),
    ...(row === undefined
      ? []
      : [{ key: 'x', name: 'end', about: 'end the hub, or send it away', run: () => end(app, row) }]),
  ];
  return (
    <Page title="admin hubs" actions={actions} onBack={onBack}>
      {(area) => (
        <ListBody
          loaded={loaded}
          list={list}
          columns={COLUMNS}
          area={area}
          keyOf={keyOf}
          empty={[
            'There is no admin hub, and no place asks to be it.',
            'Somebody of the staff says /hub in a closed channel. Then you say here whose texts may be shown there.',
          ]}
        />
      )}
    </Page>
  );
}

/** Whose texts, then one last look at what it means, and where the hub was until now. */
async function approve(app: App, row: HubRow, rows: readonly HubRow[]): Promise<void> {
  const typed = await app.ask.text({
    title: 'Whose texts may be shown there',
    hint: 'workspaces, separated by commas',
    initial: row.workspace,
  });
  if (typed === undefined) return;
  const workspaces = typed.split(/[\s,]+/).filter((name) => name !== '');
  if (workspaces.length === 0) throw mistake('Name at least one workspace.');
  const old = rows.find((one) => one.state === 'active' && one.connector === row.connector);
  const lines = [
    `${row.connector} ${row.channel}, asked by ${row.asked_by}`,
    `Everybody who reads there sees texts of: ${workspaces.join(', ')}`,
    ...(old === undefined ? [] : [`It is no longer ${old.workspace}/${old.context}.`]),
  ];
  if (!(await app.ask.confirm({ title: `${row.context} becomes the admin hub`, lines, yes: 'sign it' })))
    return;
  await app.run('Signing', async () => {
    const made = await (await app.services.connect()).call('hub.approve', { id: row.id, workspaces });
    return `${made.context} is the admin hub of ${made.connector}.`;
  });
}

async function end(app: App, row: HubRow): Promise<void> {
  const isHub = row.state === 'active';
  const question = {
    title: isHub ? `End the admin hub of ${row.connector}` : `Send ${row.context} away`,
    lines: [isHub ? 'No card goes there any more.' : 'It does not become the hub.'],
    yes: isHub ? 'end it' : 'send it away',
  };
  if (!(await app.ask.confirm(question))) return;
  await app.run('Ending it', async () => {
    await (await app.services.connect()).call('hub.rm', { id: row.id });
    return isHub ? `${row.connector} has no admin hub.` : `${row.context} was sent away.`;
  });
}
