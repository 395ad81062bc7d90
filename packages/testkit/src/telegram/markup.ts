import { parseHtml } from './html.ts';
import { parseMarkdown, V1, V2 } from './markdown.ts';
import { badRequest } from './refusal.ts';
import type { FormattedText } from './text.ts';

/**
 * Marks of a text in one of the dialects of the Bot API.
 * @throws Refusal 400 for an unknown dialect and for marks that do not close
 */
export function parseMarkup(text: string, mode: string): FormattedText {
  switch (mode.toLowerCase()) {
    case 'html':
      return parseHtml(text);
    case 'markdownv2':
      return parseMarkdown(text, V2);
    case 'markdown':
      return parseMarkdown(text, V1);
    default:
      throw badRequest('unsupported parse_mode');
  }
}
