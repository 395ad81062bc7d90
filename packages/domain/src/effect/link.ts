/**
 * What a chat client may turn into a link by itself. Texts are looked at in pieces, a piece being what stands between white space,
 * angle brackets and the seams of Markdown links; a piece that holds anything like a link is trusted as a whole or not at all.
 */

/** Marks that Markdown drops before a client looks for links: `evil**.**com` is `evil.com` to it. */
const MARKS = '[*_~`|\\\\\\u00ad\\u200b-\\u200f\\u2060-\\u2064\\ufeff]*';
/** `https:` anywhere, `scheme://` anywhere, and the schemes that need no slashes at the start of a word. */
const SCHEME = new RegExp(
  `https?${MARKS}:|[\\p{L}\\p{N}]${MARKS}:${MARKS}[/\\\\]${MARKS}[/\\\\]|(?<![\\p{L}\\p{N}])(?:mailto|tel|sms|data|javascript|vbscript|file|magnet|tg|ton):\\S`,
  'iu',
);
/** A host with no scheme: `label.label`, the last one of letters or punycode. Any alphabet; no list of endings, for lists age. */
const HOST = new RegExp(
  `[\\p{L}\\p{N}\\p{M}]${MARKS}\\.${MARKS}(?:xn--[a-z0-9-]{1,59}|[\\p{L}\\p{M}]{2,63})(?![\\p{L}\\p{N}\\p{M}])`,
  'iu',
);
/** Full stops of other scripts count as dots inside Latin names only; between other letters they end a sentence. */
const WIDE_HOST = /[a-z0-9][\u3002\uff0e\uff61\u2024][a-z]{2,}/iu;
const ADDRESS = /(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)/u;
/**
 * A path of the workspace, maybe with lines as citations have them, or a plain file name; no ending is one of a host but `md`. Only
 * the last dot may be one, so that no host of anybody's choice hides in it.
 */
const FILE_PATH =
  /^(?:[\p{L}\p{N}_-]{1,80}\/){0,12}[\p{L}\p{N}_-]{1,80}\.(?:md|[mc]?js|tsx?|jsx|jsonl?|txt|csv|html?|css|ya?ml|toml|pdf|png|jpe?g|gif|svg|webp|docx?|xlsx?|sql|sqlite|log)(?::\d{1,6}(?:-\d{1,6})?)?$/iu;
/** Not where a call to everybody stands inside: taking that apart would leave the host alone. */
const EMAIL =
  /^[\p{L}\p{N}_+-]+(?:\.[\p{L}\p{N}_+-]+)*@(?!everyone|here)[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+$/iu;

/** Splits a text into pieces and what stands between them; joined again they are the text. */
export function linkPieces(text: string): readonly string[] {
  return text.split(/([\s<>]+|\]\()/u).filter((piece) => piece !== '');
}

/**
 * The piece without the punctuation and brackets around it, and without words that stand before a scheme with no space between (as
 * in Chinese): the form in which links are compared. At most four marks go at the end, for a client may take them into the link, and
 * a long row of them could carry something.
 */
export function linkCore(piece: string): string {
  const core = piece.replace(/^[("'*_~`|[{!]+/u, '').replace(/[.,;:!?*_~|`"')\]}]{1,4}$/u, '');
  const start = core.search(/https?:\/\//u);
  return start > 0 && /^[^.:/@\\]*$/u.test(core.slice(0, start)) ? core.slice(start) : core;
}

/** `notes/refunds.md:12`, `README.md`, `index.ts`. */
export function isFilePath(core: string): boolean {
  return FILE_PATH.test(core);
}

/** Could a client make a link of something in here? Mail addresses, notes and plain file names are none. */
export function isLinkLike(piece: string): boolean {
  const core = linkCore(piece);
  if (isFilePath(core) || EMAIL.test(core)) return false;
  return SCHEME.test(piece) || HOST.test(piece) || WIDE_HOST.test(piece) || ADDRESS.test(piece);
}

/**
 * `https://a.b/c.html` -> `hxxps[:]//a[.]b/c[.]html`: readable, but nothing makes a link or a preview of it, also not of a part.
 * Doing it twice changes nothing.
 */
export function defang(piece: string): string {
  return (
    piece
      .replace(/http/giu, (scheme) => (scheme.startsWith('H') ? 'Hxxp' : 'hxxp'))
      .replace(/\[:\]|:(?=\S)/gu, '[:]')
      .replace(/\[\.\]|[.\u3002\uff0e\uff61\u2024](?=\S)/gu, '[.]')
      // The new brackets must not make an image or a masked link with what stands beside them.
      .replace(/(?<!!)!+(?=\[)/gu, '')
      .replace(/\]\(/gu, '] (')
  );
}

/** The links in a trusted text, in the form the filter compares. */
export function urlsIn(text: string): readonly string[] {
  return linkPieces(text).filter(isLinkLike).map(linkCore);
}
