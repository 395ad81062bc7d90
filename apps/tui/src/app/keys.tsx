import { type Key, useInput, usePaste } from 'ink';
import { createContext, type ReactNode, useContext, useLayoutEffect, useMemo, useRef, useState } from 'react';

/** One key. `name` is the character itself, or a word such as `up`, `enter`, `ctrl+r`. */
export interface KeyPress {
  readonly name: string;
  /** What it types, or empty. Pasted text may hold line ends. */
  readonly text: string;
}

/** @returns true when the key was for this handler; then nobody else gets it */
export type KeyHandler = (key: KeyPress) => boolean;

/** Who is asked first: a dialog above a screen, a screen above the frame. */
export const LAYERS = ['frame', 'screen', 'list', 'overlay', 'dialog'] as const;
export type Layer = (typeof LAYERS)[number];

interface Entry {
  readonly layer: Layer;
  handle: KeyHandler;
}

interface KeyHub {
  add(entry: Entry): () => void;
}

const KeyContext = createContext<KeyHub | undefined>(undefined);

/**
 * The only reader of the keyboard. Keys that arrive in one piece are handed out one by one, each after what the one before it
 * changed is on the screen: `a` opens a question, and the `y` behind it answers that question.
 */
export function KeyHost({ children }: { readonly children: ReactNode }): ReactNode {
  const entries = useRef<Entry[]>([]);
  const waiting = useRef<KeyPress[]>([]);
  const isBusy = useRef(false);
  const [handled, setHandled] = useState(0);
  const hub = useMemo<KeyHub>(
    () => ({
      add(entry) {
        entries.current.push(entry);
        return () => {
          entries.current = entries.current.filter((one) => one !== entry);
        };
      },
    }),
    [],
  );
  const give = (key: KeyPress): void => {
    for (const layer of [...LAYERS].reverse()) {
      // The newest first: a list inside a screen was there before a second one that lies upon it.
      for (const entry of [...entries.current].reverse()) {
        if (entry.layer === layer && entry.handle(key)) return;
      }
    }
  };
  const next = (): void => {
    const key = waiting.current.shift();
    isBusy.current = key !== undefined;
    if (key === undefined) return;
    give(key);
    setHandled((count) => count + 1);
  };
  const take = (keys: readonly KeyPress[]): void => {
    waiting.current.push(...keys);
    if (!isBusy.current) next();
  };
  const latestNext = useRef(next);
  latestNext.current = next;
  // INVARIANT: what a key changed is committed before the next key is handed out, else `enter` would send a text without its last letter.
  useLayoutEffect(() => {
    if (handled > 0) afterDrawing(() => latestNext.current());
  }, [handled]);
  useInput((input, key) => take(keysOf(input, key)));
  usePaste((text) => take([{ name: 'paste', text }]));
  return <KeyContext value={hub}>{children}</KeyContext>;
}

/** A deed may ask its question a turn of the loop later, and React draws it one more turn later. */
function afterDrawing(next: () => void): void {
  setImmediate(() => setImmediate(() => setImmediate(next)));
}

/** Hears keys while the component is there. */
export function useKeys(layer: Layer, handle: KeyHandler, isOn = true): void {
  const hub = useContext(KeyContext);
  const latest = useRef(handle);
  useLayoutEffect(() => {
    latest.current = handle;
  });
  useLayoutEffect(() => {
    if (!isOn || hub === undefined) return undefined;
    return hub.add({ layer, handle: (key) => latest.current(key) });
  }, [hub, layer, isOn]);
}

const NAMED: readonly (readonly [flag: keyof Key, name: string])[] = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageUp', 'pageup'],
  ['pageDown', 'pagedown'],
  ['home', 'home'],
  ['end', 'end'],
  ['return', 'enter'],
  ['escape', 'escape'],
  ['backspace', 'backspace'],
  ['delete', 'delete'],
];

const ESCAPE: KeyPress = { name: 'escape', text: '' };

/**
 * A terminal sends Alt and a key as escape and that key, as a slow line does with the two pressed one after the other. No key here
 * means anything with Alt, so they are two: who flees a question by escape and presses the next key is not held in it.
 */
function keysOf(input: string, key: Key): readonly KeyPress[] {
  const plain = plainKeysOf(input, key);
  const isArrow = plain.some(({ name }) => ARROWS.has(name));
  return key.meta && !key.escape && !isArrow ? [ESCAPE, ...plain] : plain;
}

const ARROWS: ReadonlySet<string> = new Set([
  'up',
  'down',
  'left',
  'right',
  'pageup',
  'pagedown',
  'home',
  'end',
]);

function plainKeysOf(input: string, key: Key): readonly KeyPress[] {
  if (key.tab) return [{ name: key.shift ? 'shift+tab' : 'tab', text: '' }];
  const named = NAMED.find(([flag]) => key[flag] === true);
  if (named !== undefined) return [{ name: named[1], text: '' }];
  if (key.ctrl) return [{ name: `ctrl+${input}`, text: '' }];
  return [...input].flatMap((char) => charKeys(char));
}

/** A terminal that pastes without brackets sends line ends among the characters. */
function charKeys(char: string): readonly KeyPress[] {
  if (char === '\r') return [{ name: 'enter', text: '' }];
  if (char === '\n') return [{ name: 'newline', text: '' }];
  if (char === '\t') return [{ name: 'tab', text: '' }];
  if (char === ' ') return [{ name: 'space', text: ' ' }];
  return char < ' ' ? [] : [{ name: char, text: char }];
}
