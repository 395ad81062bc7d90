import { type Binding, type SeenRow, showHidden } from '@agent-runtime/domain';

/** A group of a connector as `workspace set --bind` takes it. */
export function bindingText(binding: Binding): string {
  return `${binding.connector}:${binding.account}/${showHidden(binding.group)}`;
}

/** The command that binds a place; only the workspace is to be chosen. An id that a shell would read otherwise is quoted. */
export function bindCommand(place: SeenRow): string {
  const kind = ['thread', 'group'].includes(place.kind) ? ` --kind ${place.kind}` : '';
  const words = [`${place.connector}:${place.account}`, place.channel].map(quoted).join(' ');
  const dashes = place.channel.startsWith('-') ? ' --' : '';
  return `agent-runtime context bind --workspace WORKSPACE${kind}${dashes} ${words}`;
}

function quoted(word: string): string {
  return /^[A-Za-z0-9:/_.-]+$/.test(word) ? word : `'${showHidden(word).replaceAll("'", `'\\''`)}'`;
}
