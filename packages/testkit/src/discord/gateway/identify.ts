import type { Fields } from '../world/wire.ts';
import { KNOWN_INTENTS, PRIVILEGED_INTENTS } from './intents.ts';

/** @returns the code with which a bad IDENTIFY is answered: 4004 token, 4010 shard, 4013 and 4014 intents */
export function identifyProblem(
  d: Fields,
  options: { readonly token: () => string; readonly grantedIntents: number },
): number | undefined {
  if (d.token !== options.token()) return 4004;
  const [shard, count]: readonly unknown[] = Array.isArray(d.shard) ? d.shard : [0, 1];
  if (!(Number(shard) >= 0 && Number(shard) < Number(count))) return 4010;
  const intents = Number(d.intents);
  if (!Number.isInteger(intents) || (intents & ~KNOWN_INTENTS) !== 0) return 4013;
  return (intents & PRIVILEGED_INTENTS & ~options.grantedIntents) === 0 ? undefined : 4014;
}
