import { AppError, type Clock, type Journal, type PanicSwitch, type Store } from '@agent-runtime/domain';
import { Crash, type ManualClock } from '@agent-runtime/testkit';
import type { Disk } from './simulation-moves.fixture.ts';

/**
 * One process of the appliance that may die at any point. From then on every call it makes hangs for ever, as if nobody were there: what
 * its code would still do is done by nobody.
 */
export class Mortal {
  isDead = false;
  /** Calls through its ports so far: when they stand still, nothing moves. */
  calls = 0;
  /** Points that were passed, for the count of what was covered. */
  readonly reached: string[] = [];
  #left: number | undefined;
  readonly #death = new AbortController();

  /** Dies at the n-th point from now. */
  arm(nth: number): void {
    this.#left = nth;
  }

  die(): void {
    this.isDead = true;
    this.#death.abort('dead');
  }

  /** The port of crash points. */
  reach(point: string): void {
    this.reached.push(point);
    if (this.#left !== undefined) {
      this.#left -= 1;
      if (this.#left <= 0) this.die();
    }
    if (this.isDead) throw new Crash(point);
  }

  async through<T>(act: () => Promise<T>): Promise<T> {
    if (this.isDead) return forever();
    this.calls += 1;
    try {
      return await act();
    } finally {
      this.calls += 1;
      if (this.isDead) await forever();
    }
  }

  /** The same port, used by this process: each of its methods hangs after the death. */
  port<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => this.through(async () => value.apply(target, args));
      },
    });
  }

  store(store: Store, disk: () => Disk): Store {
    const read = this.port(store.read);
    return {
      read,
      epoch: store.epoch,
      commit: (audit, body) =>
        this.through(async () => {
          if (disk() === 'full') throw diskFull();
          const value = await store.commit(audit, body);
          const first = 'action' in audit ? audit : audit[0];
          const isSigned = first.action === 'effect.perform' && first.data?.class !== 'E0';
          if (disk() === 'unsigned' && isSigned) throw unsigned();
          return value;
        }),
    };
  }

  journal(journal: Journal, disk: () => Disk): Journal {
    const port = this.port(journal);
    const writing = <A extends unknown[], R>(act: (...args: A) => Promise<R>) => {
      return (...args: A): Promise<R> =>
        this.through(async () => {
          if (disk() === 'full') throw diskFull();
          return act(...args);
        });
    };
    return {
      put: writing(journal.put),
      claim: writing(journal.claim),
      finish: writing(journal.finish),
      release: writing(journal.release),
      recover: writing(journal.recover),
      cancel: writing(journal.cancel),
      steps: (work) => port.steps(work),
      get: (work) => port.get(work),
      list: (filter) => port.list(filter),
      nextDueMs: (nowMs) => port.nextDueMs(nowMs),
    };
  }

  /** Sleeps end with the process, without waking anybody. */
  clock(clock: ManualClock): Clock {
    return {
      nowMs: clock.nowMs,
      monotonicMs: clock.monotonicMs,
      sleep: (ms, signal) => {
        const end = new AbortController();
        // With a reason, which is cheaper than the exception that is made without one.
        const stop = (): void => end.abort('stopped');
        signal?.addEventListener('abort', stop);
        this.#death.signal.addEventListener('abort', stop);
        if (signal?.aborted === true || this.isDead) stop();
        return this.through(async () => {
          await clock.sleep(ms, end.signal);
          signal?.removeEventListener('abort', stop);
          this.#death.signal.removeEventListener('abort', stop);
        });
      },
    };
  }

  panic(panic: PanicSwitch): PanicSwitch {
    return {
      isOn: panic.isOn,
      state: panic.state,
      turnOn: (by, atMs) => {
        if (!this.isDead) panic.turnOn(by, atMs);
      },
      turnOff: (by, atMs) => {
        if (!this.isDead) panic.turnOff(by, atMs);
      },
    };
  }
}

export function forever(): Promise<never> {
  return new Promise(() => {});
}

function diskFull(): AppError {
  return new AppError({
    code: 'database.disk.unavailable',
    kind: 'unavailable',
    message: 'The disk is full. Nothing was changed.',
  });
}

function unsigned(): AppError {
  return new AppError({
    code: 'audit.head.unavailable',
    kind: 'unavailable',
    message: 'The head of the log cannot be signed.',
  });
}
