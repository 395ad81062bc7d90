import { AppError } from '@agent-runtime/domain';
import type { ReactNode } from 'react';
import { Body } from '../../app/body.tsx';
import { headingLines, textLines } from '../../app/facts.ts';
import { type Line, line } from '../../app/line.tsx';
import { useLoad } from '../../app/load.ts';
import { Page } from '../../app/page.tsx';
import { Pager } from '../../app/pager.tsx';
import type { AdminClient } from '../../client/client.ts';

/** A file of the prompt; no lines when it is not there. */
interface PromptFile {
  readonly path: string;
  readonly label: string | undefined;
  readonly lines: readonly string[] | undefined;
  readonly total: number;
}

/** In the order in which they are read. Source: docs/guides/workspace-files.md. */
const WORKSPACE_FILES = ['SYSTEM.md', 'APPEND_SYSTEM.md', 'AGENTS.md', 'SOUL.md', 'memory.md'];
const MOST_LINES = 400;

/** The files that make the prompt of a context, with their labels. */
export function PromptView({ id, onBack }: { readonly id: string; readonly onBack: () => void }): ReactNode {
  const loaded = useLoad(`prompt ${id}`, async (client) => {
    const { workspace } = await client.call('context.show', { id });
    const paths = [...WORKSPACE_FILES, `contexts/${id}/context.md`, `contexts/${id}/memory.md`];
    const files: PromptFile[] = [];
    for (const path of paths) files.push(await readFile(client, workspace, path));
    return files;
  });
  return (
    <Page title={`prompt of ${id}`} onBack={onBack}>
      {(area) => (
        <Body loaded={loaded} area={area}>
          {(files, room) => (
            <Pager area={room} lines={files.flatMap((file) => fileLines(file, room.width))} />
          )}
        </Body>
      )}
    </Page>
  );
}

async function readFile(client: AdminClient, workspace: string, path: string): Promise<PromptFile> {
  try {
    const file = await client.call('file.open', { workspace, path, from: 1, to: MOST_LINES });
    return { path, label: file.label, lines: file.lines, total: file.total_lines };
  } catch (thrown) {
    if (!(thrown instanceof AppError && thrown.kind === 'missing')) throw thrown;
    return { path, label: undefined, lines: undefined, total: 0 };
  }
}

function fileLines(file: PromptFile, width: number): readonly Line[] {
  if (file.lines === undefined)
    return [...headingLines(file.path), line('   not there: the built-in words count', 'dim')];
  return [
    ...headingLines(file.path),
    line(`   ${file.label ?? ''}`, 'dim'),
    ...file.lines.flatMap((text) => textLines(text, width, { indent: '   ' })),
    ...(file.total > file.lines.length
      ? [line(`   … ${file.total - file.lines.length} more lines: agent-runtime open ${file.path}`, 'dim')]
      : []),
  ];
}
