import type { Readiness } from '@agent-runtime/domain';
import type { Engine } from '@agent-runtime/engine';
import type { Context } from 'hono';

/** `GET /healthz`: the process answers. Says nothing about its parts. */
export function readHealth(context: Context): Response {
  return context.json({ ok: true });
}

/** Reasons beyond the engine's own why this process should get no requests now, e.g. that it is stopping. */
export interface ReadinessDeps {
  readonly engine: Pick<Engine, 'health'>;
  readonly reasons: () => readonly string[];
}

/** `GET /readyz`: 200 when store, engine and connectors are ready, else 503 with the reasons. */
export function readReadiness(deps: ReadinessDeps, context: Context): Response {
  const health = deps.engine.health();
  const reasons = [...health.reasons, ...deps.reasons()];
  const readiness: Readiness = { ready: health.isReady && reasons.length === 0, reasons };
  return context.json(readiness, readiness.ready ? 200 : 503);
}
