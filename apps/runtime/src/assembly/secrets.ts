import { makeRedactor, type Redactor, type SecretVault } from '@agent-runtime/domain';
import type { Vault } from '@agent-runtime/store';
import { type Config, VAULT_SECRETS, type VaultSecret } from '../config.ts';

/** Secrets of this process: the environment wins, the vault holds the rest. */
export interface Secrets {
  /** The vault with the names that the environment supplies in its list. */
  readonly vault: SecretVault;
  get(name: VaultSecret): string | undefined;
}

/** Knows every secret value as soon as it is known to the process, so that none reaches a log, an audit record or an error. */
export interface SecretRedactor extends Redactor {
  add(value: string): void;
}

export function secretRedactor(values: Iterable<string | undefined>): SecretRedactor {
  const known = new Set<string>();
  const add = (value: string | undefined): void => {
    // The longest first: else a secret that holds another would keep its ends.
    if (value === undefined || value === '') return;
    const all = [...known, value].sort((a, b) => b.length - a.length);
    known.clear();
    for (const one of all) known.add(one);
  };
  for (const value of values) add(value);
  return { ...makeRedactor(() => known), add };
}

/** Every value of the configuration that must never be shown. */
export function configSecrets(config: Config): readonly (string | undefined)[] {
  const keyInAddress = config.LLM_BASE_URL === undefined ? [] : secretsInUrl(config.LLM_BASE_URL);
  return [config.MASTER_KEY, ...VAULT_SECRETS.map((name) => config[name]), ...keyInAddress];
}

export async function joinSecrets(
  config: Config,
  vault: Vault,
  redactor: Pick<SecretRedactor, 'add'>,
): Promise<Secrets> {
  for (const { name } of await vault.list()) redactor.add(vault.get(name) ?? '');
  const isSupplied = (name: string): boolean => config.suppliedSecrets.includes(name);
  return {
    get: (name) => config[name] ?? vault.get(name),
    vault: {
      list: async () => [
        ...config.suppliedSecrets.map((name) => ({ name, source: 'environment' as const })),
        ...(await vault.list()).filter(({ name }) => !isSupplied(name)),
      ],
      set: async (name, value) => {
        redactor.add(value.trim());
        redactor.add(value);
        await vault.set(name, value);
      },
      remove: (name) => vault.remove(name),
    },
  };
}

function secretsInUrl(address: string): readonly string[] {
  const { password, searchParams } = new URL(address);
  return [password, ...searchParams.values()];
}
