import { type Clearance, canFlow, type Label } from '../label/index.ts';

/** What the filter needs to know besides the text. */
export interface ReplyFilterInput {
  /** The whole text so far: a frame is never filtered alone, or a link could hide across two frames. */
  readonly text: string;
  readonly label: Label;
  readonly clearance: Clearance;
  /** URLs that stood in trusted input or were fetched with permission; everything else is defanged. */
  readonly trustedUrls: ReadonlySet<string>;
}

export type FilteredReply =
  | { readonly kind: 'text'; readonly text: string; readonly defanged: number }
  | { readonly kind: 'withheld'; readonly text: string };

/** Fixed, so that not even its wording can carry something out. */
export const WITHHELD_TEXT =
  'This answer was withheld: it holds text that may not be shown here. Ask in the place it belongs to.';

const URL_PATTERN = /\b(?:https?|ftp|file|data|javascript|tg|discord):(?:\/\/)?[^\s<>"'`\])}]+/giu;
/** Anything a client may turn into a link by itself: a bare host, or one whose scheme was left out. */
const BARE_HOST =
  /(?<![\w@./-])(?:www\.[^\s<>"'`\])}]+|(?:[a-z0-9-]+\.)+(?:com|net|org|io|dev|app|ru|cn|info|biz|xyz|co|me|gg|ly|link|site|online|top|shop)\b(?:[/?#][^\s<>"'`\])}]*)?)/giu;
const IMAGE = /!\[([^\]]*)\]\(/g;
const MASS_MENTION = /@(everyone|here|channel|all)\b/gi;
const PLATFORM_MENTION = /<(@[!&]?|#)(\d+)>/g;

/**
 * Filter of everything shown to a human (class E0). Denies by label with a fixed text; else removes what could act by itself:
 * mass mentions, image embeds, links nobody trusted. Pure; the same input gives the same bytes.
 */
export function filterReply(input: ReplyFilterInput): FilteredReply {
  if (!canFlow(input.label, input.clearance)) return { kind: 'withheld', text: WITHHELD_TEXT };
  let defanged = 0;
  const guard = (url: string): string => {
    const bare = trimUrl(url);
    if (input.trustedUrls.has(bare)) return url;
    defanged += 1;
    return defang(bare) + url.slice(bare.length);
  };
  const text = input.text
    .replace(URL_PATTERN, guard)
    .replace(BARE_HOST, (match, offset: number, whole: string) =>
      isInsideUrl(whole, offset) ? match : guard(match),
    )
    .replace(IMAGE, '[$1](')
    .replace(MASS_MENTION, '@\u200a$1')
    .replace(PLATFORM_MENTION, '$1$2');
  return { kind: 'text', text, defanged };
}

/** The URLs in a trusted text, in the form the filter compares. */
export function urlsIn(text: string): readonly string[] {
  return [...text.matchAll(URL_PATTERN), ...text.matchAll(BARE_HOST)].map((match) => trimUrl(match[0]));
}

function trimUrl(url: string): string {
  return url.replace(/[.,;:!?*_~|]+$/u, '');
}

/** `https://a.b/c` -> `hxxps://a[.]b/c`: readable, but nothing makes a link or a preview of it. */
function defang(url: string): string {
  const scheme = /^([a-z]+):(\/\/)?/i.exec(url);
  const rest = scheme === null ? url : url.slice(scheme[0].length);
  const slash = rest.search(/[/?#]/);
  const host = slash < 0 ? rest : rest.slice(0, slash);
  const path = slash < 0 ? '' : rest.slice(slash);
  const head = scheme === null ? '' : `${(scheme[1] ?? '').replace(/^http/i, 'hxxp')}[:]${scheme[2] ?? ''}`;
  return head + host.replaceAll('.', '[.]') + path;
}

function isInsideUrl(whole: string, offset: number): boolean {
  const before = whole.slice(0, offset);
  const start =
    Math.max(
      before.lastIndexOf(' '),
      before.lastIndexOf('\n'),
      before.lastIndexOf('('),
      before.lastIndexOf('<'),
    ) + 1;
  return /^[a-z]+(?:\[:\]|:)\/\//i.test(before.slice(start));
}
