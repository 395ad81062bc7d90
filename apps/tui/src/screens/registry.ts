import type { ScreenSpec } from '../app/screen.ts';
import { APPROVALS } from './approvals/approvals.tsx';
import { AUDIT } from './audit/audit.tsx';
import { CHAT } from './chat/chat.tsx';
import { CONTEXTS } from './contexts/contexts.tsx';
import { OVERVIEW } from './overview/overview.tsx';
import { PAIRINGS } from './pairings/pairings.tsx';
import { PANIC } from './panic/panic.tsx';
import { SCHEDULES } from './schedules/schedules.tsx';
import { SECRETS } from './secrets/secrets.tsx';
import { TASKS } from './tasks/tasks.tsx';
import { USERS } from './users/users.tsx';
import { WORKSPACES } from './workspaces/workspaces.tsx';

/** Every screen, one line each, in the order of the bar. The first one is where the app opens. */
export const SCREENS: readonly ScreenSpec[] = [
  OVERVIEW,
  APPROVALS,
  TASKS,
  CHAT,
  PAIRINGS,
  CONTEXTS,
  WORKSPACES,
  USERS,
  AUDIT,
  SCHEDULES,
  SECRETS,
  PANIC,
];
