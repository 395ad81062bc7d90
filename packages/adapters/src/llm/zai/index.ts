// Owns: what is special about z.ai: address, habits of its protocol, models and list prices.
// Never: talks by itself; openai-compatible does.
// Callers: apps/runtime.
// Invariants: everything but the habits can be configured.
export { ZAI_DEFAULTS, ZAI_MODELS, type ZaiModel } from './models.ts';
export { ZAI_BASE_URL, type ZaiOptions, zaiProvider } from './zai.ts';
