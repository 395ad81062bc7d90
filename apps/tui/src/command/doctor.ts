import { lstatSync, readdirSync, statfsSync } from 'node:fs';
import { AppError, ERROR_KINDS, type Status } from '@agent-runtime/domain';
import type { CommandHandler, CommandRun } from '../cli/command.ts';
import { socketPath } from '../config.ts';
import { facts } from '../screen/table.ts';

/** One thing looked at: how it is, and what to do when it is not well. */
interface Finding {
  readonly name: string;
  readonly state: 'ok' | 'warning' | 'problem';
  readonly text: string;
  readonly todo?: string;
}

const NODE_MAJOR = 24;
const MIN_FREE_BYTES = 500 * 1024 * 1024;
const MAX_CLOCK_DIFFERENCE_MS = 30_000;
/** The year of this release: an earlier clock is wrong. */
const EARLIEST_PLAUSIBLE_MS = Date.UTC(2026, 0, 1);

/** Looks at this machine and the runtime. Exits with 8 when something is a problem. */
export const doctor: CommandHandler = async (run) => {
  const { status, finding } = await askRuntime(run);
  const findings = [
    node(run),
    folder(run),
    masterKey(run),
    socket(run),
    finding,
    ...(status === undefined ? [] : health(status)),
    model(run, status),
    disk(run),
    await clock(run, status !== undefined),
  ];
  run.show({ findings }, () =>
    findings
      .map(({ name, state, text, todo }) => {
        const mark = { ok: 'ok     ', warning: 'warning', problem: 'PROBLEM' }[state];
        return `${mark}  ${facts([[name.padEnd(13), todo === undefined ? text : `${text}\n-> ${todo}`]]).replaceAll('\n', '\n         ')}`;
      })
      .join('\n'),
  );
  return findings.some((one) => one.state === 'problem') ? ERROR_KINDS.unavailable.exit : 0;
};

function node({ world }: CommandRun): Finding {
  const isRight = Number(world.nodeVersion.split('.')[0]) >= NODE_MAJOR;
  return isRight
    ? { name: 'Node', state: 'ok', text: world.nodeVersion }
    : {
        name: 'Node',
        state: 'problem',
        text: world.nodeVersion,
        todo: `Start it by npm start or npx agent-runtime; they bring Node ${NODE_MAJOR}.`,
      };
}

function folder({ world }: CommandRun): Finding {
  const { dataDir } = world.places;
  const found = lstatSync(dataDir, { throwIfNoEntry: false });
  if (found === undefined)
    return {
      name: 'Data folder',
      state: 'problem',
      text: `${dataDir} is not there`,
      todo: 'agent-runtime setup',
    };
  if (!found.isDirectory()) return { name: 'Data folder', state: 'problem', text: `${dataDir} is no folder` };
  const isOpen = (found.mode & 0o007) !== 0;
  return isOpen
    ? {
        name: 'Data folder',
        state: 'warning',
        text: `${dataDir} can be entered by everyone here`,
        todo: `chmod 700 ${dataDir}`,
      }
    : { name: 'Data folder', state: 'ok', text: dataDir };
}

function masterKey({ world }: CommandRun): Finding {
  if (world.settings.some((name) => name.startsWith('AGENT_RUNTIME_MASTER_KEY')))
    return { name: 'Master key', state: 'ok', text: 'given by the environment' };
  const { secretsDir } = world.places;
  try {
    const files = readdirSync(secretsDir).filter((name) => name.includes('master'));
    const open = files.find((name) => (lstatSync(`${secretsDir}/${name}`).mode & 0o077) !== 0);
    if (open !== undefined)
      return {
        name: 'Master key',
        state: 'problem',
        text: `others can read ${secretsDir}/${open}`,
        todo: `chmod 600 ${secretsDir}/${open}`,
      };
    if (files.length > 0) return { name: 'Master key', state: 'ok', text: `in ${secretsDir}` };
  } catch {
    // No folder is the same as no key.
  }
  return {
    name: 'Master key',
    state: 'problem',
    text: `none in ${secretsDir}`,
    todo: 'agent-runtime setup, or restore it with the recovery key',
  };
}

function socket({ world }: CommandRun): Finding {
  const path = socketPath(world.places.dataDir);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return { name: 'Socket', state: 'warning', text: 'no socket', todo: 'npm start' };
  return (found.mode & 0o077) === 0
    ? { name: 'Socket', state: 'ok', text: path }
    : {
        name: 'Socket',
        state: 'problem',
        text: `${path} is open to others`,
        todo: 'Stop the runtime, remove the socket, start again.',
      };
}

async function askRuntime(
  run: CommandRun,
): Promise<{ readonly status: Status | undefined; readonly finding: Finding }> {
  try {
    const status = await (await run.client()).callUnsigned('status.read', {});
    const finding: Finding = status.ready
      ? { name: 'Runtime', state: 'ok', text: `ready, version ${status.version}` }
      : {
          name: 'Runtime',
          state: 'problem',
          text: status.reasons.join('; ') || 'not ready',
          todo: 'Look into its log.',
        };
    return { status, finding };
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    return {
      status: undefined,
      finding: { name: 'Runtime', state: 'problem', text: thrown.message, todo: 'npm start' },
    };
  }
}

function health(status: Status): readonly Finding[] {
  const findings: Finding[] = [];
  if (status.panic.on)
    findings.push({ name: 'Panic', state: 'warning', text: 'on', todo: 'agent-runtime panic off' });
  if (status.gate.closed)
    findings.push({
      name: 'Gate',
      state: 'warning',
      text: status.gate.reason ?? 'closed',
      todo: 'agent-runtime gate status',
    });
  if (status.effects_uncertain > 0)
    findings.push({
      name: 'Effects',
      state: 'warning',
      text: `${status.effects_uncertain} with an unclear outcome`,
      todo: 'agent-runtime effect list --state uncertain',
    });
  return findings;
}

function model({ world }: CommandRun, status: Status | undefined): Finding {
  const named = status?.models.filter((name) => name !== 'offline') ?? [];
  if (named.length > 0) return { name: 'Model', state: 'ok', text: named.join(', ') };
  const isGiven = world.settings.some((name) => name.startsWith('AGENT_RUNTIME_LLM_'));
  if (isGiven) return { name: 'Model', state: 'ok', text: 'set in this environment' };
  return {
    name: 'Model',
    state: 'warning',
    text: 'none: answers are quotes from the files',
    todo: 'agent-runtime secret set LLM_API_KEY < key.txt, then start again (docs/guides/models.md)',
  };
}

function disk({ world }: CommandRun): Finding {
  try {
    const { bavail, bsize } = statfsSync(world.places.dataDir);
    const free = bavail * bsize;
    const text = `${Math.round(free / 1024 / 1024)} MB free`;
    return free < MIN_FREE_BYTES
      ? { name: 'Disk', state: 'problem', text, todo: 'Make room: without it no effect can leave.' }
      : { name: 'Disk', state: 'ok', text };
  } catch {
    return { name: 'Disk', state: 'warning', text: 'could not be looked at' };
  }
}

async function clock(run: CommandRun, isUp: boolean): Promise<Finding> {
  const nowMs = run.world.nowMs();
  if (nowMs < EARLIEST_PLAUSIBLE_MS)
    return {
      name: 'Clock',
      state: 'problem',
      text: new Date(nowMs).toISOString(),
      todo: 'Set the clock of this machine.',
    };
  if (!isUp) return { name: 'Clock', state: 'ok', text: new Date(nowMs).toISOString() };
  const { server_time } = await (await run.client()).callUnsigned('hello.read', {});
  const difference = Math.abs(Date.parse(server_time) - nowMs);
  return difference > MAX_CLOCK_DIFFERENCE_MS
    ? {
        name: 'Clock',
        state: 'warning',
        text: `${Math.round(difference / 1000)} s away from the runtime's`,
        todo: 'Set one of the clocks.',
      }
    : { name: 'Clock', state: 'ok', text: new Date(nowMs).toISOString() };
}
