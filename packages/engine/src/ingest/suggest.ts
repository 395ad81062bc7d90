import {
  type Context,
  decide,
  oneLine,
  type Suggest,
  type Suggestion,
  type SuggestQuestion,
} from '@agent-runtime/domain';
import type { EngineDeps } from '../api.ts';
import { formText } from '../approval/index.ts';
import { policyRules } from '../effect/rules.ts';
import { pathId, visiblePaths } from '../search/index.ts';
import { isHalted } from './refuse.ts';
import { knownSkills } from './skill.ts';
import { whereabouts } from './who.ts';

/** Platforms show no more. */
const MOST = 25;
const MAX_CHARS = 100;
const MAX_TYPED = 200;
/** A person types several letters in this time; a change is seen soon after. */
const KEPT_MS = 5_000;
const MOST_PLACES = 100;

type Lists = (what: 'open' | 'run', context: Context) => Promise<readonly string[]>;

/**
 * Suggestions while a person types: nothing but what the finished command would show to this person in this place, from a list that does
 * not depend on the letters. Strangers, unbound places, panic and trouble: nothing.
 */
export function makeSuggest(deps: EngineDeps): Suggest {
  const lists = keptLists(deps);
  return async (question) => {
    try {
      return await suggest(deps, lists, question);
    } catch (error) {
      deps.log.warn({ room: 'ingest', error }, 'nothing could be suggested');
      return [];
    }
  };
}

async function suggest(
  deps: EngineDeps,
  lists: Lists,
  question: SuggestQuestion,
): Promise<readonly Suggestion[]> {
  const { principal, context } = await whereabouts(deps.store.read, { event: question });
  if (context === undefined || principal.kind !== 'user' || question.sender.isBot) return [];
  if (await isHalted(deps)) return [];
  const rules = await policyRules(deps, deps.store.read, context.id);
  if (decide({ action: 'workspace.read', principal }, rules).kind !== 'permit') return [];
  switch (question.about) {
    case 'open':
      return fitting(await lists('open', context), question.typed).map(pathSuggestion);
    case 'run':
      return fitting(await lists('run', context), question.typed).map((name) => ({
        label: name,
        value: name,
      }));
    case 'edit': {
      const text = await formText(deps, { principal, context, button: question.typed });
      return text === undefined ? [] : [{ label: text, value: text }];
    }
    default:
      question.about satisfies never;
      return [];
  }
}

/** What begins so first, then what holds it. */
function fitting(all: readonly string[], typed: string): readonly string[] {
  const wanted = typed.slice(0, MAX_TYPED).trim().toLowerCase();
  const holding = all.filter((one) => one.toLowerCase().includes(wanted));
  const beginning = holding.filter((one) => one.toLowerCase().startsWith(wanted));
  return [...beginning, ...holding.filter((one) => !beginning.includes(one))].slice(0, MOST);
}

/** A long path travels as an id; its end says most to a person. */
function pathSuggestion(path: string): Suggestion {
  const shown = oneLine(path, 300);
  const label = shown.length <= MAX_CHARS ? shown : `…${shown.slice(1 - MAX_CHARS)}`;
  return { label, value: path.length <= MAX_CHARS ? path : pathId(path) };
}

/** Lists of a few places, kept for a few seconds. */
function keptLists(deps: EngineDeps): Lists {
  const kept = new Map<string, { readonly at: number; readonly list: Promise<readonly string[]> }>();
  return (what, context) => {
    const key = JSON.stringify([what, context.workspace, context.id, context.openness]);
    const nowMs = deps.clock.nowMs();
    const known = kept.get(key);
    if (known !== undefined && nowMs - known.at < KEPT_MS && nowMs >= known.at) return known.list;
    const list =
      what === 'open'
        ? visiblePaths(deps, context)
        : knownSkills(deps, context).then((skills) => skills.map(({ name }) => name));
    kept.delete(key);
    kept.set(key, { at: nowMs, list });
    // A failed look is not kept.
    list.catch(() => kept.delete(key));
    const [oldest] = kept.keys();
    if (kept.size > MOST_PLACES && oldest !== undefined) kept.delete(oldest);
    return list;
  };
}
