import { AppError, type PanicSwitch } from '@agent-runtime/domain';

export interface MemoryPanic extends PanicSwitch {
  /** While false, the disk is as good as full: turning on still works, turning off does not. */
  setPersistable(isPersistable: boolean): void;
}

/** A panic switch without a file. Shared between two engines it stands for the file that survives a restart. */
export function memoryPanic(): MemoryPanic {
  let isPersistable = true;
  let state: ReturnType<PanicSwitch['state']> = { isOn: false };
  return {
    isOn: () => state.isOn,
    state: () => state,
    turnOn: (by, atMs) => {
      state = { isOn: true, by, atMs };
    },
    turnOff: (by, atMs) => {
      if (!isPersistable) {
        throw new AppError({
          code: 'panic.file.unavailable',
          kind: 'unavailable',
          message: 'Panic stays on: its file cannot be written. Free some space and try again.',
        });
      }
      state = { isOn: false, by, atMs };
    },
    setPersistable: (value) => {
      isPersistable = value;
    },
  };
}
