import { clearanceOf } from '../context/index.ts';
import { type Clearance, canFlow, capModel, ctxTag, INTEGRITY, type Label, wsTag } from '../label/index.ts';
import { classifyPath } from '../tool/index.ts';
import { askFor, type Question, type Where } from './ask.ts';
import { type Decision, deny, permit } from './decision.ts';

/** What may be written where; the class follows from the path, not from the tool. Nothing written by a model is above member. */
export function decideWrite(where: Where, path: string): Decision {
  const { context } = where;
  const label = capModel(where.label);
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
      return decideMemory(where, label);
    case 'workspace-memory':
      return askToWrite(where, {
        tier: 'low',
        approverRole: 'operator',
        code: 'policy.workspace-memory',
        text: 'Memory of the workspace changes by an approved diff.',
      });
    case 'document':
    case 'control':
      return askToWrite(where, {
        tier: 'high',
        approverRole: 'admin',
        code: 'policy.control',
        text: 'This file steers the assistant or is owned by staff; an admin must approve the diff.',
      });
    default:
      return deny('policy.path', 'Denied: the path is not known.');
  }
}

function decideMemory(where: Where, label: Label): Decision {
  const { context } = where;
  const memory: Clearance = {
    kind: 'tags',
    tags: [wsTag(context.workspace), ...tagsOf(clearanceOf(context))],
  };
  if (!canFlow(label, memory))
    return deny('policy.flow', 'Denied: the text belongs to people who do not read this memory.');
  if (label.integrity >= INTEGRITY.member)
    return permit('policy.memory', 'Memory of this context may be written.', { kind: 'store-label', label });
  return askFor(where, {
    tier: 'low',
    approverRole: 'operator',
    releasers: [],
    code: 'policy.memory-outside',
    text: 'Text from outside enters memory only when a human approves it.',
  });
}

/** A file of the whole workspace takes texts of the workspace and of this context, never private ones. */
function askToWrite(where: Where, question: Omit<Question, 'releasers'>): Decision {
  const { workspace, id } = where.context;
  const own: Clearance = { kind: 'tags', tags: [wsTag(workspace), ctxTag(workspace, id)] };
  if (!canFlow(where.label, own))
    return deny('policy.flow', 'Denied: private text does not enter files of the workspace.');
  return askFor(where, { ...question, releasers: [] });
}

function tagsOf(clearance: Clearance): readonly Label['audience'][number][] {
  return clearance.kind === 'tags' ? clearance.tags : [];
}
