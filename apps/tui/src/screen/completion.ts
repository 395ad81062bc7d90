import { AppError } from '@agent-runtime/domain';

type Words = ReadonlyMap<string, readonly string[]>;

/** First words, and the second words of those that have some. */
function wordsOf(usages: readonly string[]): Words {
  const tree = new Map<string, string[]>();
  for (const usage of usages) {
    const [first = '', second = ''] = usage.split(' ');
    const seconds = tree.get(first) ?? [];
    tree.set(first, /^[a-z]/.test(second) ? [...seconds, second] : seconds);
  }
  return tree;
}

/**
 * A completion script.
 * @param usages of every command, e.g. `task show <id>`
 * @throws AppError tui.shell.invalid
 */
export function completionScript(shell: string, usages: readonly string[]): string {
  const tree = wordsOf(usages);
  switch (shell) {
    case 'bash':
      return bash(tree);
    case 'zsh':
      return `#compdef agent-runtime\nautoload -U +X bashcompinit && bashcompinit\n${bash(tree)}`;
    case 'fish':
      return fish(tree);
    default:
      throw new AppError({
        code: 'tui.shell.invalid',
        kind: 'invalid',
        message: `There is a completion script for bash, zsh and fish, not for "${shell.slice(0, 40)}".`,
      });
  }
}

function bash(tree: Words): string {
  const cases = [...tree]
    .filter(([, seconds]) => seconds.length > 0)
    .map(([first, seconds]) => `    ${first}) words="${seconds.join(' ')}" ;;`);
  return [
    '_agent_runtime() {',
    '  local words=""',
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    words="${[...tree.keys()].join(' ')}"`,
    '  elif [ "$COMP_CWORD" -eq 2 ]; then',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: shell syntax, not ours
    '    case "${COMP_WORDS[1]}" in',
    ...cases,
    '    esac',
    '  fi',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: shell syntax, not ours
    '  COMPREPLY=($(compgen -W "$words --json --help" -- "${COMP_WORDS[COMP_CWORD]}"))',
    '}',
    'complete -F _agent_runtime agent-runtime',
  ].join('\n');
}

function fish(tree: Words): string {
  const lines = ['complete -c agent-runtime -f'];
  for (const [first, seconds] of tree) {
    lines.push(`complete -c agent-runtime -n __fish_use_subcommand -a ${first}`);
    if (seconds.length > 0)
      lines.push(
        `complete -c agent-runtime -n '__fish_seen_subcommand_from ${first}; and not __fish_seen_subcommand_from ${seconds.join(' ')}' -a '${seconds.join(' ')}'`,
      );
  }
  return lines.join('\n');
}
