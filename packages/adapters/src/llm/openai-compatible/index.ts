// Owns: talking to any server of the OpenAI protocol: request, stream, timeouts, caps, kinds of errors.
// Never: retries a call, repeats a server's words to a user, follows a redirect, shows the key.
// Callers: apps/runtime; the zai preset.
// Invariants: one call, one answer; tool calls only of answers that ended well; SDK and HTTP library are loaded at the first call.
export {
  DEFAULT_MAX_BYTES,
  DEFAULT_TIMEOUTS,
  type OpenAiCompatibleOptions,
  type StructuredOutput,
  type Timeouts,
} from './options.ts';
export { openAiCompatibleProvider } from './provider.ts';
