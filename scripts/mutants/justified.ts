/** A mutant that may live, with the reason; a row of the table in docs/security-claims.md. */
export interface Justified {
  readonly id: string;
  readonly place: string;
  readonly why: string;
}

const HEADING = '## Mutants that live';

/** Reads the rows `| id | place | change | why |` below their heading. @throws Error naming the row that is malformed */
export function parseJustified(page: string): readonly Justified[] {
  const start = page.indexOf(`\n${HEADING}\n`);
  if (start < 0) throw new Error(`docs/security-claims.md has no heading "${HEADING}"`);
  const section = page.slice(start + HEADING.length + 2).split(/^## /m)[0] ?? '';
  // The table of counts stands before it.
  const table = section.slice(section.indexOf('| id |'));
  const rows = table.split('\n').filter((line) => line.startsWith('|'));
  const found = rows.slice(2).map((row) => {
    const [, id = '', place = '', change = '', why = ''] = row.split(/(?<!\\)\|/).map((cell) => cell.trim());
    if (!/^[0-9a-f]{10}$/.test(id) || place === '' || change === '' || why === '')
      throw new Error(`not a row of id, place, change and why: ${row}`);
    return { id, place, why };
  });
  const twice = found.find(({ id }, at) => found.findIndex((other) => other.id === id) !== at);
  if (twice !== undefined) throw new Error(`${twice.id} is justified twice`);
  return found;
}
