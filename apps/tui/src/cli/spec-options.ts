/** Options that several commands take. */
export const WORKSPACE = ['--workspace <id>', 'in this workspace'] as const;
export const LIMIT = ['--limit <n>', 'at most this many (50)'] as const;
