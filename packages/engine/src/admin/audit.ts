import {
  type AuditEvent,
  type AuditRow,
  type Context,
  type Digest,
  EXTENSION_LINKS,
  type Explanation,
  ID_PREFIXES,
  recordDigest,
  type Scope,
  toInstant,
} from '@agent-runtime/domain';
import type { Actor } from '../api.ts';
import {
  contextScope,
  demand,
  EVERYTHING,
  isOthersDirect,
  type Viewer,
  viewerOf,
  workspaceScope,
} from './authorize.ts';
import type { AdminDeps, AdminPart } from './deps.ts';
import { signedViewer } from './effect.ts';
import { findById, missing } from './find.ts';
import { verifyLog } from './verify-log.ts';
import { reasonTexts } from './words.ts';

const PAGE = 200;
const MAX_PAGES = 25;

/** The log as people may read it: only what happened where they are staff. */
export const AUDIT: AdminPart<'audit.tail' | 'audit.verify' | 'audit.extension' | 'explain.id'> = {
  'audit.tail': async (deps, actor, { limit, subject, action, before_seq: from }) => {
    const viewer = await viewerOf(deps, actor);
    await demandSomewhere(deps, viewer, 'audit.read');
    const contexts = await contextsById(deps);
    const filter = {
      ...(subject === undefined ? {} : { subject }),
      ...(action === undefined ? {} : { action }),
    };
    const items: AuditRow[] = [];
    let beforeSeq: number | undefined = from;
    for (let page = 0; page < MAX_PAGES && items.length < limit; page += 1) {
      const events = await deps.audit.tail(PAGE, beforeSeq === undefined ? filter : { ...filter, beforeSeq });
      for (const event of events) {
        if (items.length < limit && viewer.may('audit.read', scopeOfEvent(event)))
          items.push(auditRow(event, viewer, contexts));
      }
      beforeSeq = events.at(-1)?.seq;
      if (events.length < PAGE || beforeSeq === undefined) break;
    }
    return { items };
  },
  'audit.verify': async (deps, actor) => {
    await demand(deps, await viewerOf(deps, actor), 'audit.read', EVERYTHING);
    return verifyLog({ log: deps.auditCheck, reader: deps.audit, check: deps.keys.kept });
  },
  'audit.extension': async (deps, actor, { after }) => {
    // Any person, whatever they may read: digests say that a record stands there, and nothing of what it says.
    await signedViewer(deps, actor);
    const { checkpoint, publicKeyPem } = await deps.auditCheck.signedHead();
    const { seq, hash, at, keyId, signature } = checkpoint;
    return {
      public_key: publicKeyPem,
      checkpoint: { seq, hash, at, key_id: keyId, signature },
      links: after === undefined ? [] : await linksBetween(deps, after, seq),
    };
  },
  'explain.id': explain,
};

/** Digests of the records after one, up to a signed head; the asker adds them up, so nothing of it has to be believed. */
async function linksBetween(deps: AdminDeps, after: number, last: number): Promise<Digest[]> {
  const limit = Math.min(EXTENSION_LINKS, last - after);
  if (limit <= 0) return [];
  const events = await deps.audit.tail(limit, { beforeSeq: after + limit + 1 });
  return events.map(recordDigest).reverse();
}

/** All that was decided and done about one id, and about the approval or effect that belongs to it. */
async function explain(deps: AdminDeps, actor: Actor, input: { readonly id: string }): Promise<Explanation> {
  const viewer = await viewerOf(deps, actor);
  await demandSomewhere(deps, viewer, 'policy.explain');
  const id = await fullId(deps, viewer, input.id);
  const subjects = [id, ...(await relatedTo(deps, id))];
  const events: AuditEvent[] = [];
  for (const subject of subjects) events.push(...(await deps.audit.tail(PAGE, { subject })));
  const visible = events
    .filter((event) => viewer.may('policy.explain', scopeOfEvent(event)))
    .sort((a, b) => a.seq - b.seq);
  if (visible.length === 0) throw missing('record about', input.id);
  return {
    id,
    events: visible.map((event) => ({
      seq: event.seq,
      at: toInstant(event.at),
      action: event.action,
      actor: event.actor,
      decision: typeof event.data.decision === 'string' ? event.data.decision : undefined,
      reasons: reasonTexts(event.data.reasons ?? event.data.reason),
    })),
  };
}

/** An id as it stands in the log; beginnings are completed where the noun is known. */
async function fullId(deps: AdminDeps, viewer: Viewer, text: string): Promise<string> {
  const tables = ['task', 'run', 'effect', 'approval'] as const;
  const noun = tables.find((name) => text.startsWith(`${ID_PREFIXES[name]}_`));
  if (noun === undefined) return text;
  const row = await findById(deps.store.read, {
    table: noun,
    noun,
    text,
    isVisible: ({ workspace, context }) => viewer.may('policy.explain', contextScope({ workspace, context })),
  });
  return row.id;
}

async function relatedTo(deps: AdminDeps, id: string): Promise<readonly string[]> {
  const { read } = deps.store;
  // safe: only compared with ids in the tables
  const effect = await read.get('effect', { id: id as never });
  if (effect?.approval !== undefined) return [effect.approval];
  const approval = await read.get('approval', { id: id as never });
  if (approval !== undefined) return [approval.effect];
  const run = await read.get('run', { id: id as never });
  const task = await read.get('task', { id: run?.task ?? (id as never) });
  if (task === undefined) return [];
  const runs = run === undefined ? await read.find('run', { task: task.id }) : [];
  // Whether a task may begin is decided at the door, under the name that the event has outside.
  const events = await read.find('ingest_event', { task: task.id });
  return [...runs.map((one) => one.id), ...events.map((event) => `${event.source}:${event.externalId}`)];
}

/** Staff of one context may read what happened there, so a role anywhere is enough to ask; each event is checked on its own. */
async function demandSomewhere(
  deps: AdminDeps,
  viewer: Viewer,
  verb: 'audit.read' | 'policy.explain',
): Promise<void> {
  const contexts = await deps.store.read.find('context', {});
  const workspaces = await deps.store.read.find('workspace', {});
  const isStaffSomewhere =
    workspaces.some((workspace) => viewer.may(verb, workspaceScope(workspace.id))) ||
    contexts.some((context) =>
      viewer.may(verb, contextScope({ workspace: context.workspace, context: context.id })),
    );
  if (!isStaffSomewhere) await demand(deps, viewer, verb, EVERYTHING);
}

async function contextsById(deps: AdminDeps): Promise<ReadonlyMap<string, Context>> {
  return new Map((await deps.store.read.find('context', {})).map((context) => [context.id, context]));
}

function scopeOfEvent(event: AuditEvent): Scope {
  if (event.workspace === undefined) return EVERYTHING;
  return event.context === undefined
    ? workspaceScope(event.workspace)
    : contextScope({ workspace: event.workspace, context: event.context });
}

function auditRow(event: AuditEvent, viewer: Viewer, contexts: ReadonlyMap<string, Context>): AuditRow {
  const context = event.context === undefined ? undefined : contexts.get(event.context);
  return {
    seq: event.seq,
    at: toInstant(event.at),
    action: event.action,
    actor: event.actor,
    subject: event.subject,
    workspace: event.workspace,
    context: event.context,
    // What was said in somebody's direct talk stays theirs, also where the log keeps content.
    data: isOthersDirect(viewer, context) ? {} : dataOf(event),
    hash: event.hash,
  };
}

function dataOf(event: AuditEvent): AuditRow['data'] {
  return JSON.parse(JSON.stringify(event.data)); // safe: JSON by type; the copy drops undefined members
}
