import { type Clearance, canFlow, type Label } from '../label/index.ts';
import { defang, isFilePath, isLinkLike, linkCore, linkPieces } from './link.ts';

/** What the filter needs to know besides the text. */
export interface ReplyFilterInput {
  /** The whole text so far: a frame is never filtered alone, or a link could hide across two frames. */
  readonly text: string;
  readonly label: Label;
  readonly clearance: Clearance;
  /** URLs that stood in trusted input or were fetched with permission, byte for byte; everything else is defanged. */
  readonly trustedUrls: ReadonlySet<string>;
}

export type FilteredReply =
  | { readonly kind: 'text'; readonly text: string; readonly defanged: number }
  | { readonly kind: 'withheld'; readonly text: string };

/** Fixed, so that not even its wording can carry something out. */
export const WITHHELD_TEXT =
  'This answer was withheld: it holds text that may not be shown here. Ask in the place it belongs to.';

/** Platform mentions become plain text, and images ordinary links: both act without a click. */
const PLATFORM_MENTION = /(?<!<)<+(@[!&]?|#)(\d+)>+/g;
const IMAGE = /(?<!!)!+(?=\[)/g;
/** `@name` at the start of a word calls somebody; the calls to everybody work inside words, too. */
const MENTION = /@(?=everyone|here)|(?<![\p{L}\p{N}._%+-])@(?=[\p{L}\p{N}_])/giu;
/** Between `@` and the name; a client then sees no mention. */
const HAIR_SPACE = '\u200a';

/**
 * Filter of everything shown to a human (class E0). Denies by label with a fixed text; else removes what could act by itself:
 * mentions, images, links nobody trusted, and Markdown links whose words hide where they lead. Pure; filtering its own output
 * changes nothing; and since each piece is judged alone, no frame shows a link that a later frame takes away.
 */
export function filterReply(input: ReplyFilterInput): FilteredReply {
  if (!canFlow(input.label, input.clearance)) return { kind: 'withheld', text: WITHHELD_TEXT };
  // First of all: taking the brackets away may join what stood around them into a link.
  const pieces = linkPieces(input.text.replace(PLATFORM_MENTION, '$1$2').replace(IMAGE, ''));
  let defanged = 0;
  const shown = pieces.map((piece, i) => {
    if (piece === '](') return isOpenTarget(pieces[i + 1] ?? '', input.trustedUrls) ? piece : '] (';
    if (!isLinkLike(piece)) return piece.replace(MENTION, `@${HAIR_SPACE}`);
    if (isTrusted(piece, input.trustedUrls)) return piece;
    defanged += 1;
    return defang(piece).replace(MENTION, `@${HAIR_SPACE}`);
  });
  return { kind: 'text', text: shown.join(''), defanged };
}

/** Pieces end where every client ends a link, so a trusted one has no tail of somebody else. */
function isTrusted(piece: string, trustedUrls: ReadonlySet<string>): boolean {
  return trustedUrls.has(linkCore(piece));
}

/** Where `[words](target)` leads: a masked link stays one only when its target is trusted, a file, or a plain word as in code. */
function isOpenTarget(target: string, trustedUrls: ReadonlySet<string>): boolean {
  const core = linkCore(target);
  return isTrusted(target, trustedUrls) || isFilePath(core) || /^[\p{L}\p{N}_-]*$/u.test(core);
}
