import { existsSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';

/** Where things lie for this person on this machine. All paths are absolute. */
export interface Places {
  readonly dataDir: string;
  /** Beside data/, never inside it. */
  readonly secretsDir: string;
  /** Keys of this person, one folder per instance. */
  readonly configDir: string;
  /** The clone. */
  readonly root: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * @param root the clone that this command line belongs to; `data/` lies in it unless AGENT_RUNTIME_DATA_DIR says otherwise
 */
export function findPlaces(env: Environment, cwd: string, root: string): Places {
  const given = settingOf(env, 'AGENT_RUNTIME_DATA_DIR');
  const dataDir = given === undefined ? join(root, 'data') : absolute(given, cwd);
  const config = env.XDG_CONFIG_HOME;
  const base = config !== undefined && isAbsolute(config) ? config : join(env.HOME ?? cwd, '.config');
  return {
    dataDir,
    secretsDir: resolve(dataDir, '..', 'secrets'),
    configDir: join(base, 'agent-runtime'),
    root,
  };
}

/** No colour when the person or the place does not want it. Source: no-color.org. */
export function wantsColor(env: Environment, isTty: boolean): boolean {
  return isTty && (env.NO_COLOR === undefined || env.NO_COLOR === '') && env.TERM !== 'dumb';
}

/** Does a screen reader read what is drawn? Source: the readme of ink. */
export function wantsReader(env: Environment): boolean {
  return env.INK_SCREEN_READER === 'true' || env.INK_SCREEN_READER === '1';
}

/** The clone: the nearest folder above that holds the workspace file; source and bundle lie at different depths. */
export function findRoot(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'pnpm-workspace.yaml')) || dirname(folder) === folder) return folder;
  }
}

/** Names of settings that are set, never their values: for `doctor`. */
export function settingsGiven(env: Environment): readonly string[] {
  return Object.keys(env).filter((name) => name.startsWith('AGENT_RUNTIME_') && env[name] !== '');
}

/** The version in the clone's package.json. */
export function readVersion(root: string): string {
  const { version }: { readonly version?: unknown } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  return typeof version === 'string' ? version : 'unknown';
}

/** The path of the admin socket: where the runtime recorded it, else its usual place. */
export function socketPath(dataDir: string): string {
  const folder = join(dataDir, 'agent-runtime');
  const pointer = join(folder, 'admin.sock.path');
  return existsSync(pointer) ? readFileSync(pointer, 'utf8').trim() : join(folder, 'admin.sock');
}

/** A setting by its name or from the file that `<name>_FILE` names; an empty one is none. */
export function settingOf(env: Environment, name: string): string | undefined {
  const file = env[`${name}_FILE`];
  const value = file === undefined ? env[name] : readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  return value === '' ? undefined : value;
}

function absolute(path: string, cwd: string): string {
  return isAbsolute(path) ? path : resolve(cwd, path);
}
