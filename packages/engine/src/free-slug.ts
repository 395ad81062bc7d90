import { AppError, isSlug, parseContextId, type StoreReader, sha256, slugify } from '@agent-runtime/domain';

/** The name, or the name with a few characters of its digest when it is taken. Contexts are unique in the whole appliance. */
export async function freeSlug(reader: StoreReader, wanted: string): Promise<string> {
  const plain = isSlug(wanted) ? wanted : slugify(wanted);
  for (let round = 0; round < 100; round += 1) {
    const name = round === 0 ? plain : `${plain.slice(0, 40)}-${sha256(`${wanted}\n${round}`).slice(7, 13)}`;
    if ((await reader.get('context', { id: parseContextId(name) })) === undefined) return name;
  }
  throw new AppError({
    code: 'context.name.conflict',
    kind: 'conflict',
    message: `The name "${plain}" is taken. Choose another one.`,
  });
}
