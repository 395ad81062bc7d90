import type { SecretRow } from '@agent-runtime/domain';
import type { ReactNode } from 'react';
import type { Action } from '../../app/action.ts';
import { ListBody } from '../../app/body.tsx';
import { type App, useApp } from '../../app/context.ts';
import { mistake } from '../../app/dialog.ts';
import { type Column, useList } from '../../app/list.tsx';
import { useLoad } from '../../app/load.ts';
import { Page } from '../../app/page.tsx';
import type { ScreenSpec } from '../../app/screen.ts';

/** Names of secrets. A value goes in and is never shown again. */
export const SECRETS: ScreenSpec = {
  id: 'secrets',
  title: 'Secrets',
  key: 'S',
  about: 'names of secrets; set one, forget one',
  help: [
    'A value is shown as dots while it is typed or pasted, goes to the vault, and is never shown again. A new value counts from its next use. The environment wins over the vault.',
  ],
  View: Secrets,
};

const COLUMNS: readonly Column<SecretRow>[] = [
  { name: 'from', of: (row) => row.source },
  { name: 'since', of: (row) => row.updated_at?.slice(0, 16).replace('T', ' ') ?? '-' },
  { name: 'name', of: (row) => row.name, isWide: true },
];
const keyOf = (row: SecretRow): string => row.name;

function Secrets(): ReactNode {
  const app = useApp();
  const loaded = useLoad('secrets', async (client) => (await client.call('secret.list', {})).items);
  const list = useList(loaded.value, { keyOf, textOf: keyOf });
  const row = list.selected;
  const actions: readonly Action[] = [
    {
      key: 's',
      name: 'set',
      about: 'keep a secret, or a new value of one',
      run: () => set(app, row?.name ?? ''),
    },
    ...(row?.source === 'vault'
      ? [{ key: 'x', name: 'remove', about: 'forget the selected secret', run: () => remove(app, row.name) }]
      : []),
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
            'No secrets are kept.',
            's keeps one, for example LLM_API_KEY. From a shell: agent-runtime secret set LLM_API_KEY < key.txt',
          ]}
        />
      )}
    </Page>
  );
}

async function set(app: App, initial: string): Promise<void> {
  const name = await app.ask.text({ title: 'Name of the secret', hint: 'capitals, digits and _', initial });
  if (name === undefined || name === '') return;
  const value = await app.ask.text({ title: `Value of ${name}`, hint: 'shown as dots', isSecret: true });
  if (value === undefined) return;
  if (value.trim() === '') throw mistake('It was empty, so nothing was kept.');
  await app.run(
    'Keeping it',
    async () => (await (await app.services.connect()).call('secret.set', { name, value })).message,
  );
}

async function remove(app: App, name: string): Promise<void> {
  if (
    !(await app.ask.confirm({
      title: `Forget ${name}`,
      lines: ['What uses it fails from now on.'],
      yes: 'forget it',
    }))
  )
    return;
  await app.run(
    'Forgetting it',
    async () => (await (await app.services.connect()).call('secret.rm', { name })).message,
  );
}
