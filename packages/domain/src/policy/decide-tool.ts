import { MAX_PENDING_PER_TASK, raiseTier, type Tier } from '../approval/index.ts';
import { type Context, clearanceOf, type EffectiveSettings } from '../context/index.ts';
import { isAtLeast, type Role } from '../identity/index.ts';
import {
  type Clearance,
  canFlow,
  ctxTag,
  INTEGRITY,
  type Label,
  privateUsersOf,
  workspacesOf,
  wsTag,
} from '../label/index.ts';
import { classifyPath } from '../tool/index.ts';
import { roleHere, stopped } from './decide-task.ts';
import { ask, type Decision, deny, permit } from './decision.ts';
import type { PolicyRequest, PolicyRules } from './request.ts';

type ToolRequest = Extract<PolicyRequest, { action: 'tool.call' }>;

interface Where {
  readonly request: ToolRequest;
  readonly rules: PolicyRules;
  readonly context: Context;
  readonly settings: EffectiveSettings;
  readonly label: Label;
}

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
  const refused = refuseByRole(request, role);
  if (refused !== undefined) return refused;
  if (request.label === undefined) return deny('policy.label', 'Denied: the text has no label.');
  if (request.target === undefined)
    return deny('policy.target', 'Denied: it is not clear what this call touches.');
  return byClass({ request, rules, context, settings, label: request.label });
}

function refuseByRole(request: ToolRequest, role: Role | undefined): Decision | undefined {
  const tool = request.tool;
  if (tool === undefined) return undefined;
  if (request.principal.kind === 'guest') {
    return tool.class === 'R'
      ? undefined
      : deny(
          'policy.guest-tool',
          `${tool.name} is not available to guests. Being paired as a member allows it.`,
        );
  }
  if (isAtLeast(role, tool.minRole)) return undefined;
  return deny(
    'policy.role',
    `${tool.name} needs the role ${tool.minRole} here. An admin can grant it (\`grant add\`).`,
  );
}

function byClass(where: Where): Decision {
  const { request } = where;
  const target = request.target;
  if (target?.kind === 'file' && target.access === 'write') return decideWrite(where, target.path);
  switch (request.tool?.class) {
    case 'R':
      return decideReadTool(where);
    case 'W0':
      return permit('policy.internal', 'Internal notes of the run are allowed.', {
        kind: 'store-label',
        label: where.label,
      });
    case 'E0':
      return canFlow(where.label, clearanceOf(where.context))
        ? permit('policy.origin', 'It goes back to where it came from.')
        : deny('policy.flow', 'Denied: the text belongs to people who do not read here.');
    case 'E1':
      return decideExternal(where);
    case 'F':
      return decideFetch(where);
    case 'K':
      return askFor(
        where,
        where.request.hasNetwork === true ? 'high' : 'medium',
        'operator',
        'policy.code',
        'Running code needs an approval for the whole task.',
      );
    case 'A':
      return deny('policy.admin', 'Denied: a model can never do this. An admin can, with a signed request.');
    default:
      // W1 and W2 always name the file that they write.
      return deny('policy.target', 'Denied: a write must name one file of the workspace.');
  }
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

/** What may be written where; the class follows from the path, not from the tool. */
function decideWrite(where: Where, path: string): Decision {
  const { context, label } = where;
  const memory: Clearance = {
    kind: 'tags',
    tags: [wsTag(context.workspace), ...tagsOf(clearanceOf(context))],
  };
  if (workspacesOf(label).some((name) => name !== context.workspace))
    return deny('policy.foreign', 'Denied: the text holds something of another workspace.');
  switch (classifyPath(path, context.id)) {
    case 'forbidden':
      return deny(
        'policy.path',
        'Denied: only Markdown files inside the workspace can be written, and no hidden or climbing paths.',
      );
    case 'record':
      return deny('policy.record', 'Denied: logs, tasks, approvals and mail are records; nobody edits them.');
    case 'other-context-memory':
      return deny('policy.memory', 'Denied: the memory of another context is not yours to write.');
    case 'note':
      return permit('policy.note', 'Notes and research may be written; they keep their label.', {
        kind: 'store-label',
        label,
      });
    case 'context-memory':
      if (!canFlow(label, memory))
        return deny('policy.flow', 'Denied: the text belongs to people who do not read this memory.');
      return label.integrity >= INTEGRITY.member
        ? permit('policy.memory', 'Memory of this context may be written.', { kind: 'store-label', label })
        : askFor(
            where,
            'low',
            'operator',
            'policy.memory-outside',
            'Text from outside enters memory only when a human approves it.',
          );
    case 'workspace-memory': {
      const own: Clearance = {
        kind: 'tags',
        tags: [wsTag(context.workspace), ctxTag(context.workspace, context.id)],
      };
      if (!canFlow(label, own))
        return deny('policy.flow', 'Denied: private text does not enter the memory of a workspace.');
      return askFor(
        where,
        'low',
        'operator',
        'policy.workspace-memory',
        'Memory of the workspace changes by an approved diff.',
      );
    }
    case 'document':
    case 'control':
      if (
        !canFlow(label, {
          kind: 'tags',
          tags: [wsTag(context.workspace), ctxTag(context.workspace, context.id)],
        })
      ) {
        return deny('policy.flow', 'Denied: private text does not enter files of the workspace.');
      }
      return askFor(
        where,
        'high',
        'admin',
        'policy.control',
        'This file steers the assistant or is owned by staff; an admin must approve the diff.',
      );
    default:
      return deny('policy.path', 'Denied: the path is not known.');
  }
}

/** Anything that leaves: always asked, never with another workspace's text inside. */
function decideExternal(where: Where): Decision {
  const { context, label, request } = where;
  if (workspacesOf(label).some((name) => name !== context.workspace)) {
    return deny('policy.foreign', 'Denied: the text holds something of another workspace.');
  }
  if (request.reach === undefined)
    return deny('policy.reach', 'Denied: it is not known whom this would reach.');
  const tier = tierOf(label, request.reach);
  return askFor(
    where,
    tier,
    'operator',
    'policy.external',
    'What leaves the origin needs the approval of an operator.',
  );
}

function tierOf(label: Label, reach: NonNullable<ToolRequest['reach']>): Tier {
  if (reach.hasNewRecipient || reach.hasAttachment) return 'high';
  if (privateUsersOf(label).length > 0) return 'high';
  if (label.integrity === INTEGRITY.outside && !reach.isBackToSource) return 'high';
  return reach.isReplyToParticipants || reach.isKnownChannel ? 'medium' : 'high';
}

function decideFetch(where: Where): Decision {
  switch (where.request.urlTrust) {
    case 'typed-by-requester':
    case 'operator':
    case 'linked-on-allowed-page':
      return permit('policy.fetch', 'The address comes from someone who may name it.', {
        kind: 'store-label',
        label: { ...where.label, integrity: INTEGRITY.outside },
      });
    default:
      return askFor(
        where,
        'medium',
        'operator',
        'policy.fetch-ask',
        'The address comes from the model; an operator must allow its host.',
      );
  }
}

function askFor(where: Where, tier: Tier, approverRole: Role, code: string, text: string): Decision {
  const { request, rules, settings } = where;
  if (request.wasKindDenied)
    return deny('policy.denied-before', 'Denied: this task already met a no to such a request.');
  if (request.pendingOfTask >= MAX_PENDING_PER_TASK) {
    return deny('policy.flood', `Denied: this task already waits for ${MAX_PENDING_PER_TASK} answers.`);
  }
  const raised = raiseTier(tier, rules.tierFloors?.[request.tool?.name ?? '']);
  const wanted = raised === 'high' ? settings.approversForHigh : 1;
  const needed = Math.max(1, Math.min(wanted, rules.eligibleApprovers));
  return ask(code, text, {
    kind: 'approval',
    tier: raised,
    approverRole,
    needed,
    releasers: privateUsersOf(where.label),
  });
}

function tagsOf(clearance: Clearance): readonly Label['audience'][number][] {
  return clearance.kind === 'tags' ? clearance.tags : [];
}
