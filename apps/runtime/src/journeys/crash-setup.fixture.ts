import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openBooks, violations } from './invariants.fixture.ts';
import { type Home, MORTAL, newHome } from './journey.fixture.ts';

function newMortal(): { readonly home: Home; readonly folder: string } {
  const home = newHome({}, MORTAL);
  const folder = join(home.folder, 'crash');
  mkdirSync(folder, { recursive: true });
  return { home, folder };
}

/** @returns the points of a first start until its doors are open, each once */
export async function recordSetup(): Promise<readonly string[]> {
  const { home, folder } = newMortal();
  try {
    await home.runtime(['setup', '--yes', '--json'], { CRASH_DIR: folder });
    return [...new Set(readFileSync(join(folder, 'reached'), 'utf8').split('\n'))].filter(
      (point) => point !== '',
    );
  } finally {
    await home.remove();
  }
}

/** Dies there during the first start; the second one is the client that tries again. @returns what does not hold */
export async function killSetupAt(point: string): Promise<readonly string[]> {
  const { home, folder } = newMortal();
  try {
    writeFileSync(join(folder, 'at'), point);
    const first = await home.runtime(['setup', '--yes', '--json'], { CRASH_DIR: folder });
    if (first.code !== -1) return [`it did not die, but ended with ${first.code}: ${first.err}`];
    const second = await home.start({}, ['up', '--setup', '--json']);
    const told = `${first.err}${second.log()}`.match(/RECOVERY KEY/g)?.length ?? 0;
    const { status, error } = await home.ask('ping');
    const books = openBooks(home.dataDir);
    const people = books.rows('select id from identity_user').length;
    const wrong = violations(books, { dataDir: home.dataDir, received: [], accepted: [] });
    books.close();
    await second.stop();
    return [
      ...wrong,
      ...(status === 'succeeded' ? [] : [`the first question is ${status} ${JSON.stringify(error)}`]),
      ...(people === 1 ? [] : [`there are ${people} first people`]),
      ...(told === 1 ? [] : [`the recovery key was shown ${told} times`]),
    ];
  } catch (thrown) {
    return [String(thrown).slice(0, 300)];
  } finally {
    await home.remove();
  }
}

/** A machine whose database is lost, and which can be made so again and again. */
export interface LostHome {
  /** Points of a whole rebuild, each once. */
  record(): Promise<readonly string[]>;
  /** Dies there in a rebuild; what is half made must not be served, and a second rebuild makes it whole. @returns what does not hold */
  killAt(point: string): Promise<readonly string[]>;
  remove(): Promise<void>;
}

export async function newLostHome(): Promise<LostHome> {
  const { home, folder } = newMortal();
  const kept = join(home.folder, 'kept');
  const runtime = await home.start({ CRASH_DIR: folder });
  await home.ask('How do I get a refund?');
  const published = await home.cli(['label', 'publish', 'faq.md', '--json']);
  if (published.code !== 0) throw new Error(`no label to lose: ${published.err}`);
  await runtime.stop();
  // One more file whose label nobody wrote down: the rebuild lowers it.
  mkdirSync(join(home.dataDir, 'workspaces/community/notes'), { recursive: true });
  writeFileSync(join(home.dataDir, 'workspaces/community/notes/old.md'), 'An old note.\n');
  for (const end of ['', '-wal', '-shm'])
    rmSync(`${home.dataDir}/agent-runtime/meta.sqlite${end}`, { force: true });
  cpSync(home.dataDir, kept, { recursive: true });
  const again = (): void => {
    rmSync(home.dataDir, { recursive: true, force: true });
    cpSync(kept, home.dataDir, { recursive: true });
    for (const name of ['at', 'reached']) rmSync(join(folder, name), { force: true });
  };
  const rebuild = () => home.runtime(['rebuild', '--yes', '--json'], { CRASH_DIR: folder });
  return {
    record: async () => {
      again();
      await rebuild();
      return [...new Set(readFileSync(join(folder, 'reached'), 'utf8').split('\n'))].filter(
        (point) => point !== '',
      );
    },
    killAt: async (point) => {
      again();
      writeFileSync(join(folder, 'at'), point);
      const first = await rebuild();
      if (first.code !== -1) return [`it did not die, but ended with ${first.code}: ${first.err}`];
      rmSync(join(folder, 'at'));
      const served = await home.runtime(['up', '--json']);
      const second = await rebuild();
      if (second.code !== 0)
        return [`the second rebuild ended with ${second.code}: ${second.out}${second.err}`];
      const books = openBooks(home.dataDir);
      const titles = books.rows<{ title: string }>('select title from task').map(({ title }) => title);
      const wrong = violations(books, { dataDir: home.dataDir, received: [], accepted: [] });
      books.close();
      return [
        ...wrong,
        ...(served.code === 6 ? [] : [`half a database was served: ${served.code} ${served.out}`]),
        ...(titles.join() === 'How do I get a refund?' ? [] : [`the tasks are ${titles.join()}`]),
      ];
    },
    remove: () => home.remove(),
  };
}
