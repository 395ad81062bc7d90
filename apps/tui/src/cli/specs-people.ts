import type { CommandSpec } from './command.ts';
import { WORKSPACE } from './spec-options.ts';

const certificate = () => import('../command/certificate.ts');
const people = () => import('../command/people.ts');
const pair = () => import('../command/pair.ts');

/** People, and what they sign in with. */
export const PEOPLE_COMMANDS: readonly CommandSpec[] = [
  {
    usage: 'user list',
    about: 'People.',
    example: 'agent-runtime user list',
    load: async () => (await people()).userList,
  },
  {
    usage: 'user show <name>',
    about: 'A person with grants, keys, identities and tokens.',
    example: 'agent-runtime user show ada',
    load: async () => (await people()).userShow,
  },
  {
    usage: 'user add <name>',
    about: 'A new person, without any role.',
    options: [['--display <name>', 'full name']],
    example: 'agent-runtime user add ada --display "Ada L."',
    load: async () => (await people()).userAdd,
  },
  {
    usage: 'user offboard <name>',
    about: 'Take every grant, key, token and identity away.',
    example: 'agent-runtime user offboard ada',
    load: async () => (await people()).userOffboard,
  },
  {
    usage: 'grant list',
    about: 'Grants.',
    options: [['--user <name>', 'of this person']],
    example: 'agent-runtime grant list --user ada',
    load: async () => (await people()).grantList,
  },
  {
    usage: 'grant add',
    about: 'Give a role, never above your own.',
    options: [
      ['--user <name>', 'to this person'],
      ['--role <role>', 'viewer, member, operator, admin or overlord'],
      ['--scope <scope>', '*, ws:A, ctx:A/c, …'],
      ['--until <instant>', 'end, e.g. 2027-01-01T00:00:00Z'],
    ],
    example: 'agent-runtime grant add --user ada --role operator --scope ws:community',
    load: async () => (await people()).grantAdd,
  },
  {
    usage: 'grant rm <id>',
    about: 'Take a role away.',
    example: 'agent-runtime grant rm grnt_01hx',
    load: async () => (await people()).grantRm,
  },
  {
    usage: 'grant who [scope]',
    about: 'Who has a role there, or who may do something there.',
    options: [['--can <act>', 'only those who may do this, e.g. label.approve']],
    example: 'agent-runtime grant who ws:community --can label.approve',
    load: async () => (await people()).grantWho,
  },
  {
    usage: 'pair list',
    about: 'Outside accounts that wait to be linked.',
    example: 'agent-runtime pair list',
    load: async () => (await pair()).pairList,
  },
  {
    usage: 'pair show <code>',
    about: 'Whose code it is, before you approve it.',
    example: 'agent-runtime pair show 7K2M-…',
    load: async () => (await pair()).pairShow,
  },
  {
    usage: 'pair approve <code>',
    about: 'Link the account of this code with a person, who gets a role.',
    options: [
      ['--user <name>', 'with this person'],
      ['--role <role>', 'viewer, member, operator, admin or overlord'],
      ['--scope <scope>', '*, ws:A, ctx:A/c, …'],
      ['--create-user', 'the person is new'],
      ['--expires <instant>', 'end of the role, e.g. 2027-01-01T00:00:00Z'],
    ],
    example: 'agent-runtime pair approve 7K2M-… --user ada --role member --scope ws:community --create-user',
    load: async () => (await pair()).pairApprove,
  },
  {
    usage: 'pair deny <id>',
    about: 'Send an account away; its code ends.',
    example: 'agent-runtime pair deny pair_01hx',
    load: async () => (await pair()).pairDeny,
  },
  {
    usage: 'identity list',
    about: 'Linked outside accounts.',
    options: [['--user <name>', 'of this person']],
    example: 'agent-runtime identity list',
    load: async () => (await people()).identityList,
  },
  {
    usage: 'identity unlink <id>',
    about: 'The account is nobody again.',
    example: 'agent-runtime identity unlink idnt_01hx',
    load: async () => (await people()).identityUnlink,
  },
  {
    usage: 'key list',
    about: 'Client keys.',
    example: 'agent-runtime key list',
    load: async () => (await people()).keyList,
  },
  {
    usage: 'key revoke <id>',
    about: 'End a client key at once.',
    example: 'agent-runtime key revoke Qx3f',
    load: async () => (await people()).keyRevoke,
  },
  {
    usage: 'invite create',
    about: 'A one-time code with which one person enrols one key.',
    options: [['--user <name>', 'for this person (the first overlord)']],
    example: 'agent-runtime invite create --user ada',
    load: async () => (await people()).inviteCreate,
  },
  {
    usage: 'cert list',
    about: 'Client certificates and the CA.',
    example: 'agent-runtime cert list',
    load: async () => (await certificate()).certList,
  },
  {
    usage: 'cert revoke <serial>',
    about: 'End a client certificate at once; its key stays (`key revoke` ends that).',
    example: 'agent-runtime cert revoke 4f1c',
    load: async () => (await certificate()).certRevoke,
  },
  {
    usage: 'cert rotate-ca',
    about: 'A new CA issues from now on; clients change over when they renew.',
    options: [['--distrust-old', 'the old one is lost or stolen: everybody enrols again']],
    example: 'agent-runtime cert rotate-ca',
    load: async () => (await certificate()).certRotate,
  },
  {
    usage: 'enrol',
    about: 'Register a client key on this machine and get its certificate.',
    options: [
      ['--url <address>', 'of a runtime elsewhere: its public address'],
      ['--invite <code>', 'with this code; without one, the local socket makes it'],
      ['--user <name>', 'as this person (the first overlord)'],
      ['--force', 'replace the key that is here'],
    ],
    example: 'agent-runtime enrol --invite 7K2M-…',
    load: async () => (await people()).enrol,
  },
  {
    usage: 'token create <name>',
    about: 'A token for POST /v1/events. The secret is shown once.',
    options: [
      WORKSPACE,
      ['--role <role>', 'viewer or member (default)'],
      ['--until <instant>', 'end, e.g. 2027-01-01T00:00:00Z'],
    ],
    example: 'agent-runtime token create website --workspace community',
    load: async () => (await people()).tokenCreate,
  },
  {
    usage: 'token list',
    about: 'HTTP tokens.',
    example: 'agent-runtime token list',
    load: async () => (await people()).tokenList,
  },
  {
    usage: 'token revoke <id>',
    about: 'End a token at once.',
    example: 'agent-runtime token revoke tokn_01hx',
    load: async () => (await people()).tokenRevoke,
  },
];
