/**
 * May policy even think about fetching this? http or https, no user or password inside, a host with a name. Addresses and
 * single-word hosts lead inside the network; the egress guard refuses them again after resolving.
 * @param isOperatorHost an operator has named exactly this host and port, so that its form is their concern
 */
export function isFetchableUrl(url: string, isOperatorHost: boolean): boolean {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) return false;
  if (parsed.username !== '' || parsed.password !== '') return false;
  return isOperatorHost || isPublicName(parsed.hostname);
}

/** Two labels or more, the last one of letters: no address in any notation ends so. */
function isPublicName(hostname: string): boolean {
  const labels = hostname.replace(/\.$/, '').split('.');
  const last = labels.at(-1) ?? '';
  return labels.length >= 2 && /^(?:xn--[a-z0-9-]+|[a-z]{2,63})$/.test(last) && !INSIDE.has(last);
}

/** Names that mean "in here" by convention. */
const INSIDE = new Set(['localhost', 'local', 'internal', 'intranet', 'lan', 'home', 'corp', 'arpa']);
