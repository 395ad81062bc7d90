// npm run mutants -- [--sample N] [--seed TEXT] [--id ID] [--near | --room] [--most N] [path …]: breaks each rule once; the tests must notice.
// In memory only: no file of the clone is touched. Ends with 1 when a mutant lives that docs/security-claims.md does not justify.
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root as rootUrl } from './house/source.ts';
import { Fleet, type Verdict } from './mutants/fleet.ts';
import { parseJustified } from './mutants/justified.ts';
import type { Task } from './mutants/plan.ts';
import { readRuleFiles, readSuites } from './mutants/scope.ts';
import { findMutants, type Mutant, type RuleFile } from './mutants/site.ts';
import { weave } from './mutants/weave.ts';

const root = rootUrl.replace(/\/$/, '');
const { values, positionals: places } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: 'string' },
    seed: { type: 'string' },
    id: { type: 'string', multiple: true },
    json: { type: 'string' },
    near: { type: 'boolean' },
    room: { type: 'boolean' },
    most: { type: 'string' },
    'no-excuses': { type: 'boolean' },
  },
});

const files = findMutants(readRuleFiles());
const all = files.flatMap((file) => file.mutants.flat());
const justified = values['no-excuses']
  ? []
  : parseJustified(readFileSync(join(root, 'docs/security-claims.md'), 'utf8'));
// The suites wait for their disk more than they compute; nothing of this must outlive the run, so it may lie in memory.
const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'mutants-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));

async function main(): Promise<number> {
  const known = new Set(all.map(({ id }) => id));
  const gone = justified.filter(({ id }) => !known.has(id));
  const seed = values.seed ?? process.env.MUTANTS_SEED ?? seedOf(files);
  const chosen = choose(seed);
  const jobs = chosen.length;
  console.log(`${all.length} mutants of ${files.length} files; ${jobs} are tried, seed ${seed}`);
  const verdicts = await judge(chosen);
  const alive = chosen.filter(({ number }) => verdicts.get(number)?.verdict !== 'killed');
  const excused = new Set(justified.map(({ id }) => id));
  const survivors = alive.filter(({ id }) => !excused.has(id));
  const dead = chosen.filter(
    ({ id, number }) => excused.has(id) && verdicts.get(number)?.verdict === 'killed',
  );
  for (const line of counts(chosen, verdicts, excused)) console.log(line);
  for (const mutant of survivors) console.log(describe(mutant, verdicts.get(mutant.number)));
  for (const { id, place } of gone)
    console.log(`justified, but there is no such mutant any more: ${id} ${place}`);
  for (const { id, path, line } of dead)
    console.log(`justified, but killed; take its row away: ${id} ${path}:${line}`);
  if (values.json !== undefined)
    writeFileSync(values.json, JSON.stringify(chosen.map((m) => ({ ...m, ...verdicts.get(m.number) }))));
  const faults = survivors.length + gone.length + dead.length;
  console.log(
    `${jobs} mutants, ${jobs - alive.length} killed, ${alive.length - survivors.length} justified, ${survivors.length} not; seed ${seed}`,
  );
  return faults === 0 ? 0 : 1;
}

/** Everything, or those below the places, with these ids, or a seeded sample of them. */
function choose(seed: string): readonly Mutant[] {
  const wanted = all.filter(
    ({ path, id }) =>
      (places.length === 0 || places.some((place) => path.startsWith(place))) &&
      (values.id === undefined || values.id.includes(id)),
  );
  if (values.sample === undefined) return wanted;
  const rank = ({ id }: Mutant): string => createHash('sha256').update(`${seed} ${id}`).digest('hex');
  return wanted
    .map((mutant) => ({ mutant, rank: rank(mutant) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .slice(0, Number(values.sample))
    .map(({ mutant }) => mutant);
}

/** The same tree gives the same sample; a change of a rule gives another one. */
function seedOf(of: readonly RuleFile[]): string {
  const hash = createHash('sha256');
  for (const { source } of of) hash.update(source.text);
  return hash.digest('hex').slice(0, 8);
}

/** Below which folder the suites lie that a mutant meets: first its room, then its package, and then all that may reach it. */
const STAGES: readonly ((path: string) => string)[] = [
  (path) => folderOf(path, 4),
  (path) => folderOf(path, 2),
  // Domain knows nobody, so that everything may reach it; engine and store know only domain, and engine's tests use the store.
  (path) => (path.startsWith('packages/domain/') ? 'packages/' : 'packages/engine/'),
];

async function judge(chosen: readonly Mutant[]): Promise<ReadonlyMap<number, Verdict>> {
  const { woven, sites } = weaveAll();
  const fleet = new Fleet(root, folder, woven);
  const verdicts = new Map<number, Verdict>();
  const excused = new Set(values.sample === undefined ? [] : justified.map(({ id }) => id));
  // With few tests a first look is quick; what lives then is a suspect and no more.
  const most = values.most === undefined ? undefined : Number(values.most);
  const measured: string[] = [];
  const known = new Set<string>();
  let open = chosen;
  const stages = STAGES.slice(0, values.room ? 1 : values.near ? 2 : undefined);
  for (const [at, below] of stages.entries()) {
    const suites = readSuites().filter(
      (suite) => !known.has(suite) && open.some(({ path }) => suite.startsWith(below(path))),
    );
    console.log(`${open.length} mutants meet ${suites.length} more suites`);
    for (const suite of suites) known.add(suite);
    if (suites.length > 0) measured.push(await fleet.measure(suites.map((suite) => join(root, suite))));
    const tasks = open.map(({ number, path, isStatic }): Task => {
      const met = STAGES[at - 1]?.(path);
      return { number, path, isStatic, site: sites.get(number) ?? 0, below: below(path), met, most };
    });
    await fleet.judge(tasks, measured, (verdict) => {
      // A mutant that no suite of this stage reaches keeps what an earlier one said of it.
      if (verdict.verdict !== 'unreached' || !verdicts.has(verdict.number))
        verdicts.set(verdict.number, verdict);
    });
    open = chosen.filter(({ id, number }) => verdicts.get(number)?.verdict !== 'killed' && !excused.has(id));
    if (open.length === 0) break;
  }
  return verdicts;
}

function folderOf(path: string, depth: number): string {
  return `${path.split('/').slice(0, depth).join('/')}/`;
}

function weaveAll(): { woven: Record<string, string>; sites: ReadonlyMap<number, number> } {
  const woven: Record<string, string> = {};
  const sites = new Map<number, number>();
  let base = 0;
  for (const [at, file] of files.entries()) {
    const path = join(folder, `${at}.ts`);
    writeFileSync(path, weave(file, base));
    woven[join(root, file.source.path)] = path;
    for (const [site, mutants] of file.mutants.entries())
      for (const { number } of mutants) sites.set(number, base + site);
    base += file.sites.length;
  }
  return { woven, sites };
}

function counts(
  chosen: readonly Mutant[],
  verdicts: ReadonlyMap<number, Verdict>,
  excused: ReadonlySet<string>,
): readonly string[] {
  return [...new Set(chosen.map(({ room }) => room))].sort().map((room) => {
    const own = chosen.filter((mutant) => mutant.room === room);
    const killed = own.filter(({ number }) => verdicts.get(number)?.verdict === 'killed').length;
    const spared = own.filter(
      ({ id, number }) => excused.has(id) && verdicts.get(number)?.verdict !== 'killed',
    ).length;
    return `| ${room} | ${own.length} | ${killed} | ${spared} | ${own.length - killed - spared} |`;
  });
}

function describe(mutant: Mutant, verdict: Verdict | undefined): string {
  const { id, path, line, rule, original, change } = mutant;
  const state = verdict?.verdict === 'unreached' ? 'no test comes here' : 'lives';
  return `${id} ${path}:${line} ${rule}: ${original.slice(0, 100)} · ${change.name} · ${state}`;
}

process.exitCode = await main();
