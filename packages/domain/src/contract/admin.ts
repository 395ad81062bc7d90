import type { z } from 'zod';
import { ENROLMENT_ROUTES } from './admin-enrol.ts';
import { HOUSE_ROUTES } from './admin-house.ts';
import { HUB_ROUTES } from './admin-hub.ts';
import { PEOPLE_ROUTES } from './admin-people.ts';
import { PLACE_ROUTES } from './admin-place.ts';
import { WORK_ROUTES } from './admin-work.ts';

/** The whole admin API. The server serves exactly these, the command line calls exactly these. */
export const ADMIN_ROUTES = {
  ...HOUSE_ROUTES,
  ...WORK_ROUTES,
  ...PLACE_ROUTES,
  ...PEOPLE_ROUTES,
  ...HUB_ROUTES,
  ...ENROLMENT_ROUTES,
} as const;

export type AdminRouteName = keyof typeof ADMIN_ROUTES;
/** What a caller gives; defaults are filled in by the server. */
export type AdminInput<N extends AdminRouteName> = z.input<(typeof ADMIN_ROUTES)[N]['input']>;
/** What a handler gets. */
export type AdminParsed<N extends AdminRouteName> = z.output<(typeof ADMIN_ROUTES)[N]['input']>;
/** What both ends know as the answer. */
export type AdminReply<N extends AdminRouteName> = z.output<(typeof ADMIN_ROUTES)[N]['reply']>;

/** Streams (SSE), beside the table: they have no single answer. */
export const ADMIN_STREAMS = { run: '/run/:id/event', live: '/events' } as const;
