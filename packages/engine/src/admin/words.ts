import type { Json } from '@agent-runtime/domain';

/**
 * What the reason codes of policy mean, for logs that keep only the code. A test holds it complete.
 */
export const REASON_WORDS: Readonly<Record<string, string>> = {
  'policy.admin': 'Admin acts are only ever signed by a person; no model and no approval reaches them.',
  'policy.approval': 'It needs an approval that is granted and not used up.',
  'policy.approved': 'People with the role approved exactly these bytes.',
  'policy.approver': 'Whoever approved it no longer has the role.',
  'policy.cap': 'This person gave all the approvals that chat allows in a day.',
  'policy.class': 'It is of a class that this act does not know.',
  'policy.code': 'Running code needs an approval for the whole task.',
  'policy.control': 'The file steers the assistant or is owned by staff; an admin must approve the change.',
  'policy.denied-before': 'The task already met a no to such a request.',
  'policy.digest': 'The bytes are not the ones that were shown.',
  'policy.error': 'The rule could not be evaluated, and doubt means no.',
  'policy.expired': 'It came too late.',
  'policy.external': 'What leaves its origin needs an approval.',
  'policy.fetch': 'The address comes from someone who may name it.',
  'policy.fetch-ask': 'The address comes from the model; an operator must allow its host.',
  'policy.few-approvers': 'Policy wants more approvers than there are people who can approve.',
  'policy.flood': 'The task already waits for as many answers as it may.',
  'policy.flow': 'The text belongs to people who do not read there.',
  'policy.event': 'What an event of its kind may come to at most.',
  'policy.foreign': 'It holds something of another workspace.',
  'policy.gate': 'The gate is closed after a restore.',
  'policy.guest': 'The sender is not paired, and guests may not do this here.',
  'policy.guest-ask': 'Guests may ask here; their text counts as outside text.',
  'policy.guest-tool': 'Guests have only tools that read.',
  'policy.hub': 'It is about the admin hub, which is one place per connector.',
  'policy.internal': 'Internal notes of a run are allowed.',
  'policy.label': 'The text has no label, and doubt means no.',
  'policy.member': 'The role member allows starting work here.',
  'policy.memory': 'It is about memory: one’s own context’s may be written, another’s not.',
  'policy.memory-outside': 'Text from outside enters memory only when a person approves it.',
  'policy.note': 'Notes and research may be written; they keep their label.',
  'policy.origin': 'It goes back to where it came from.',
  'policy.panic': 'Panic was on.',
  'policy.path': 'Only Markdown files inside the workspace, and no hidden or climbing paths.',
  'policy.permitted': 'It was permitted when it was made, and still was.',
  'policy.person': 'Only a person can do this.',
  'policy.reach': 'It was not known whom this would reach.',
  'policy.read': 'Reading what belongs here is allowed.',
  'policy.record': 'Logs, tasks, approvals and mail are records; nobody edits them.',
  'policy.network': 'Anybody who reaches the public door may do this, and proves something else.',
  'policy.own': 'It is about the person’s own key, for which no role is needed.',
  'policy.release': 'It is about private text, which only its owner releases.',
  'policy.requester': 'It belongs to the person who asked.',
  'policy.role': 'It depends on the role of the person there.',
  'policy.scope': 'It concerns the whole appliance, and the role holds only in one place.',
  'policy.sender': 'Only the person who started a task can steer it.',
  'policy.separation': 'Where several must approve, the one who asked does not count.',
  'policy.signed': 'It needs a request signed with the person’s key.',
  'policy.sink': 'An answer only goes back to where the question came from.',
  'policy.socket': 'The local socket of the host may do this unsigned.',
  'policy.staff': 'Staff may do this here.',
  'policy.state': 'It was not in a state in which it could leave.',
  'policy.target': 'It was not clear what the call touches.',
  'policy.tool': 'The context does not allow this tool.',
  'policy.unaddressed': 'The message was not addressed to the assistant.',
  'policy.unbound': 'The place is not bound to a workspace.',
  'policy.unknown': 'Nothing is known of such an act.',
  'policy.unregistered': 'There is no such tool.',
  'policy.url': 'Only http and https addresses of named hosts can be fetched.',
  'policy.viewer': 'The role viewer allows reading what belongs here.',
  'policy.workspace-memory': 'Memory of the workspace changes only by an approved change.',
};

/** The reasons of an audit event in words. Events keep codes, texts, or both; unknown codes stay as they are. */
export function reasonTexts(value: Json | undefined): string[] {
  if (typeof value === 'string') return [REASON_WORDS[value] ?? value];
  if (!Array.isArray(value)) return [];
  return value.flatMap((reason: Json) => {
    if (typeof reason === 'string') return reasonTexts(reason);
    if (typeof reason !== 'object' || reason === null || !('text' in reason)) return [];
    return typeof reason.text === 'string' ? [reason.text] : [];
  });
}
