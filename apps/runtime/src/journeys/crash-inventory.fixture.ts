import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './journey.fixture.ts';

/** Sources that commit, perform or write files. */
const SOURCES = ['packages/engine/src', 'packages/store/src', 'packages/adapters/src', 'apps/runtime/src'];
const NAME = /'([a-z]+\.[a-z_]+)'/g;

/** Points that are named where they are reached. */
const REACHED = /\.reach\(\s*['`]([^'`]+)['`]/g;

/** How sources name a commit: what is submitted by name, the `action` of an audit draft, tables of verbs, functions that make a draft. */
const COMMITS: readonly RegExp[] = [
  /\bsubmit\(\s*('[a-z]+\.[a-z_]+')/g,
  /\baction(?:: | = |\?: )([^,;\n]*(?:\n\s*\|[^;\n]*)*)/g,
  /\bVERBS?\b[^=]*=\s*\{([^}]*)\}/g,
  /\b(?:endAll|auditOf|ledgerAudit|write)\(([^;]*?'[a-z]+\.[a-z_]+')/g,
  /\breturn ([^;\n]*'[a-z]+\.[a-z_]+')/g,
];
/** What only reads or arrives asks the policy, and the socket is a file: none is committed. */
const NO_COMMIT = /\.(read|sock|take)$/;
/** The same words as a question to the policy name no commit. */
const QUESTION = /(?:decide\(\s*\{|const request = \{)\s*$/;

/** Every crash point that the sources can reach, sorted: `commit.before:…`, `perform.after:…`, `file.…`, `projector.…`. */
export function pointsInSources(): readonly string[] {
  const texts = SOURCES.flatMap(sourcesUnder);
  const rooms = new Set(
    ['engine', 'store', 'domain'].flatMap((name) => readdirSync(join(ROOT, 'packages', name, 'src'))),
  );
  const actions = new Set(texts.flatMap(actionsIn).filter((name) => rooms.has(name.split('.')[0] ?? '')));
  const kinds = [
    ...readFileSync(join(ROOT, 'packages/engine/src/effect/kind.ts'), 'utf8').matchAll(
      /^\s+\w+: '([a-z]+\.[a-z]+)',$/gm,
    ),
  ];
  const points = texts
    .flatMap((text) => [...text.matchAll(REACHED)].map((found) => found[1] ?? ''))
    .flatMap((point) => {
      if (point.startsWith('commit.')) return [...actions].map((name) => point.replace(/\$\{.*\}/, name));
      return point.includes('${') ? kinds.map((kind) => point.replace(/\$\{.*\}/, kind[1] ?? '')) : [point];
    });
  return [...new Set(points)].sort();
}

function actionsIn(text: string): readonly string[] {
  return COMMITS.flatMap((form) =>
    [...text.matchAll(form)]
      .filter((found) => !QUESTION.test(text.slice(Math.max(0, found.index - 60), found.index)))
      .flatMap((found) => [...(found[1] ?? '').matchAll(NAME)].map((name) => name[1] ?? '')),
  ).filter((name) => !NO_COMMIT.test(name));
}

function sourcesUnder(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !/(\.(test|fixture)|conformance)\.ts$/.test(path))
    .map((path) => readFileSync(join(ROOT, folder, path), 'utf8'));
}

/** Names that no running appliance can commit first, and why. An entry that a kill reaches must go. */
export const EXCEPTIONS: Readonly<Record<string, string>> = {
  'run.start': 'is recorded inside ledger.reserve of the first call',
  'run.succeed': 'is recorded inside run.step of the last call',
  'database.probe': 'needs a full disk, and writes nothing that could be lost',
  'journal.put': 'whoever asks for work queues it in the transaction of the asking',
  'journal.finish': 'every workflow of this version ends its work in a commit of its own',
  'approval.mint': 'is recorded inside effect.propose',
  'effect.void': 'is recorded inside panic.*, gate.*',
  'notify.fail': 'is recorded inside the commit of an outcome',
  'notify.withhold': 'is recorded inside the commit of an outcome',
  'audit.rollback': 'is recorded inside boot.open',
  'context.forget_seen': 'needs places of 90 days, and takes away what is seen anew',
  'notify.prune': 'needs marks of 90 days, and takes away what nobody asks for any more',
  'approval.prune': 'needs buttons that ended 90 days ago, and takes away what nobody can press any more',
  'notify.write': 'nothing in this version gives a notice by itself',
  'run.outcome': 'needs an effect of class F or K, which no tool of this version makes',
  'effect.repeat': 'needs a connector that does not drop repeats',
  'approval.release': 'needs private text, which only a paired person has',
  'identity.renew': 'needs the TLS listener, which these machines do not open; it inserts one row',
  'identity.pair_miss': 'is recorded inside identity.pair_look',
  'connectors.remember':
    'needs a chat platform; chat-kill.test.ts dies over both, and a bookmark that is lost costs a repeat',
  'connectors.forget': 'as connectors.remember',
  'connectors.prune': 'as connectors.remember',
  'intent.ask': 'is recorded inside ingest.accept',
  'intent.begin': 'is recorded inside ingest.accept',
  'intent.supersede': 'is recorded inside ingest.accept',
  'intent.lapse': 'is recorded inside intent.expire',
  'intent.say': 'needs a model made for small work, which these machines do not have',
  'intent.prune': 'needs wishes that ended 90 days ago, and takes away what nobody can say OK to any more',
  'intent.expire': 'needs an hour; it ends what the press of its button would be refused for anyway',
};
