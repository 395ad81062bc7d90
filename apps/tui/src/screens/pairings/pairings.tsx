import type { ReactNode } from 'react';
import type { Action } from '../../app/action.ts';
import { ListBody } from '../../app/body.tsx';
import { type App, useApp, useSession } from '../../app/context.ts';
import { type Column, useList } from '../../app/list.tsx';
import { useLoad } from '../../app/load.ts';
import { Page } from '../../app/page.tsx';
import { askEnd, askRole, askScope } from '../../app/people.ts';
import type { ScreenSpec } from '../../app/screen.ts';
import { ageText } from '../../app/time.ts';
import type { PairingClient, PendingPairing } from '../../client/pairing.ts';

/** Outside accounts that ask to be linked with a person. */
export const PAIRINGS: ScreenSpec = {
  id: 'pairings',
  title: 'Pairings',
  key: '5',
  about: 'link an outside account with a person, by the code that the person tells you',
  help: [
    'The code is shown to the person in their own chat. Have them tell it to you on a way that you trust; the list alone proves nothing.',
    'Look at connector and number, not at the name: anyone may call themselves anything.',
  ],
  View: Pairings,
};

const keyOf = (row: PendingPairing): string => row.id;

function Pairings(): ReactNode {
  const app = useApp();
  const { pairing } = app.services;
  const nowMs = useSession((state) => Math.floor(state.nowMs / 10_000) * 10_000);
  const loaded = useLoad('pairings', () => pairing.list(), ['health']);
  const list = useList(loaded.value, {
    keyOf,
    textOf: (row) => `${row.connector} ${row.external_id} ${row.display_name}`,
  });
  const enter = async (): Promise<void> => {
    await pair(app, pairing);
  };
  const actions: readonly Action[] = [
    { key: 'p', name: 'pair', about: 'enter a code, look who it is, choose person and role', run: enter },
    { key: 'enter', name: 'pair', about: 'the same', run: enter },
  ];
  return (
    <Page title={loaded.value === undefined ? undefined : `${loaded.value.length} waiting`} actions={actions}>
      {(area) => (
        <ListBody
          loaded={loaded}
          list={list}
          columns={columnsAt(nowMs)}
          area={area}
          keyOf={keyOf}
          empty={[
            'Nobody asks to be paired.',
            'A person writes "pair" to the bot in a direct message and gets a code. They tell you the code; you press p.',
          ]}
        />
      )}
    </Page>
  );
}

function columnsAt(nowMs: number): readonly Column<PendingPairing>[] {
  return [
    { name: 'connector', of: (row) => row.connector, most: 14 },
    { name: 'account', of: (row) => row.external_id, most: 24 },
    { name: 'asked', of: (row) => `${ageText(nowMs - Date.parse(row.created_at))} ago` },
    { name: 'ends in', of: (row) => ageText(Date.parse(row.expires_at) - nowMs), from: 80 },
    { name: 'calls themselves', of: (row) => row.display_name, isWide: true },
  ];
}

const NEW_PERSON = 'a new person';

/** Code, then who it is, then person, role, place and end, then one last look. */
async function pair(app: App, pairing: PairingClient): Promise<void> {
  const code = (await app.ask.text({ title: 'Pairing code', hint: 'as the person told you' }))?.trim();
  if (code === undefined || code === '') return;
  const who = await pairing.show(code);
  const account = `${who.connector} ${who.external_id}, calls themselves ${who.display_name}`;
  const user = await askUser(app, account);
  if (user === undefined) return;
  const role = await askRole(app.ask, `Role of ${user.name}`);
  if (role === undefined) return;
  const scope = await askScope(app, `Where is ${user.name} ${role}`);
  if (scope === undefined) return;
  const end = await askEnd(app);
  if (end === undefined) return;
  const lines = [
    account,
    `becomes ${user.name}${user.isNew ? ' (new)' : ''}`,
    `with the role ${role} on ${scope}${end === null ? '' : ` until ${end.slice(0, 16)}`}`,
  ];
  if (!(await app.ask.confirm({ title: 'Pair', lines, yes: 'link them' }))) return;
  await app.run('Linking', async () => {
    const row = await pairing.approve({
      code,
      user: user.name,
      ...(user.isNew ? { create_user: true as const } : {}),
      role,
      scope,
      ...(end === null ? {} : { expires_at: end }),
    });
    return `${row.connector} ${row.external_id} is ${row.user}.`;
  });
}

async function askUser(
  app: App,
  account: string,
): Promise<{ readonly name: string; readonly isNew: boolean } | undefined> {
  const { items } = await (await app.services.connect()).call('user.list', {});
  const chosen = await app.ask.choose({
    title: `Who is ${account}`,
    options: [
      { value: NEW_PERSON, about: 'not in the list yet' },
      ...items.filter((row) => row.is_active).map((row) => ({ value: row.name, about: row.display_name })),
    ],
  });
  if (chosen !== NEW_PERSON) return chosen === undefined ? undefined : { name: chosen, isNew: false };
  const name = (await app.ask.text({ title: 'Short name', hint: 'a-z, 0-9 and hyphens' }))?.trim();
  return name === undefined || name === '' ? undefined : { name, isNew: true };
}
