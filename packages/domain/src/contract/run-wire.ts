import { z } from 'zod';
import { RUN_STATES, type Run } from '../task/index.ts';
import { publicErrorSchema } from './error-wire.ts';

/** `path:line` inside the workspace; the line exists. */
export const citationSchema = z.strictObject({ path: z.string(), line: z.int().min(1) });

/** State of a run as callers know it. */
export const runStatusSchema = z.enum(RUN_STATES);

/** Answer of `GET /v1/runs/:id`. */
export const runViewSchema = z.strictObject({
  run_id: z.string(),
  status: runStatusSchema,
  output: z.string().optional(),
  error: publicErrorSchema.optional(),
});
export type RunView = z.infer<typeof runViewSchema>;

/** What `ask --json` prints; also what the admin API says of a run. */
export const askResultSchema = z.strictObject({
  run_id: z.string(),
  status: runStatusSchema,
  output: z.string().optional(),
  citations: z.array(citationSchema).optional(),
  pending_approvals: z.array(z.string()).optional(),
  error: publicErrorSchema.optional(),
});
export type AskResult = z.infer<typeof askResultSchema>;

/** What a token's owner sees of its run. */
export function runView(run: Run): RunView {
  return {
    run_id: run.id,
    status: run.state,
    ...(run.output === undefined ? {} : { output: run.output }),
    ...(run.error === undefined ? {} : { error: { ...run.error } }),
  };
}

/** What the command line prints of a run. Empty lists are left out. */
export function askResult(run: Run): AskResult {
  const { citations = [], pendingApprovals } = run;
  return {
    ...runView(run),
    ...(citations.length === 0 ? {} : { citations: citations.map(({ path, line }) => ({ path, line })) }),
    ...(pendingApprovals.length === 0 ? {} : { pending_approvals: [...pendingApprovals] }),
  };
}
