import { type Digest, digestOf } from '../base/index.ts';
import type { ToolCall } from '../tool/index.ts';

/** The same call this often in one run means that the model is going in circles. */
export const MAX_SAME_CALLS = 3;

/** What a step asked for, as one digest. */
export function callFingerprint(call: Pick<ToolCall, 'name' | 'argumentsJson'>): Digest {
  return digestOf({ name: call.name.toWellFormed(), arguments: call.argumentsJson.toWellFormed() });
}

/** True when the newest call has now been made `MAX_SAME_CALLS` times with the same arguments and the same result each time. */
export function isStuck(history: readonly { readonly call: Digest; readonly result: Digest }[]): boolean {
  const last = history.at(-1);
  if (last === undefined) return false;
  return (
    history.filter((entry) => entry.call === last.call && entry.result === last.result).length >=
    MAX_SAME_CALLS
  );
}
