import type { Config } from '../config.ts';

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/;

/**
 * How to come in from another machine, for whoever just made an instance.
 * @param owner short name of its first person
 * @returns undefined when nobody could: there is no admin listener, or only this machine reaches it
 */
export function elsewhereText(
  config: Pick<Config, 'ADMIN_LISTEN' | 'ADMIN_URL' | 'PUBLIC_URL'>,
  owner: string,
): string | undefined {
  if (config.ADMIN_LISTEN === undefined) return undefined;
  // Behind a proxy the listener may well be on loopback: then the address of the proxy says who gets here.
  const host = config.ADMIN_URL === undefined ? config.ADMIN_LISTEN.host : new URL(config.ADMIN_URL).hostname;
  if (LOOPBACK.test(host.replace(/^\[|\]$/g, ''))) return undefined;
  return `
The admin API can be reached from other machines, with a client certificate only. To get one, once this is up:
  here   npx agent-runtime invite create --user ${owner}
  there  npx agent-runtime enrol --url ${config.PUBLIC_URL ?? 'PUBLIC-ADDRESS'} --invite CODE
More in docs/guides/remote.md.
`;
}
