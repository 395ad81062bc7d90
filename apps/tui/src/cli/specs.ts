import type { CommandSpec } from './command.ts';
import { HOUSE_COMMANDS } from './specs-house.ts';
import { PEOPLE_COMMANDS } from './specs-people.ts';
import { CONTENT_COMMANDS, PLACE_COMMANDS } from './specs-place.ts';
import { WORK_COMMANDS } from './specs-work.ts';

/** Every command. The order is the order of the guide. */
export const COMMANDS: readonly CommandSpec[] = [
  ...WORK_COMMANDS,
  ...PLACE_COMMANDS,
  ...PEOPLE_COMMANDS,
  ...CONTENT_COMMANDS,
  ...HOUSE_COMMANDS,
];
