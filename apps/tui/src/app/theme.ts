import { createContext, useContext } from 'react';

/** What a piece of text means; the terminal's own sixteen colours say it, or no colour at all. */
export type Tone = 'good' | 'warn' | 'bad' | 'accent' | 'dim' | 'strong' | 'bar';

/** How this person's terminal wants it. */
export interface Theme {
  readonly useColor: boolean;
  /** A screen reader reads the lines: no rules, no drawings, words instead of signs. */
  readonly isReader: boolean;
}

export const ThemeContext = createContext<Theme>({ useColor: false, isReader: false });

export function useTheme(): Theme {
  return useContext(ThemeContext);
}
