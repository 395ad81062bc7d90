import type { ModelSettings } from '../context/index.ts';
import type { Label } from '../label/index.ts';
import { type Clearance, canFlow } from '../label/index.ts';
import type { TaskKind } from '../task/index.ts';

/** One way to reach a model. */
export interface ModelRoute {
  /** What contexts, grants and the ledger call it. */
  readonly name: string;
  /** Id of the provider adapter. */
  readonly provider: string;
  /** The provider's own name of the model. */
  readonly model: string;
  /** Kinds it serves; empty: all. */
  readonly taskKinds: readonly TaskKind[];
  /** What the provider may be shown. */
  readonly clearance: Clearance;
  /** Prompt + output, tokens. */
  readonly contextTokens: number;
  readonly maxOutputTokens: number;
  /** Price per million tokens, millionths of a US dollar; 0 when free. */
  readonly inputUsdMicrosPerMTok: number;
  readonly outputUsdMicrosPerMTok: number;
}

/** Route name -> epoch ms until which it rests after failures. */
export type Cooldowns = ReadonlyMap<string, number>;

export interface RouteRequest {
  readonly taskKind: TaskKind;
  readonly settings: ModelSettings;
  readonly label: Label;
  readonly promptTokens: number;
  readonly nowMs: number;
}

export interface RouteChoice {
  /** Best first; the later ones are fallbacks. */
  readonly candidates: readonly ModelRoute[];
  readonly rejected: readonly { readonly route: string; readonly reason: string }[];
  /** Set when every fitting route rests: epoch ms at which the first is back. */
  readonly retryAt?: number | undefined;
}

/**
 * Chooses routes: allowed by the context, serving the task kind, cleared for the label, large enough, not resting.
 * Routes made for this kind come before general ones; within that, the context's order, then the appliance's.
 * @returns no candidate rather than one that is not cleared; total
 */
export function routeModel(
  request: RouteRequest,
  routes: readonly ModelRoute[],
  cooldowns: Cooldowns,
): RouteChoice {
  const rejected: { route: string; reason: string }[] = [];
  const fitting = routes.filter((route) => {
    const reason = misfit(request, route);
    if (reason !== undefined) rejected.push({ route: route.name, reason });
    return reason === undefined;
  });
  const isResting = (route: ModelRoute): boolean => (cooldowns.get(route.name) ?? 0) > request.nowMs;
  for (const route of fitting.filter(isResting))
    rejected.push({ route: route.name, reason: 'it rests after failures' });
  const candidates = fitting
    .filter((route) => !isResting(route))
    .sort((a, b) => compareRanks(rank(request, a, routes), rank(request, b, routes)));
  const waits = fitting.filter(isResting).map((route) => cooldowns.get(route.name) ?? 0);
  return {
    candidates,
    rejected,
    retryAt: candidates.length === 0 && waits.length > 0 ? Math.min(...waits) : undefined,
  };
}

function misfit(request: RouteRequest, route: ModelRoute): string | undefined {
  const { allowed } = request.settings;
  if (allowed.length > 0 && !allowed.includes('*') && !allowed.includes(route.name))
    return 'the context does not allow it';
  if (route.taskKinds.length > 0 && !route.taskKinds.includes(request.taskKind))
    return `it does not serve ${request.taskKind}`;
  if (!canFlow(request.label, route.clearance)) return 'its provider is not cleared for this text';
  if (!(request.promptTokens < route.contextTokens)) return 'the prompt is too long for it';
  return undefined;
}

/** Made for this kind of task, place in the context's list, place in the appliance's list: the lower, the better. */
function rank(request: RouteRequest, route: ModelRoute, routes: readonly ModelRoute[]): readonly number[] {
  const byContext = request.settings.allowed.indexOf(route.name);
  return [
    route.taskKinds.length > 0 ? 0 : 1,
    byContext < 0 ? Number.MAX_SAFE_INTEGER : byContext,
    routes.indexOf(route),
  ];
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}

const COOLDOWN_BASE_MS = 5_000;
const COOLDOWN_MAX_MS = 5 * 60_000;

/** Rest after the n-th failure in a row (n >= 1), milliseconds; what the provider asked for wins when longer. */
export function cooldownMs(failuresInRow: number, retryAfterMs: number | undefined): number {
  const own = Math.min(COOLDOWN_MAX_MS, COOLDOWN_BASE_MS * 2 ** Math.max(0, Math.min(failuresInRow - 1, 16)));
  return Math.max(own, Math.min(retryAfterMs ?? 0, 60 * 60_000));
}

/** Price of a call, millionths of a US dollar, rounded up. */
export function costUsdMicros(
  route: ModelRoute,
  usage: { readonly inputTokens: number; readonly outputTokens: number },
): number {
  return Math.ceil(
    (usage.inputTokens * route.inputUsdMicrosPerMTok + usage.outputTokens * route.outputUsdMicrosPerMTok) /
      1_000_000,
  );
}
