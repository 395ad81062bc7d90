/** What is said before there is a word of the answer. */
export const THINKING = 'thinking';

/** Words for each tool of ours. A name is chosen by a model, and so are its arguments: neither is ever shown. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ['md_read', 'reading notes'],
  ['md_list', 'looking through the notes'],
  ['md_glob', 'looking through the notes'],
  ['md_grep', 'searching'],
  ['qmd_search', 'searching'],
  ['md_write', 'writing a note'],
  ['post_message', 'preparing a message'],
]);

/** One line about a tool call; the same for every tool that has no words of its own. */
export function wordsOfTool(name: string): string {
  return WORDS.get(name) ?? 'working';
}
