import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import {
  AppError,
  type CrashPoints,
  ERROR_KINDS,
  errorEnvelope,
  toAppError,
  toPublicError,
} from '@agent-runtime/domain';
import { z } from 'zod';
import { readConfig } from '../config.ts';
import { systemClock, type TimeSource } from '../system/clock.ts';
import { systemIds } from '../system/ids.ts';
import type { World } from './world.ts';

/** The process as main.ts hands it over. */
export interface Process {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly root: string;
  readonly time: TimeSource;
  readonly random: (size: number) => Uint8Array;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly isTty: boolean;
  readonly isLogTty: boolean;
  readonly runtimeDir: string;
  readonly onSignal: (listener: (signal: string) => void) => void;
  readonly onUncaught: (listener: (thrown: unknown) => void) => void;
  readonly exit: (code: number) => never;
  /** Where a test's program lets itself be killed; the program of the product has none. */
  readonly crash?: CrashPoints;
}

const USAGE = `Usage: main.ts [command]
  up [--setup] [--json]              serve (the default); --setup makes a new instance first when there is none;
                                     --terminal: what is said goes through a pipe to a person
  setup [--yes] [--json]             make a new instance from data.example/
  rebuild [--yes] [--json]           make a lost database anew from the Markdown
  panic-on [--json]                  stop the next start of a folder that no runtime serves
  audit-verify --file F [--json]     check the audit log inside a copied database
`;

/** Runs one command. @returns the exit code: 0, or that of the error's kind */
export async function runMain(self: Process): Promise<number> {
  let isJson = self.args.includes('--json');
  try {
    const { command, options } = parse(self.args);
    isJson = options.json === true;
    if (options.help === true) {
      self.out(USAGE);
      return 0;
    }
    const world = makeWorld(self, isJson, options.terminal === true);
    return await runCommand(world, command, options);
  } catch (thrown) {
    return report(self, isJson, thrown);
  }
}

interface Options {
  readonly setup?: boolean | undefined;
  readonly yes?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly terminal?: boolean | undefined;
  readonly file?: string | undefined;
  readonly help?: boolean | undefined;
}

async function runCommand(world: World, command: string, options: Options): Promise<number> {
  // Loaded by need: a short command should not pay for a server.
  switch (command) {
    case 'up':
      return (await import('./up.ts')).up(world, { mayMakeNew: options.setup === true });
    case 'setup':
      return (await import('./setup.ts')).setup(world, { isSure: options.yes === true });
    case 'rebuild':
      return (await import('./rebuild.ts')).rebuild(world, { isSure: options.yes === true });
    case 'panic-on':
      return (await import('./panic-on.ts')).panicOn(world);
    case 'audit-verify':
      if (options.file === undefined) throw misused('audit-verify needs --file F.');
      return (await import('./audit-verify.ts')).auditVerify(world, options.file);
    default:
      throw misused(`There is no command "${command.slice(0, 40)}".`);
  }
}

function parse(args: readonly string[]): { readonly command: string; readonly options: Options } {
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        setup: { type: 'boolean' },
        yes: { type: 'boolean', short: 'y' },
        json: { type: 'boolean' },
        terminal: { type: 'boolean' },
        file: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (positionals.length > 1) throw misused(`"${positionals[1]?.slice(0, 40)}" is one word too many.`);
    return { command: positionals[0] ?? 'up', options: values };
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown;
    throw misused(thrown instanceof Error ? `${thrown.message}.` : 'These arguments make no sense.');
  }
}

function makeWorld(self: Process, isJson: boolean, isPiped: boolean): World {
  const config = readConfig(self.env, self.cwd);
  const clock = systemClock(self.time);
  const ids = systemIds(clock, self.random);
  return {
    config,
    root: self.root,
    clock,
    ids,
    crash: self.crash ?? { reach: () => undefined },
    version: readVersion(self.root),
    // Hexadecimal: it is signed, kept in the log, and must never look like a secret to the redactor.
    bootId: Buffer.from(ids.secret(144), 'base64url').toString('hex'),
    out: self.out,
    err: self.err,
    runtimeDir: self.runtimeDir,
    logFormat: config.LOG_FORMAT ?? (self.isLogTty && !isJson ? 'pretty' : 'json'),
    isTerminal: (self.isLogTty || isPiped) && !isJson,
    isJson,
    confirm: (question) => confirm(self, question),
    stopped: firstSignal(self),
    onUncaught: self.onUncaught,
    exit: self.exit,
  };
}

const packageSchema = z.object({ version: z.string() });

function readVersion(root: string): string {
  return packageSchema.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))).version;
}

/** The first signal asks to stop; a second one does not wait. */
function firstSignal(self: Process): Promise<string> {
  return new Promise((resolve) => {
    let count = 0;
    self.onSignal((signal) => {
      count += 1;
      if (count === 1) resolve(signal);
      else self.exit(130);
    });
  });
}

async function confirm(self: Process, question: string): Promise<boolean | undefined> {
  if (!self.isTty) return undefined;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

/** Says what went wrong and what to do, with --json as an envelope on standard output. */
function report(self: Process, isJson: boolean, thrown: unknown): number {
  const error = toAppError(thrown, 'this start');
  if (isJson) self.out(`${JSON.stringify(errorEnvelope(toPublicError(error)))}\n`);
  else self.err(`${error.message}\n`);
  if (error.kind === 'bug' && typeof error.detail === 'string') self.err(`${error.detail}\n`);
  return ERROR_KINDS[error.kind].exit;
}

function misused(message: string): AppError {
  return new AppError({ code: 'runtime.usage.invalid', kind: 'invalid', message: `${message}\n${USAGE}` });
}
