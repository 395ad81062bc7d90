import type { Tier } from '../approval/index.ts';
import { clearanceOf, type EffectiveSettings } from '../context/index.ts';
import { isAtLeast, type Role } from '../identity/index.ts';
import {
  canFlow,
  capModel,
  INTEGRITY,
  isLabel,
  type Label,
  privateUsersOf,
  workspacesOf,
} from '../label/index.ts';
import { classifyPath, isFetchableUrl } from '../tool/index.ts';
import { askFor, type ToolRequest, type Where } from './ask.ts';
import { roleHere, stopped } from './decide-task.ts';
import { decideWrite } from './decide-write.ts';
import { type Decision, deny, permit } from './decision.ts';
import type { PolicyRules } from './request.ts';

/** May a run do this? Order: registered? -> grants -> hard denies -> rule of the class. */
export function decideTool(request: ToolRequest, rules: PolicyRules): Decision {
  const halt = stopped(rules);
  if (halt !== undefined) return halt;
  const { context, settings } = rules;
  if (context === undefined || settings === undefined)
    return deny('policy.unbound', 'This place is not bound to a workspace.');
  const { tool } = request;
  if (tool === undefined) return deny('policy.unregistered', 'There is no such tool.');
  if (!settings.tools.includes('*') && !settings.tools.includes(tool.name)) {
    return deny(
      'policy.tool',
      `${tool.name} is not allowed in this context. An admin can allow it (\`context set ${context.id} --tools …\`).`,
    );
  }
  const role = request.principal.kind === 'guest' ? undefined : roleHere(request.principal, context, rules);
  const refused = refuseByRole(request, role, settings);
  if (refused !== undefined) return refused;
  if (!isLabel(request.label)) return deny('policy.label', 'Denied: the text has no label.');
  if (request.target === undefined)
    return deny('policy.target', 'Denied: it is not clear what this call touches.');
  const where: Where = { request, rules, context, settings, label: request.label };
  return hardDenies(where) ?? byClass(where);
}

/** What no class and no approval can allow. */
function hardDenies({ request, context, label }: Where): Decision | undefined {
  const { tool, target } = request;
  if (tool?.class === 'A')
    return deny('policy.admin', 'Denied: a model can never do this. An admin can, with a signed request.');
  if (workspacesOf(label).some((name) => name !== context.workspace))
    return deny('policy.foreign', 'Denied: the text holds something of another workspace.');
  const isWrite = target?.kind === 'file' && target.access !== 'read';
  if (isWrite !== (tool?.class === 'W1' || tool?.class === 'W2') && !(isWrite && tool?.class === 'W0'))
    return deny(
      'policy.target',
      'Denied: a tool that writes names one file, and no other tool writes files.',
    );
  return undefined;
}

function refuseByRole(
  request: ToolRequest,
  role: Role | undefined,
  settings: EffectiveSettings,
): Decision | undefined {
  const tool = request.tool;
  if (tool === undefined) return undefined;
  if (request.principal.kind === 'guest') {
    return tool.class === 'R' && settings.guests === 'ask'
      ? undefined
      : deny(
          'policy.guest-tool',
          `${tool.name} is not available to guests. Being paired as a member allows it.`,
        );
  }
  // A run needs a member at every step, not only when it starts.
  if (isAtLeast(role, 'member') && isAtLeast(role, tool.minRole)) return undefined;
  return deny(
    'policy.role',
    `${tool.name} needs the role ${isAtLeast(tool.minRole, 'member') ? tool.minRole : 'member'} here. An admin can grant it (\`grant add\`).`,
  );
}

function byClass(where: Where): Decision {
  const { request } = where;
  const target = request.target;
  if (target?.kind === 'file' && target.access !== 'read') return decideWrite(where, target.path);
  switch (request.tool?.class) {
    case 'R':
      return decideReadTool(where);
    case 'W0':
      return permit('policy.internal', 'Internal notes of the run are allowed.', {
        kind: 'store-label',
        label: capModel(where.label),
      });
    case 'E0':
      return isOriginTarget(where) && canFlow(where.label, clearanceOf(where.context))
        ? permit('policy.origin', 'It goes back to where it came from.')
        : deny('policy.flow', 'Denied: the text belongs to people who do not read here.');
    case 'E1':
      return decideExternal(where);
    case 'F':
      return decideFetch(where);
    case 'K':
      return decideCode(where);
    default:
      // W1 and W2 name a file and never come here; what else does is no class that we know.
      return deny('policy.class', 'Denied: nothing is known of this class of tools.');
  }
}

/** Does the message go back to the very place where the question came from? */
function isOriginTarget({ request, context }: Where): boolean {
  const { target } = request;
  return (
    target?.kind === 'message' && target.connector === context.connector && target.channel === context.channel
  );
}

/** One approval for the whole task. Code that may reach the network can carry text out, so that its owners are asked as well. */
function decideCode(where: Where): Decision {
  const isOffline = where.request.hasNetwork === false;
  return askFor(where, {
    tier: isOffline ? 'medium' : 'high',
    approverRole: 'operator',
    releasers: isOffline ? [] : privateUsersOf(where.label),
    code: 'policy.code',
    text: 'Running code needs an approval for the whole task.',
  });
}

function decideReadTool(where: Where): Decision {
  const target = where.request.target;
  if (target?.kind === 'url' || target?.kind === 'message')
    return deny('policy.target', 'Denied: a read stays inside the workspace.');
  if (target?.kind === 'file' && classifyPath(target.path, where.context.id) === 'forbidden') {
    return deny('policy.path', 'Denied: only Markdown files inside the workspace can be read.');
  }
  return permit('policy.read', 'Reading what belongs here is allowed.', {
    kind: 'filter',
    clearance: clearanceOf(where.context),
  });
}

/** Anything that leaves: always asked, never with another workspace's text inside. */
function decideExternal(where: Where): Decision {
  const { label, request } = where;
  if (request.reach === undefined)
    return deny('policy.reach', 'Denied: it is not known whom this would reach.');
  return askFor(where, {
    tier: tierOf(label, request.reach),
    approverRole: 'operator',
    releasers: privateUsersOf(label),
    code: 'policy.external',
    text: 'What leaves the origin needs the approval of an operator.',
  });
}

/** Each fact must be known to lower the risk; an unknown one counts as the worse. */
function tierOf(label: Label, reach: NonNullable<ToolRequest['reach']>): Tier {
  if (reach.hasNewRecipient !== false || reach.hasAttachment !== false) return 'high';
  if (privateUsersOf(label).length > 0) return 'high';
  if (label.integrity === INTEGRITY.outside && reach.isBackToSource !== true) return 'high';
  return reach.isReplyToParticipants === true || reach.isKnownChannel === true ? 'medium' : 'high';
}

/** Links of fetched pages that a task may follow by itself: at most this many choices can carry something out. */
export const MAX_LINKS_PER_TASK = 20;

function decideFetch(where: Where): Decision {
  const { target, urlTrust, linksFollowedOfTask = MAX_LINKS_PER_TASK } = where.request;
  if (target?.kind !== 'url' || !isFetchableUrl(target.url, urlTrust === 'operator'))
    return deny('policy.url', 'Denied: only http and https addresses of named hosts can be fetched.');
  const isTrusted =
    urlTrust === 'typed-by-requester' ||
    urlTrust === 'operator' ||
    (urlTrust === 'linked-on-allowed-page' && linksFollowedOfTask < MAX_LINKS_PER_TASK);
  if (isTrusted) {
    return permit('policy.fetch', 'The address comes from someone who may name it.', {
      kind: 'store-label',
      label: { ...where.label, integrity: INTEGRITY.outside },
    });
  }
  const releasers = privateUsersOf(where.label);
  return askFor(where, {
    tier: releasers.length > 0 ? 'high' : 'medium',
    approverRole: 'operator',
    releasers,
    code: 'policy.fetch-ask',
    text: 'The address comes from the model; an operator must allow its host.',
  });
}
