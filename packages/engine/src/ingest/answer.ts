import {
  AppError,
  decide,
  personOf,
  principalKey,
  type Role,
  type Run,
  roleOfPrincipal,
  type StoreReader,
  type UserId,
} from '@agent-runtime/domain';
import type { Actor, Engine, EngineDeps } from '../api.ts';
import { policyRules } from '../effect/index.ts';
import { askForHub, describeHubEnd } from '../hub/request.ts';
import { openPath, pathOfId, searchWorkspace } from '../search/index.ts';
import { type Answer, type Asker, said } from './asker.ts';
import { type ChatCommand, helpLines } from './command.ts';
import { endConversation } from './conversation.ts';
import { findApproval, shownInHub } from './find-approval.ts';
import { isWords } from './passing.ts';
import { rebindDirect } from './rebind.ts';
import { fits, unclear } from './short-id.ts';
import { runSkill } from './skill.ts';

/** Orders that commands give; they bypass the queue. */
export type Orders = Pick<Engine, 'abort' | 'steer' | 'approve' | 'deny' | 'edit' | 'withdraw' | 'panicOn'>;

/**
 * Carries out a command of chat. Refusals and mistakes are answers, in words that say who can allow it.
 * @throws AppError of kind bug, or what passes by itself
 */
export async function answerCommand(
  deps: EngineDeps,
  orders: Orders,
  asker: Asker,
  command: ChatCommand,
): Promise<Answer> {
  try {
    return await carryOut(deps, orders, asker, command);
  } catch (thrown) {
    if (!isWords(thrown)) throw thrown;
    return said(thrown.message);
  }
}

async function carryOut(
  deps: EngineDeps,
  orders: Orders,
  asker: Asker,
  command: ChatCommand,
): Promise<Answer> {
  const actor: Actor = { principal: asker.principal, via: 'chat' };
  const { rest } = command;
  switch (command.name) {
    case 'help':
      return said(await describeCommands(deps, asker));
    case 'start':
      return said('Ask me something, or mention me in a group. /help lists what I can do.');
    case 'whoami':
      return said(await describeAsker(deps, asker));
    case 'pair':
      return said(await describePairing(deps, asker));
    case 'status':
      await assertMayRead(deps, asker);
      return said(await describeStatus(deps, asker));
    case 'search':
      return search(deps, asker, rest);
    case 'open':
      return open(deps, asker, rest);
    case 'run':
      await assertMayRead(deps, asker);
      return runSkill(deps, asker.context, rest);
    case 'workspace':
      return rebindDirect(deps, asker, rest);
    case 'new':
    case 'reset':
      return startAfresh(deps, asker);
    case 'approve':
      return approve(deps, orders, actor, asker, rest);
    case 'deny': {
      const [id = '', ...reason] = rest.split(/\s+/);
      const approval = await findApproval(deps.store.read, asker.context, id, 'deny');
      await orders.deny(approval.id, reason.join(' '), actor);
      return said(`Denied ${approval.id}.`);
    }
    case 'withdraw': {
      const approval = await findApproval(deps.store.read, asker.context, rest, 'withdraw');
      await orders.withdraw(approval.id, actor);
      return said(`Withdrawn: ${approval.id}.`);
    }
    case 'abort': {
      const run = await findRun(deps, asker, rest);
      const ended = await orders.abort(run.id, actor);
      return said(`${run.id} is ${ended.state}.`);
    }
    case 'steer': {
      const run = await ownRun(deps, asker);
      await orders.steer(run.id, rest, actor, asker.event);
      return said(`Added to ${run.id}.`);
    }
    case 'panic':
      return panic(deps, orders, actor, rest);
    case 'hub':
      return said(await askForHub(deps, asker.context, asker.principal));
    case 'admin_channel':
      return said(await adminChannel(deps, asker, rest));
    case 'task':
      throw new AppError({
        code: 'ingest.command.invalid',
        kind: 'invalid',
        message: 'Say what to do: /task TEXT.',
      });
    default: {
      const never: never = command.name;
      return never;
    }
  }
}

async function approve(
  deps: EngineDeps,
  orders: Orders,
  actor: Actor,
  asker: Asker,
  id: string,
): Promise<Answer> {
  const approval = await findApproval(deps.store.read, asker.context, id, 'approve');
  await orders.approve(approval.id, approval.digest, actor);
  return said(`Approved ${approval.id}.`);
}

async function search(deps: EngineDeps, asker: Asker, text: string): Promise<Answer> {
  if (text === '')
    throw new AppError({
      code: 'ingest.command.invalid',
      kind: 'invalid',
      message: 'Say what to look for: /search QUERY.',
    });
  await assertMayRead(deps, asker);
  const found = await searchWorkspace(deps, asker.context, { text, limit: 5 }, new AbortController().signal);
  if (found.hits.length === 0) return said('Nothing found here.');
  const blocks = found.hits.map((hit) => `${hit.path}:${hit.line}\n${hit.snippet.trim().slice(0, 400)}`);
  return { text: blocks.join('\n\n'), label: found.label };
}

const MAX_OPEN_LINES = 60;

async function open(deps: EngineDeps, asker: Asker, path: string): Promise<Answer> {
  await assertMayRead(deps, asker);
  const opened = await openPath(deps, asker.context, await pathOfId(deps, asker.context, path));
  const lines = opened.text.split('\n');
  const rest =
    lines.length > MAX_OPEN_LINES
      ? `\n… /open ${opened.path}:${opened.fromLine + MAX_OPEN_LINES}-${opened.toLine}`
      : '';
  return {
    text: `${opened.path}:${opened.fromLine}\n${lines.slice(0, MAX_OPEN_LINES).join('\n')}${rest}`,
    label: opened.label,
  };
}

async function assertMayRead(deps: EngineDeps, asker: Asker): Promise<void> {
  const rules = await policyRules(deps, deps.store.read, asker.context.id);
  const decision = decide({ action: 'workspace.read', principal: asker.principal }, rules);
  if (decision.kind === 'permit') return;
  throw new AppError({
    code: 'ingest.read.denied',
    kind: 'denied',
    message: decision.reasons.map((reason) => reason.text).join(' '),
  });
}

async function startAfresh(deps: EngineDeps, asker: Asker): Promise<Answer> {
  const { context, principal, conversationKey } = asker;
  // Strangers may ask here; the conversation that others are in is not theirs to end.
  if (principal.kind === 'guest')
    return said('Only people who are paired here can begin a fresh conversation.');
  const rules = await policyRules(deps, deps.store.read, context.id);
  const decision = decide({ action: 'task.create', principal, door: 'chat', isAddressed: true }, rules);
  if (decision.kind !== 'permit') return said(decision.reasons.map((reason) => reason.text).join(' '));
  const audit = {
    action: 'context.rotate',
    actor: principalKey(principal),
    subject: context.id,
    workspace: context.workspace,
    context: context.id,
  };
  await deps.store.commit(audit, (tx) => endConversation(tx, context, conversationKey));
  return said('A fresh conversation begins with your next message.');
}

async function panic(deps: EngineDeps, orders: Orders, actor: Actor, word: string): Promise<Answer> {
  if (word === 'status')
    return said(deps.panic.isOn() ? 'Panic is on: nothing runs and nothing is sent.' : 'Panic is off.');
  if (word !== 'on')
    return said(
      'Say /panic on or /panic status. Panic ends only by a signed request: agent-runtime panic off.',
    );
  await orders.panicOn(actor);
  return said('Panic is on: nothing runs and nothing is sent.');
}

async function adminChannel(deps: EngineDeps, asker: Asker, word: string): Promise<string> {
  if (word === 'enable') return askForHub(deps, asker.context, asker.principal);
  return word === 'disable'
    ? describeHubEnd(deps, asker.context, asker.principal)
    : 'Say /admin_channel enable or /admin_channel disable.';
}

async function describeCommands(deps: EngineDeps, asker: Asker): Promise<string> {
  const { context } = asker;
  return helpLines({
    role: await roleHere(deps, asker),
    isDirect: context.directWith !== undefined,
  }).join('\n');
}

async function roleHere(deps: EngineDeps, { principal, context }: Asker): Promise<Role | undefined> {
  const { grants, nowMs } = await policyRules(deps, deps.store.read, context.id);
  const here = { kind: 'context', workspace: context.workspace, context: context.id } as const;
  return roleOfPrincipal(principal, here, grants, nowMs);
}

async function describeAsker(deps: EngineDeps, asker: Asker): Promise<string> {
  const { principal, context } = asker;
  const person = personOf(principal);
  if (person === undefined)
    return `You are a guest here. Your id on this platform is ${principal.kind === 'guest' ? principal.sender : 'unknown'}.`;
  const user = await deps.store.read.get('identity_user', { id: person });
  const role = await roleHere(deps, asker);
  return `You are ${user?.name ?? person}, ${role ?? 'without a role'} in ${context.workspace}/${context.id}.`;
}

async function describePairing(deps: EngineDeps, asker: Asker): Promise<string> {
  const { principal } = asker;
  return principal.kind === 'user'
    ? pairedAs(deps.store.read, principal.user)
    : 'A code is only told in a direct talk. Send me "pair" as a direct message.';
}

/** The short name: people choose their full name themselves. */
export async function pairedAs(reader: StoreReader, id: UserId): Promise<string> {
  const user = await reader.get('identity_user', { id });
  return `You are paired as ${user?.name ?? id}.`;
}

async function describeStatus(deps: EngineDeps, asker: Asker): Promise<string> {
  const { id } = asker.context;
  const { read } = deps.store;
  const running = await read.count('run', { context: id, state: { in: ['running', 'aborting'] } });
  const queued = await read.count('run', { context: id, state: 'queued' });
  const own = await read.find(
    'approval',
    { context: id, state: 'pending' },
    { orderBy: 'createdAt', limit: 10 },
  );
  const elsewhere = (await shownInHub(read, asker.context)).filter((one) => one.state === 'pending');
  const pending = [...own, ...elsewhere].slice(0, 10);
  const lines = [
    `${running} running, ${queued} waiting, ${pending.length} to approve.`,
    ...pending.map((one) => `${one.id} (${one.tier})`),
  ];
  if (deps.panic.isOn()) lines.unshift('Panic is on.');
  return lines.join('\n');
}

async function findRun(deps: EngineDeps, asker: Asker, text: string): Promise<Run> {
  if (text === '') return ownRun(deps, asker);
  const open = await deps.store.read.find('run', {
    context: asker.context.id,
    state: { in: ['queued', 'running', 'aborting'] },
  });
  const fitting = open.filter((one) => fits(one.id, text) || fits(one.task, text));
  const [only] = fitting;
  if (fitting.length === 1 && only !== undefined) return only;
  throw unclear(
    'run',
    text,
    fitting.map((one) => one.id),
  );
}

/** The newest unfinished run that this person started here. */
async function ownRun(deps: EngineDeps, asker: Asker): Promise<Run> {
  const open = await deps.store.read.find(
    'run',
    { context: asker.context.id, state: { in: ['queued', 'running'] } },
    { orderBy: 'createdAt', direction: 'desc' },
  );
  for (const run of open) {
    const task = await deps.store.read.get('task', { id: run.task });
    if (task !== undefined && principalKey(task.requester) === principalKey(asker.principal)) return run;
  }
  throw new AppError({
    code: 'ingest.run.missing',
    kind: 'missing',
    message: 'You have nothing running here.',
  });
}
