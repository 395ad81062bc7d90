import type { Status } from '@agent-runtime/domain';

/** One line for each chat that the runtime is connected to. @returns undefined where there is none, or the asker may not know */
export function chatsText(connectors: Status['connectors']): readonly string[] | undefined {
  if (connectors === undefined || connectors.length === 0) return undefined;
  return connectors.map(({ name, account, waiting, is_failing: isFailing }) => {
    const rest = waiting === 0 ? '' : `, ${waiting} to send`;
    return `${name}:${account} ${isFailing ? 'is down' : 'on'}${rest}`;
  });
}
