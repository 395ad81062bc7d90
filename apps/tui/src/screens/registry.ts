import type { ScreenSpec } from '../app/screen.ts';
import { OVERVIEW } from './overview/overview.tsx';

/** Every screen, one line each, in the order of the bar. The first one is where the app opens. */
export const SCREENS: readonly ScreenSpec[] = [OVERVIEW];
