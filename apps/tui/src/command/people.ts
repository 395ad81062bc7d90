import { ROLES, showHidden, type UserDetail } from '@agent-runtime/domain';
import { type CommandHandler, textArg, textOption } from '../cli/command.ts';
import { facts, shortTime, table } from '../screen/table.ts';
import { choiceOption, given, instantOption, mistyped, placeOf, requiredOption } from './input.ts';

export const userList: CommandHandler = async (run) => {
  const reply = await (await run.client()).call('user.list', {});
  run.show(reply, () =>
    reply.items.length === 0
      ? 'Nobody. Run: agent-runtime setup'
      : table(
          reply.items,
          [
            { name: 'name', of: (row) => row.name },
            { name: 'id', of: (row) => row.id },
            { name: 'state', of: (row) => (row.is_active ? 'active' : 'left') },
            { name: 'full name', of: (row) => row.display_name },
          ],
          run.world.columns,
        ),
  );
};

export const userShow: CommandHandler = async (run) => {
  const detail = await (await run.client()).call('user.show', { id: textArg(run, 0) });
  run.show(detail, () => userText(detail));
};

export const userAdd: CommandHandler = async (run) => {
  const display = textOption(run, 'display');
  const row = await (await run.client()).call('user.add', {
    name: textArg(run, 0),
    ...(display === undefined ? {} : { display_name: display }),
  });
  run.show(
    row,
    () =>
      `${row.name} is ${row.id} and has no role yet: agent-runtime grant add --user ${row.name} --role member --scope ws:…`,
  );
};

export const userOffboard: CommandHandler = async (run) => {
  const detail = await (await run.client()).call('user.offboard', { id: textArg(run, 0) });
  run.show(detail, () => `${detail.name} has left: no grants, no keys, no tokens, no identities.`);
};

function userText(detail: UserDetail): string {
  const list = (items: readonly string[]): string => (items.length === 0 ? 'none' : items.join('\n'));
  return facts([
    ['User', `${detail.name} (${detail.id})`],
    ['Full name', showHidden(detail.display_name)],
    ['State', detail.is_active ? 'active' : 'left'],
    [
      'Grants',
      list(
        detail.grants.map(
          (grant) => `${grant.role} on ${grant.scope}${until(grant.expires_at)}  ${grant.id}`,
        ),
      ),
    ],
    [
      'Keys',
      list(
        detail.keys.map(
          (key) =>
            `${key.id.slice(0, 12)}…  ${showHidden(key.name)}${key.revoked_at === undefined ? '' : ' (revoked)'}`,
        ),
      ),
    ],
    [
      'Identities',
      list(
        detail.identities.map(
          (one) => `${one.connector} ${one.external_id}  ${showHidden(one.display_name)}`,
        ),
      ),
    ],
    [
      'Tokens',
      list(
        detail.tokens.map(
          (token) =>
            `${token.id}  ${showHidden(token.name)}${token.revoked_at === undefined ? '' : ' (revoked)'}`,
        ),
      ),
    ],
  ]);
}

function until(instant: string | undefined): string {
  return instant === undefined ? '' : ` until ${shortTime(instant) ?? ''}`;
}

export const grantList: CommandHandler = async (run) => {
  const user = textOption(run, 'user');
  const reply = await (await run.client()).call('grant.list', user === undefined ? {} : { user });
  run.show(reply, () => grantTable(reply.items, run.world.columns));
};

export const grantWho: CommandHandler = async (run) => {
  const scope = textArg(run, 0);
  const can = textOption(run, 'can');
  const asked = { ...(scope === '' ? {} : { scope }), ...(can === undefined ? {} : { can }) };
  const reply = await (await run.client()).call('grant.who', asked);
  run.show(reply, () => grantTable(reply.items, run.world.columns));
};

function grantTable(items: UserDetail['grants'], columns: number): string {
  if (items.length === 0)
    return 'Nobody. Give a role: agent-runtime grant add --user ada --role member --scope ws:community';
  return table(
    items,
    [
      { name: 'id', of: (row) => row.id },
      { name: 'role', of: (row) => row.role },
      { name: 'scope', of: (row) => `${row.scope}${until(row.expires_at)}` },
      { name: 'who', of: (row) => row.name },
    ],
    columns,
  );
}

export const grantAdd: CommandHandler = async (run) => {
  const role = choiceOption(run, 'role', '--role', ROLES);
  if (role === undefined) throw mistyped(`--role is needed: ${ROLES.join(', ')}.`);
  const row = await (await run.client()).call(
    'grant.add',
    given({
      user: requiredOption(run, 'user', '--user'),
      role,
      scope: requiredOption(run, 'scope', '--scope'),
      expires_at: instantOption(run, 'until', '--until'),
    }),
  );
  run.show(row, () => `${row.name} is ${row.role} on ${row.scope}${until(row.expires_at)} (${row.id}).`);
};

export const grantRm: CommandHandler = async (run) => {
  const row = await (await run.client()).call('grant.rm', { id: textArg(run, 0) });
  run.show(row, () => `${row.name} is no longer ${row.role} on ${row.scope}.`);
};

export const identityList: CommandHandler = async (run) => {
  const user = textOption(run, 'user');
  const reply = await (await run.client()).call('identity.list', user === undefined ? {} : { user });
  run.show(reply, () =>
    reply.items.length === 0
      ? 'No linked accounts. People link themselves by pairing.'
      : table(
          reply.items,
          [
            { name: 'id', of: (row) => row.id },
            { name: 'user', of: (row) => row.user },
            { name: 'account', of: (row) => `${row.connector} ${row.external_id} (${row.display_name})` },
          ],
          run.world.columns,
        ),
  );
};

export const identityUnlink: CommandHandler = async (run) => {
  const row = await (await run.client()).call('identity.unlink', { id: textArg(run, 0) });
  run.show(row, () => `${row.connector} ${row.external_id} is no longer ${row.user}.`);
};

export const keyList: CommandHandler = async (run) => {
  const reply = await (await run.client()).call('key.list', {});
  run.show(reply, () =>
    table(
      reply.items,
      [
        { name: 'id', of: (row) => `${row.id.slice(0, 12)}…` },
        { name: 'user', of: (row) => row.user },
        { name: 'since', of: (row) => shortTime(row.created_at) },
        { name: 'name', of: (row) => `${row.name}${row.revoked_at === undefined ? '' : ' (revoked)'}` },
      ],
      run.world.columns,
    ),
  );
};

export const keyRevoke: CommandHandler = async (run) => {
  const row = await (await run.client()).call('key.revoke', { id: textArg(run, 0).replace(/…$/, '') });
  run.show(row, () => `The key ${row.id.slice(0, 12)}… of ${row.user} is revoked.`);
};

export const inviteCreate: CommandHandler = async (run) => {
  const user = textOption(run, 'user');
  const client = await run.client();
  // With a name the request is signed, so that it counts whose invite one may make; without one the local socket is enough.
  const reply =
    user === undefined
      ? await client.callUnsigned('invite.create', {})
      : await client.call('invite.create', { user });
  run.show(
    reply,
    () =>
      `Invite for ${reply.user}, good until ${shortTime(reply.expires_at) ?? ''} UTC, once:\n\n  ${reply.code}\n\nThat person runs: agent-runtime enrol --invite CODE`,
  );
};

export const enrol: CommandHandler = async (run) => {
  const { enrolHere } = await import('./enrol.ts');
  await enrolHere(run);
};

export const tokenCreate: CommandHandler = async (run) => {
  const { workspace } = placeOf(run);
  const row = await (await run.client()).call(
    'token.create',
    given({
      name: textArg(run, 0),
      workspace,
      role: choiceOption(run, 'role', '--role', ['viewer', 'member'] as const),
      expires_at: instantOption(run, 'until', '--until'),
    }),
  );
  run.show(row, () =>
    facts([
      ['Token', `${row.id} (${showHidden(row.name)})`],
      ['Workspace', row.workspace],
      ['Context', row.context],
      ['Until', shortTime(row.expires_at) ?? 'revoked'],
      ['Secret', row.secret],
      ['', 'It is shown this once. Use it as "Authorization: Bearer <secret>".'],
    ]),
  );
};

export const tokenList: CommandHandler = async (run) => {
  const reply = await (await run.client()).call('token.list', {});
  run.show(reply, () =>
    reply.items.length === 0
      ? 'No tokens. Make one: agent-runtime token create website'
      : table(
          reply.items,
          [
            { name: 'id', of: (row) => row.id },
            {
              name: 'state',
              of: (row) => (row.revoked_at === undefined ? (row.role ?? 'no role') : 'revoked'),
            },
            { name: 'workspace', of: (row) => row.workspace },
            { name: 'name', of: (row) => row.name },
          ],
          run.world.columns,
        ),
  );
};

export const tokenRevoke: CommandHandler = async (run) => {
  const row = await (await run.client()).call('token.revoke', { id: textArg(run, 0) });
  run.show(row, () => `${row.id} is revoked; its runs are stopped.`);
};
