import { EventEmitter } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ManualClock, manualClock } from '@agent-runtime/testkit';
import { render } from 'ink';
import { expect } from 'vitest';
import { SCREENS } from '../screens/registry.ts';
import { Root } from './app.tsx';
import { type FakeClient, fakeClient } from './fake-client.fixture.ts';
import { START_MS } from './fake-data.fixture.ts';
import type { FakeHouse } from './fake-house.fixture.ts';
import { makeSession } from './session.ts';
import type { Theme } from './theme.ts';
import { cells } from './width.ts';

/** Generous: it only guards against hanging. */
const DEADLINE_MS = 60_000;
/** A test of a screen may take this long on a machine that is busy with other things. */
export const SCREEN_TEST = { timeout: 120_000 };
/** Ink waits this long for the rest of a key that begins with escape. */
const ESCAPE_MS = 25;
const ESCAPES = /\u001b\[[0-9;]*m/g;

/** A terminal of a given size that keeps what was drawn. */
class Screen extends EventEmitter {
  readonly isTTY = true;
  readonly frames: string[] = [];
  columns: number;
  rows: number;
  constructor(columns: number, rows: number) {
    super();
    this.columns = columns;
    this.rows = rows;
    this.setMaxListeners(0);
  }
  write = (text: string): boolean => {
    this.frames.push(text);
    this.emit('drawn');
    return true;
  };
}

class Keyboard extends EventEmitter {
  readonly isTTY = true;
  #data: string | null = null;
  constructor() {
    super();
    this.setMaxListeners(0);
  }
  type(data: string): void {
    this.#data = data;
    this.emit('readable');
  }
  read = (): string | null => {
    const data = this.#data;
    this.#data = null;
    return data;
  };
  setEncoding(): void {}
  setRawMode(): void {}
  resume(): void {}
  pause(): void {}
  ref(): void {}
  unref(): void {}
}

export interface OpenOptions {
  readonly house?: Partial<FakeHouse>;
  readonly client?: FakeClient;
  readonly columns?: number;
  readonly rows?: number;
  readonly theme?: Partial<Theme>;
  readonly start?: string;
  readonly subject?: string;
  /** Draws as on a real terminal, with all its control sequences; `raw` has them. */
  readonly isRaw?: boolean;
}

/** The app on a fake runtime, a fake terminal and a clock that stands still. */
export interface Terminal {
  readonly client: FakeClient;
  readonly clock: ManualClock;
  /** The screen as lines of text. */
  text(): string;
  /** Everything that was written, as it was. */
  raw(): string;
  /** Waits until the screen holds the text (or fits the pattern). */
  until(what: string | RegExp): Promise<string>;
  /** Waits until the text was written, after the first `from` characters of everything. */
  untilWritten(what: string, from: number): Promise<void>;
  /** Keys one after the other, each after the one before was drawn. Names: enter, escape, up, down, tab, ctrl+x. */
  press(...keys: string[]): Promise<void>;
  /** Text at once, as a fast typist or a paste without brackets. */
  type(text: string): Promise<void>;
  resize(columns: number, rows: number): void;
  close(): void;
}

const KEYS: Readonly<Record<string, string>> = {
  enter: '\r',
  escape: '\u001b',
  up: '\u001b[A',
  down: '\u001b[B',
  pagedown: '\u001b[6~',
  tab: '\t',
  backspace: '\u007f',
  space: ' ',
};

export function openTerminal(options: OpenOptions = {}): Terminal {
  const client = options.client ?? fakeClient(options.house);
  const clock = manualClock(START_MS);
  const screen = new Screen(options.columns ?? 80, options.rows ?? 24);
  const keyboard = new Keyboard();
  let made = 0;
  const services = {
    connect: async () => client,
    newKey: () => {
      made += 1;
      return `key-${String(made).padStart(8, '0')}`;
    },
    pairing: client.pairing,
  };
  const session = makeSession({ connect: services.connect, clock, wire: () => import('./wire.ts') });
  const instance = render(
    <Root
      services={services}
      session={session}
      clock={clock}
      theme={{ useColor: false, isReader: false, ...options.theme }}
      screens={SCREENS}
      start={
        options.start === undefined
          ? undefined
          : { id: options.start, ...(options.subject === undefined ? {} : { subject: options.subject }) }
      }
    />,
    {
      stdout: screen as unknown as NodeJS.WriteStream, // safe: what ink uses of it is there
      stdin: keyboard as unknown as NodeJS.ReadStream, // safe: what ink uses of it is there
      stderr: screen as unknown as NodeJS.WriteStream, // safe: what ink uses of it is there
      debug: options.isRaw !== true,
      interactive: true,
      alternateScreen: options.isRaw === true,
      incrementalRendering: options.isRaw === true,
      exitOnCtrlC: false,
      patchConsole: false,
      isScreenReaderEnabled: options.theme?.isReader ?? false,
    },
  );
  const text = (): string => (screen.frames.at(-1) ?? '').replace(ESCAPES, '').replace(/ +$/gm, '');
  const fits = (what: string | RegExp): boolean =>
    typeof what === 'string' ? text().includes(what) : what.test(text());
  const wait = async (isThere: () => boolean, what: string | RegExp): Promise<void> => {
    const deadline = Date.now() + DEADLINE_MS;
    while (!isThere()) {
      if (Date.now() > deadline) throw new Error(`never on the screen: ${String(what)}\n${text()}`);
      await settle(clock);
    }
  };
  const until = async (what: string | RegExp): Promise<string> => {
    await wait(() => fits(what), what);
    return text();
  };
  const type = async (typed: string): Promise<void> => {
    keyboard.type(typed);
    await settle(clock);
  };
  return {
    client,
    clock,
    text,
    raw: () => screen.frames.join(''),
    until,
    untilWritten: (what, from) => wait(() => screen.frames.join('').slice(from).includes(what), what),
    async press(...keys) {
      for (const key of keys) {
        await type(
          KEYS[key] ?? (key.startsWith('ctrl+') ? String.fromCharCode(key.charCodeAt(5) - 96) : key),
        );
        if (key === 'escape') await new Promise((resolve) => setTimeout(resolve, ESCAPE_MS));
        await settle(clock);
      }
    },
    type,
    resize(columns, rows) {
      screen.columns = columns;
      screen.rows = rows;
      screen.emit('resize');
    },
    close: () => instance.unmount(),
  };
}

/** Lets promises, effects and the escape timer of the keyboard run. */
async function settle(clock: ManualClock): Promise<void> {
  await clock.settle();
  await new Promise((resolve) => setTimeout(resolve, 0));
  await clock.settle();
}

/** No line is wider than the screen, and there are no more lines than rows. */
export function expectInside(terminal: Terminal, columns: number, rows: number): void {
  const lines = terminal.text().split('\n');
  expect(lines.length).toBeLessThanOrEqual(rows);
  for (const one of lines) expect(cells(one)).toBeLessThanOrEqual(columns);
}

const SCREENS_FOLDER = fileURLToPath(new URL('../../../../docs/screens/', import.meta.url));

/** Holds the screen, once it is connected, against docs/screens/<name>.txt; UPDATE_SCREENS=1 writes it anew. */
export async function expectScreen(terminal: Terminal, name: string): Promise<void> {
  await terminal.until('● online');
  const path = `${SCREENS_FOLDER}${name}.txt`;
  const text = `${terminal.text().trimEnd()}\n`;
  if (process.env.UPDATE_SCREENS === '1') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  expect(text).toBe(readFileSync(path, 'utf8'));
}
