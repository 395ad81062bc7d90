import type { CrashPoints } from '@agent-runtime/domain';

/** What a simulated death throws. It is no AppError: nothing in the product may expect it. */
export class Crash extends Error {
  readonly point: string;
  constructor(point: string) {
    super(`crashed at ${point}`);
    this.name = 'Crash';
    this.point = point;
  }
}

export interface RecordedCrashPoints extends CrashPoints {
  /** Names in the order in which they were reached. */
  readonly reached: readonly string[];
}

export interface ThrowingCrashPoints extends RecordedCrashPoints {
  readonly hasCrashed: boolean;
}

/** Names end with `*` to match everything that begins so, e.g. `commit.after:*`. */
function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/** Ways to die, or not. */
export const crashPoints = {
  /** Never dies. */
  none: (): CrashPoints => ({ reach: () => {} }),

  /** Never dies, but knows every place it passed: the list to enumerate. */
  record: (): RecordedCrashPoints => {
    const reached: string[] = [];
    return { reach: (name) => void reached.push(name), reached };
  },

  /**
   * Throws `Crash` at the n-th time a name is reached, and at every point after it: a dead process does nothing more.
   * @param name a name, or a beginning followed by `*`
   * @param nth  from 1
   */
  throwAt: (name: string, nth = 1): ThrowingCrashPoints => {
    const reached: string[] = [];
    let seen = 0;
    let hasCrashed = false;
    return {
      reach: (point) => {
        reached.push(point);
        if (!hasCrashed && matches(name, point)) {
          seen += 1;
          hasCrashed = seen >= nth;
        }
        if (hasCrashed) throw new Crash(point);
      },
      reached,
      get hasCrashed() {
        return hasCrashed;
      },
    };
  },

  /** Kills this process with SIGKILL at the n-th time; for child processes of a test. */
  killAt: (name: string, nth = 1): CrashPoints => {
    let seen = 0;
    return {
      reach: (point) => {
        if (!matches(name, point)) return;
        seen += 1;
        if (seen >= nth) process.kill(process.pid, 'SIGKILL');
      },
    };
  },

  /**
   * For child processes: `TESTKIT_CRASH_AT=<name>` or `<name>#<nth>` kills there; without it nothing happens.
   * @param env the environment of the child
   */
  fromEnv: (env: Readonly<Record<string, string | undefined>>): CrashPoints => {
    const wanted = env.TESTKIT_CRASH_AT ?? '';
    if (wanted === '') return crashPoints.none();
    const [name = '', nth = '1'] = wanted.split('#');
    return crashPoints.killAt(name, Number(nth));
  },
} as const;
