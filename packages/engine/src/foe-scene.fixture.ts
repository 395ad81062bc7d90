import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type ContextId, type Label, makeLabel } from '@agent-runtime/domain';
import { LOW_TEXT, OUTSIDE_FILE } from './foe-attacks.fixture.ts';
import { furnish, type House, putFile } from './foe-house.fixture.ts';
import type { Ledger } from './foe-ledger.fixture.ts';
import { BOSS, WORKSPACE } from './settle/world.fixture.ts';

/** Typed by the requester now and then, and written by staff. */
export const TYPED_URL = 'https://acme.example/help';

/** Two workspaces with texts of every label, each with a mark that tells where it went. */
export async function setScene(deps: House['deps'], root: string, ledger: Ledger): Promise<void> {
  await furnish(
    deps,
    [
      { id: 'board' as ContextId }, // safe: slugs
      { id: 'lobby' as ContextId, openness: 'open' },
    ],
    [{ id: 'beta', title: 'Beta' }],
  );
  mkdirSync(join(root, 'beta'), { recursive: true });
  const staff = makeLabel(2, ['ws:acme']);
  putFile(
    root,
    'acme',
    'faq.md',
    `---\naudience: public\n---\nAnswers ${ledger.mark(makeLabel(2))} at ${TYPED_URL}\n`,
  );
  putFile(root, 'acme', 'AGENTS.md', `Be kind. ${ledger.mark(staff)}\n`);
  putFile(root, 'acme', 'skills/sum.md', `Sums up. ${ledger.mark(staff)}\n`);
  putFile(root, 'acme', 'notes/plan.md', `secret plan ${ledger.mark(staff)}\n`);
  putFile(root, 'acme', 'memory.md', `- old rule ${ledger.mark(staff)}\n`);
  putFile(root, 'beta', 'notes/vault.md', `secret vault ${ledger.mark(makeLabel(2, ['ws:beta']))}\n`);
  const hidden: readonly (readonly [string, Label])[] = [
    ['notes/board.md', makeLabel(1, ['ctx:acme/board'])],
    ['contexts/board/memory.md', makeLabel(1, ['ctx:acme/board'])],
    ['notes/private.md', makeLabel(1, [`priv:${BOSS}`])],
  ];
  for (const [path, label] of hidden) await store(deps, path, `- secret of ${ledger.mark(label)}\n`, label);
  await store(deps, 'research/web.md', LOW_TEXT, makeLabel(0, ['ctx:acme/ops']));
  // Somebody copies it by hand: the same bytes under another name are no better for it.
  putFile(root, 'acme', 'notes/copied.md', LOW_TEXT);
  // Nothing of it is in a prompt of the news: only the result of a tool says what it is worth.
  const outside = makeLabel(0, ['ctx:acme/news']);
  await store(deps, OUTSIDE_FILE, `- read on the web ${ledger.mark(outside)}\n`, outside);
  const mixed = `- from the web ${ledger.mark(makeLabel(0, ['ctx:acme/ops']))}\n`;
  await store(deps, 'contexts/ops/memory.md', mixed, makeLabel(0, ['ctx:acme/ops']));
}

async function store(deps: House['deps'], path: string, text: string, label: Label): Promise<void> {
  const audit = { action: 'workspace.write', actor: 'test', subject: path, workspace: WORKSPACE };
  await deps.files.write({ workspace: WORKSPACE, path, text, label, expected: 'absent', audit });
}
