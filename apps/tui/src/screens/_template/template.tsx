import type { ReactNode } from 'react';
import { ListBody } from '../../app/body.tsx';
import { useApp } from '../../app/context.ts';
import { type Column, useList } from '../../app/list.tsx';
import { useLoad } from '../../app/load.ts';
import { Page } from '../../app/page.tsx';
import type { ScreenSpec } from '../../app/screen.ts';

/**
 * Copy this folder, rename it, and add one line to registry.ts. A screen loads with `useLoad`, acts with `app.run`, asks with `app.ask`
 * and draws lines; keys of moving, filter, help and palette are there already.
 */
export const TEMPLATE: ScreenSpec = {
  id: 'template',
  title: 'Models',
  key: 'T',
  about: 'one sentence for the help and the palette',
  help: ['What a person should know before they touch anything here.'],
  View: TemplateView,
};

interface Model {
  readonly name: string;
  readonly provider: string;
  readonly context_tokens: number;
}

const COLUMNS: readonly Column<Model>[] = [
  { name: 'provider', of: (row) => row.provider },
  { name: 'tokens', of: (row) => String(row.context_tokens), from: 70 },
  { name: 'name', of: (row) => row.name, isWide: true },
];
const keyOf = (row: Model): string => row.name;

function TemplateView(): ReactNode {
  const app = useApp();
  const loaded = useLoad('models', async (client) => (await client.call('model.list', {})).items);
  const list = useList(loaded.value, { keyOf, textOf: (row) => `${row.name} ${row.provider}` });
  const actions = [
    {
      key: 'x',
      name: 'example',
      about: 'does something to the selected row, after a question',
      run: async () => {
        const row = list.selected;
        if (row === undefined || !(await app.ask.confirm({ title: row.name, yes: 'do it' }))) return;
        await app.run('Doing it', async () => `${row.name} is done.`);
      },
    },
  ];
  return (
    <Page title={String(loaded.value?.length ?? '')} actions={actions}>
      {(area) => (
        <ListBody
          loaded={loaded}
          list={list}
          columns={COLUMNS}
          area={area}
          keyOf={keyOf}
          empty={['Nothing is here yet. Say what to do next, with the exact command.']}
        />
      )}
    </Page>
  );
}
