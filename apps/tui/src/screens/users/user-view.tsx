import type { UserDetail } from '@agent-runtime/domain';
import type { ReactNode } from 'react';
import type { Action } from '../../app/action.ts';
import { Body } from '../../app/body.tsx';
import { type App, useApp } from '../../app/context.ts';
import { textLines } from '../../app/facts.ts';
import { Row, span } from '../../app/line.tsx';
import { type Column, type ListState, Table, useList } from '../../app/list.tsx';
import { useLoad } from '../../app/load.ts';
import { Page } from '../../app/page.tsx';
import { Pager } from '../../app/pager.tsx';
import { askEnd, askRole, askScope } from '../../app/people.ts';

/** One thing that a person holds. */
export interface Holding {
  readonly kind: 'grant' | 'key' | 'account' | 'token';
  readonly id: string;
  readonly text: string;
  readonly state: string;
  readonly isOver: boolean;
}

const COLUMNS: readonly Column<Holding>[] = [
  { name: 'what', of: (row) => row.kind },
  { name: 'state', of: (row) => row.state, tone: (row) => (row.isOver ? 'dim' : undefined) },
  { name: '', of: (row) => row.text, isWide: true },
];
const keyOf = (row: Holding): string => `${row.kind} ${row.id}`;

/** A person with everything they hold. */
export function UserView({ id, onBack }: { readonly id: string; readonly onBack: () => void }): ReactNode {
  const app = useApp();
  const loaded = useLoad(`user ${id}`, (client) => client.call('user.show', { id }));
  const user = loaded.value;
  const list = useList(user === undefined ? undefined : holdingsOf(user), {
    keyOf,
    textOf: (row) => `${row.kind} ${row.state} ${row.text}`,
  });
  return (
    <Page
      title={user?.name}
      actions={user === undefined ? [] : actionsFor({ app, user, list, reload: loaded.reload })}
      onBack={onBack}
    >
      {(area) => (
        <Body loaded={loaded} area={area}>
          {(shown, room) => (
            <>
              <Row
                width={room.width}
                line={[
                  span(` ${shown.display_name}`, 'strong'),
                  span(`  ${shown.id}`, 'dim'),
                  span(shown.is_active ? '' : '  has left', 'warn'),
                ]}
              />
              <Row width={room.width} line={[]} />
              {list.total === 0 ? (
                <Pager
                  area={{ ...room, height: room.height - 2 }}
                  lines={textLines(
                    'This person holds nothing. a gives a role, i makes an invite for their key.',
                    room.width,
                  )}
                />
              ) : (
                <Table
                  list={list}
                  columns={COLUMNS}
                  area={{ ...room, height: room.height - 2 }}
                  keyOf={keyOf}
                />
              )}
            </>
          )}
        </Body>
      )}
    </Page>
  );
}

/** Roles first, then what one signs in with. */
export function holdingsOf(user: UserDetail): readonly Holding[] {
  const day = (instant: string): string => instant.slice(0, 10);
  return [
    ...user.grants.map(
      (one): Holding => ({
        kind: 'grant',
        id: one.id,
        text: `${one.role} on ${one.scope}, given by ${one.granted_by}`,
        state: one.expires_at === undefined ? 'lasting' : `until ${day(one.expires_at)}`,
        isOver: false,
      }),
    ),
    ...user.keys.map(
      (one): Holding => ({
        kind: 'key',
        id: one.id,
        text: `${one.name}, since ${day(one.created_at)}`,
        state: one.revoked_at === undefined ? 'live' : 'revoked',
        isOver: one.revoked_at !== undefined,
      }),
    ),
    ...user.identities.map(
      (one): Holding => ({
        kind: 'account',
        id: one.id,
        text: `${one.connector} ${one.external_id}  ${one.display_name}`,
        state: 'linked',
        isOver: false,
      }),
    ),
    ...user.tokens.map(
      (one): Holding => ({
        kind: 'token',
        id: one.id,
        text: `${one.name} for ${one.workspace}/${one.context}`,
        state: one.revoked_at === undefined ? (one.role ?? 'no role') : 'revoked',
        isOver: one.revoked_at !== undefined,
      }),
    ),
  ];
}

interface Desk {
  readonly app: App;
  readonly user: UserDetail;
  readonly list: ListState<Holding>;
  reload(): void;
}

function actionsFor(desk: Desk): readonly Action[] {
  const { app, user, list } = desk;
  const held = list.selected;
  return [
    { key: 'a', name: 'add role', about: 'give a role: which, where, until when', run: () => give(desk) },
    ...(held === undefined || held.isOver
      ? []
      : [
          {
            key: 'x',
            name: 'take away',
            about: 'take the selected role, key, account or token away',
            run: () => take(desk, held),
          },
        ]),
    {
      key: 'i',
      name: 'invite',
      about: 'a one-time code with which they enrol a key',
      run: () => invite(desk),
    },
    ...(user.is_active
      ? [
          {
            key: 'o',
            name: 'offboard',
            about: 'this person leaves: everything is taken at once',
            run: () => offboard(desk),
          },
        ]
      : []),
    { key: 'y', name: 'why', about: 'what the log says about them', run: () => app.go('audit', user.id) },
  ];
}

async function give({ app, user, reload }: Desk): Promise<void> {
  const role = await askRole(app.ask, `Role for ${user.name}`);
  if (role === undefined) return;
  const scope = await askScope(app, `Where is ${user.name} ${role}`);
  if (scope === undefined) return;
  const end = await askEnd(app);
  if (end === undefined) return;
  await app.run('Giving the role', async () => {
    const row = await (await app.services.connect()).call('grant.add', {
      user: user.name,
      role,
      scope,
      ...(end === null ? {} : { expires_at: end }),
    });
    return `${row.name} is ${row.role} on ${row.scope}.`;
  });
  reload();
}

async function take({ app, user, reload }: Desk, held: Holding): Promise<void> {
  const isSure = await app.ask.confirm({
    title: `Take away from ${user.name}`,
    lines: [`${held.kind}: ${held.text}`, 'It ends at once, and what runs by it is stopped.'],
    yes: 'take it away',
  });
  if (!isSure) return;
  await app.run('Taking it away', async () => {
    await removeHolding(app, held);
    return `${user.name} no longer has it.`;
  });
  reload();
}

async function removeHolding(app: App, { kind, id }: Holding): Promise<void> {
  const client = await app.services.connect();
  switch (kind) {
    case 'grant':
      await client.call('grant.rm', { id });
      return;
    case 'key':
      await client.call('key.revoke', { id });
      return;
    case 'account':
      await client.call('identity.unlink', { id });
      return;
    case 'token':
      await client.call('token.revoke', { id });
      return;
    default:
      kind satisfies never;
  }
}

async function invite({ app, user }: Desk): Promise<void> {
  const made = await (await app.services.connect()).call('invite.create', { user: user.name });
  await app.ask.confirm({
    title: `Invite for ${made.user}, once, until ${made.expires_at.slice(0, 16).replace('T', ' ')} UTC`,
    lines: [made.code, 'That person runs: agent-runtime enrol --invite CODE', 'It is shown this once.'],
    yes: 'I have it',
  });
}

async function offboard({ app, user, reload }: Desk): Promise<void> {
  const { grants, keys, identities, tokens } = user;
  const lines = [
    `${user.display_name} loses ${grants.length} roles, ${keys.length} keys, ${identities.length} accounts and ${tokens.length} tokens.`,
    'What runs for them is stopped, what they asked for is void.',
  ];
  if (!(await app.ask.confirm({ title: `${user.name} leaves`, lines, yes: 'take everything' }))) return;
  const typed = await app.ask.text({ title: `Type ${user.name} to be sure` });
  if (typed?.trim() !== user.name)
    return app.setNote({ kind: 'failed', text: 'Nothing was taken: the name was another one.' });
  await app.run('Offboarding', async () => {
    const after = await (await app.services.connect()).call('user.offboard', { id: user.id });
    return `${after.name} has left.`;
  });
  reload();
}
