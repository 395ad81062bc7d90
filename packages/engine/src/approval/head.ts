import type { AuditReader } from '@agent-runtime/domain';

/**
 * The newest point of the audit log, as approvers sign it and cards print it: whoever keeps one is a witness against a log
 * that is cut back later.
 * @returns `<seq>:<sha256:…>`
 */
export async function currentHead(audit: AuditReader): Promise<string> {
  const { seq, hash } = await audit.head();
  return `${seq}:${hash}`;
}
