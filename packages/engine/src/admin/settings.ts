import type {
  BudgetSettings,
  ContextPatch,
  ContextSettings,
  ModelSettings,
  QueueSettings,
} from '@agent-runtime/domain';

/** New value of one member: absent leaves it, null takes it away. */
function patched<T>(old: T | undefined, given: T | null | undefined): T | undefined {
  if (given === undefined) return old;
  return given === null ? undefined : given;
}

/** The object without undefined members; undefined when nothing is left. */
function defined<T extends object>(value: T): T | undefined {
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return entries.length === 0 ? undefined : (Object.fromEntries(entries) as T); // safe: a subset of T's own optional members
}

/** Own settings after a patch; what is absent is inherited. Pure. */
export function patchSettings(old: ContextSettings, patch: ContextPatch): ContextSettings {
  const models: Partial<ModelSettings> = {
    allowed: patched(old.models?.allowed, patch.models) ?? undefined,
    temperature: patched(old.models?.temperature, patch.temperature),
    maxOutputTokens: patched(old.models?.maxOutputTokens, patch.max_output_tokens),
    maxPromptTokens: old.models?.maxPromptTokens,
  } as Partial<ModelSettings>; // safe: undefined members are taken out below
  const queue = {
    ...old.queue,
    maxQueued: patched(old.queue?.maxQueued, patch.max_queued),
    runDeadlineMs: patched(old.queue?.runDeadlineMs, patch.run_deadline_ms),
  } as Partial<QueueSettings>; // safe: undefined members are taken out below
  const budget: BudgetSettings = {
    tokensPerDay: patched(old.budget?.tokensPerDay, patch.tokens_per_day),
    tokensPerSenderPerDay: patched(old.budget?.tokensPerSenderPerDay, patch.tokens_per_sender_per_day),
  };
  const next: ContextSettings = {
    ...old,
    title: patched(old.title, patch.title),
    guests: patched(old.guests, patch.guests),
    tools: patched<readonly string[]>(old.tools, patch.tools),
    models: defined(models),
    queue: defined(queue),
    budget: defined(budget),
    output: patched(old.output, patch.output),
    acknowledge: patched(old.acknowledge, patch.acknowledge),
    messagesPerMinute: patched(old.messagesPerMinute, patch.messages_per_minute),
    maxPromptChars: patched(old.maxPromptChars, patch.max_prompt_chars),
  };
  return defined(next) ?? {};
}
