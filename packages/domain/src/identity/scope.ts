import { AppError, isSlug, oneLine } from '../base/index.ts';

/**
 * Where a grant holds. `all` covers everything; `workspace` covers its contexts, skills and mailboxes;
 * `tool` and `model` cover that one name, wherever it is used.
 */
export type Scope =
  | { readonly kind: 'all' }
  | { readonly kind: 'workspace'; readonly workspace: string }
  | { readonly kind: 'context'; readonly workspace: string; readonly context: string }
  | { readonly kind: 'skill'; readonly workspace: string; readonly skill: string }
  | { readonly kind: 'mailbox'; readonly workspace: string; readonly mailbox: string }
  | { readonly kind: 'tool'; readonly tool: string }
  | { readonly kind: 'model'; readonly model: string };

/** Does a grant for `granted` reach `target`? */
export function covers(granted: Scope, target: Scope): boolean {
  switch (granted.kind) {
    case 'all':
      return true;
    case 'workspace':
      return 'workspace' in target && target.workspace === granted.workspace;
    case 'context':
      return (
        target.kind === 'context' &&
        target.workspace === granted.workspace &&
        target.context === granted.context
      );
    case 'skill':
      return (
        target.kind === 'skill' && target.workspace === granted.workspace && target.skill === granted.skill
      );
    case 'mailbox':
      return (
        target.kind === 'mailbox' &&
        target.workspace === granted.workspace &&
        target.mailbox === granted.mailbox
      );
    case 'tool':
      return target.kind === 'tool' && target.tool === granted.tool;
    case 'model':
      return target.kind === 'model' && target.model === granted.model;
    default: {
      const never: never = granted;
      return never;
    }
  }
}

/** `*`, `ws:A`, `ctx:A/c`, `skill:A/name`, `mailbox:A/name`, `tool:name`, `model:name`. */
export function formatScope(scope: Scope): string {
  switch (scope.kind) {
    case 'all':
      return '*';
    case 'workspace':
      return `ws:${scope.workspace}`;
    case 'context':
      return `ctx:${scope.workspace}/${scope.context}`;
    case 'skill':
      return `skill:${scope.workspace}/${scope.skill}`;
    case 'mailbox':
      return `mailbox:${scope.workspace}/${scope.mailbox}`;
    case 'tool':
      return `tool:${scope.tool}`;
    case 'model':
      return `model:${scope.model}`;
    default: {
      const never: never = scope;
      return never;
    }
  }
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,79}$/;

/** The inverse of `formatScope`. @throws AppError identity.scope.invalid */
export function parseScope(text: string): Scope {
  if (text === '*') return { kind: 'all' };
  const colon = text.indexOf(':');
  // Without a colon there is no kind: slicing at -1 would read "wsx" as kind "ws".
  const kind = colon < 0 ? '' : text.slice(0, colon);
  const rest = text.slice(colon + 1);
  const slash = rest.indexOf('/');
  const workspace = slash < 0 ? rest : rest.slice(0, slash);
  const name = slash < 0 ? '' : rest.slice(slash + 1);
  if (kind === 'ws' && isSlug(rest)) return { kind: 'workspace', workspace: rest };
  if (kind === 'ctx' && isSlug(workspace) && isSlug(name))
    return { kind: 'context', workspace, context: name };
  if (kind === 'skill' && isSlug(workspace) && isSlug(name)) return { kind: 'skill', workspace, skill: name };
  if (kind === 'mailbox' && isSlug(workspace) && isSlug(name))
    return { kind: 'mailbox', workspace, mailbox: name };
  if (kind === 'tool' && NAME.test(rest)) return { kind: 'tool', tool: rest };
  if (kind === 'model' && NAME.test(rest)) return { kind: 'model', model: rest };
  throw new AppError({
    code: 'identity.scope.invalid',
    kind: 'invalid',
    message: `"${oneLine(text, 60)}" is not a scope. Use * or ws:A, ctx:A/c, skill:A/name, mailbox:A/name, tool:name, model:name.`,
  });
}
