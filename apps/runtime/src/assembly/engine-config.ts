import type { EngineConfig } from '@agent-runtime/engine';
import type { Config } from '../config.ts';

/** Limits of a running appliance; milliseconds. Tests of the engine bring their own. */
export function engineConfig(config: Pick<Config, 'LLM_TIMEOUT_MS'>): EngineConfig {
  return {
    maxAttempts: 4,
    llmTimeoutMs: config.LLM_TIMEOUT_MS,
    // An answer is filtered in one go, about half a second for this much: more would hold up a panic.
    llmMaxBytes: 1024 * 1024,
    // Longer than SMTP servers need after DATA is a matter of the mail connector.
    deliverTimeoutMs: 30_000,
    deliverBackoffMs: 1_000,
    deliverBackoffMaxMs: 5 * 60_000,
    deliverMaxAttempts: 12,
    sweepMs: 5_000,
    promptTokens: 24_000,
    maxPromptChars: 400_000,
  };
}
