import { closeSync, existsSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { AppError, type Logger, type PanicSwitch, sha256 } from '@agent-runtime/domain';
import { writePrivateFile } from '../vault/index.ts';

/** One disk sector: written whole or not at all on common hardware; a torn write fails its digest and counts as on. */
const SIZE_BYTES = 512;

interface PanicState {
  readonly isOn: boolean;
  readonly by?: string | undefined;
  readonly atMs?: number | undefined;
}

/** The bytes behind a switch. */
interface PanicBytes {
  /** @throws anything when they cannot be made durable */
  write(block: Buffer): void;
  read(): Buffer | undefined;
}

export interface OpenPanicSwitch extends PanicSwitch {
  close(): void;
}

/**
 * The switch on its file, which is made at full size while there is still room, and written in place ever after.
 * @param isFresh a data folder without history: only there an absent file means off
 */
export function openPanicSwitch(
  path: string,
  options: { readonly isFresh: boolean; readonly log: Logger },
): OpenPanicSwitch {
  const file = openPanicFile(path, options.isFresh);
  let isClosed = false;
  const write = (block: Buffer): void => {
    // The number of a closed file may already stand for another one.
    if (isClosed) throw new Error('the panic file is closed');
    writeSync(file, block, 0, SIZE_BYTES, 0);
    fsyncSync(file);
  };
  const read = (): Buffer | undefined => {
    const block = Buffer.alloc(SIZE_BYTES);
    return readSync(file, block, 0, SIZE_BYTES, 0) === SIZE_BYTES ? block : undefined;
  };
  const close = (): void => {
    if (!isClosed) closeSync(file);
    isClosed = true;
  };
  return { ...makeSwitch({ read, write }, options.log), close };
}

/** @throws AppError panic.file.unavailable: without its file a panic would not survive, so nothing starts */
function openPanicFile(path: string, isFresh: boolean): number {
  try {
    if (!existsSync(path)) {
      const first: PanicState = isFresh ? { isOn: false } : { isOn: true, by: 'the panic file was gone' };
      writePrivateFile(path, encode(first).toString('latin1'));
    }
    return openSync(path, 'r+');
  } catch (cause) {
    throw new AppError({
      code: 'panic.file.unavailable',
      kind: 'unavailable',
      message: 'The panic file cannot be opened or made (is the disk full or read-only?).',
      cause,
    });
  }
}

function makeSwitch(bytes: PanicBytes, log: Logger): PanicSwitch {
  let state = decode(bytes);
  return {
    isOn: () => state.isOn,
    state: () => state,
    turnOn: (by, atMs) => {
      state = { isOn: true, by, atMs };
      try {
        bytes.write(encode(state));
      } catch (error) {
        log.error(
          { room: 'panic', error: String(error) },
          'panic is on, but could not be written: it would not survive a restart',
        );
      }
    },
    turnOff: (by, atMs) => {
      const next: PanicState = { isOn: false, by, atMs };
      try {
        bytes.write(encode(next));
      } catch (cause) {
        throw new AppError({
          code: 'panic.file.unavailable',
          kind: 'unavailable',
          message: 'Panic stays on: turning it off could not be written to the disk.',
          cause,
        });
      }
      state = next;
    },
  };
}

function encode(state: PanicState): Buffer {
  // Plain letters, at most 100: a name of any kind must not be able to outgrow the block.
  const by = state.by?.slice(0, 100).replace(/[^ -~]/g, '?');
  const text = JSON.stringify({ ...state, by });
  const block = Buffer.alloc(SIZE_BYTES, ' ');
  block.write(`${sha256(text)} ${text}`);
  return block;
}

/** Anything that is not exactly what `encode` wrote means on. */
function decode(bytes: PanicBytes): PanicState {
  const unreadable: PanicState = { isOn: true, by: 'the panic file cannot be read' };
  try {
    const text = bytes.read()?.toString('utf8').trimEnd() ?? '';
    const space = text.indexOf(' ');
    const body = text.slice(space + 1);
    if (space < 0 || sha256(body) !== text.slice(0, space)) return unreadable;
    const value: Partial<Record<keyof PanicState, unknown>> = JSON.parse(body);
    return {
      isOn: value.isOn !== false,
      ...(typeof value.by === 'string' ? { by: value.by } : {}),
      ...(typeof value.atMs === 'number' ? { atMs: value.atMs } : {}),
    };
  } catch {
    return unreadable;
  }
}
