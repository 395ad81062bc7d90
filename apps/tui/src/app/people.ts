import { ROLES, type Role } from '@agent-runtime/domain';
import type { App } from './context.ts';
import type { Ask } from './dialog.ts';
import { mistake } from './dialog.ts';

const ROLE_WORDS: Readonly<Record<Role, string>> = {
  viewer: 'reads',
  member: 'asks, and requests what needs approval',
  operator: 'runs the place day by day',
  admin: 'people, settings, secrets',
  overlord: 'everything',
};

/** A role, the least first. */
export function askRole(ask: Ask, title: string): Promise<Role | undefined> {
  return ask.choose({
    title,
    options: ROLES.map((value) => ({ value, about: ROLE_WORDS[value] })),
    initial: 'member',
  });
}

/** Where a role counts: a workspace, everything, or a scope typed by hand. */
export async function askScope(app: App, title: string): Promise<string | undefined> {
  const { items } = await (await app.services.connect()).call('workspace.list', {});
  const other = 'another scope';
  const chosen = await app.ask.choose({
    title,
    options: [
      ...items.map((row) => ({ value: `ws:${row.id}`, about: row.title })),
      { value: '*', about: 'everywhere' },
      { value: other, about: 'e.g. ctx:community/news' },
    ],
  });
  if (chosen !== other) return chosen;
  const typed = await app.ask.text({ title: 'Scope', hint: '*, ws:NAME or ctx:NAME/CONTEXT' });
  return typed === undefined || typed.trim() === '' ? undefined : typed.trim();
}

/** An end as an instant, from `30d`, `12h` or a date. @returns null for no end, undefined when they went back */
export async function askEnd(app: App): Promise<string | null | undefined> {
  const typed = await app.ask.text({
    title: 'Until when',
    hint: 'e.g. 30d, 12h, 2027-01-31; empty: without an end',
  });
  return typed === undefined ? undefined : endOf(typed.trim(), app.clock.nowMs());
}

/** @throws AppError tui.input.invalid */
export function endOf(typed: string, nowMs: number): string | null {
  if (typed === '') return null;
  const [, count, unit] = /^(\d{1,4})\s*([hdw])$/.exec(typed) ?? [];
  const hourMs = 3_600_000;
  const unitMs = { h: hourMs, d: 24 * hourMs, w: 168 * hourMs }[unit ?? ''];
  const at = count !== undefined && unitMs !== undefined ? nowMs + Number(count) * unitMs : Date.parse(typed);
  if (Number.isNaN(at)) throw mistake(`"${typed}" is no time. Write for example 30d, 12h or 2027-01-31.`);
  if (at <= nowMs) throw mistake(`"${typed}" is over already.`);
  return new Date(at).toISOString();
}
