import {
  AppError,
  type ContextDetail,
  type SeenRow,
  showHidden,
  type WorkspaceDetail,
} from '@agent-runtime/domain';
import { type CommandHandler, type CommandRun, listOption, textArg, textOption } from '../cli/command.ts';
import { bindCommand, bindingText } from '../screen/binding.ts';
import { labelMarks } from '../screen/label.ts';
import { facts, shortTime, table, wrapped } from '../screen/table.ts';
import { choiceOption, given, mistyped, numberOption, placeOf, settingsOf } from './input.ts';

export const workspaceList: CommandHandler = async (run) => {
  const reply = await (await run.client()).call('workspace.list', {});
  run.show(reply, () =>
    reply.items.length === 0
      ? 'No workspace. Make one: agent-runtime workspace create community'
      : table(
          reply.items,
          [
            { name: 'id', of: (row) => row.id },
            { name: 'kind', of: (row) => row.kind },
            { name: 'your role', of: (row) => row.role },
            { name: 'title', of: (row) => row.title },
          ],
          run.world.columns,
        ),
  );
};

export const workspaceShow: CommandHandler = async (run) => {
  const detail = await (await run.client()).call('workspace.show', { id: textArg(run, 0) });
  run.show(detail, () => workspaceText(detail, run.world.columns));
};

export const workspaceCreate: CommandHandler = async (run) => {
  const title = textOption(run, 'title');
  const detail = await (await run.client()).call('workspace.create', {
    id: textArg(run, 0),
    ...(title === undefined ? {} : { title }),
    kind: run.options.private === true ? 'private' : 'community',
  });
  run.show(
    detail,
    () => `${detail.id} is there. Put Markdown into data/workspaces/${detail.id}/ and ask about it.`,
  );
};

export const workspaceSet: CommandHandler = async (run) => {
  const detail = await (await run.client()).call(
    'workspace.set',
    given({
      id: textArg(run, 0),
      title: textOption(run, 'title'),
      outside_edits: choiceOption(run, 'outsideEdits', '--outside-edits', ['staff', 'review'] as const),
      concurrency: numberOption(run, 'concurrency', '--concurrency'),
      approvers_for_high: numberOption(run, 'approversForHigh', '--approvers-for-high'),
      time_zone: textOption(run, 'timeZone'),
      bind: bindingsOption(run, 'bind'),
      unbind: bindingsOption(run, 'unbind'),
      ...settingsOf(run),
    }),
  );
  run.show(detail, () => workspaceText(detail, run.world.columns));
};

/** `telegram:123/-100456`: connector, account and group. @throws AppError tui.usage.invalid */
function bindingsOption(run: CommandRun, name: 'bind' | 'unbind') {
  return listOption(run, name)?.map((text) => {
    const [, connector, account, group] = /^([^:/]+):([^/]+)\/(.+)$/.exec(text) ?? [];
    if (connector === undefined || account === undefined || group === undefined)
      throw mistyped(
        `--${name} takes CONNECTOR:ACCOUNT/GROUP, as \`context list\` shows it, not "${showHidden(text)}".`,
      );
    return { connector, account, group };
  });
}

function workspaceText(detail: WorkspaceDetail, columns: number): string {
  return facts([
    ['Workspace', detail.id],
    ['Title', showHidden(detail.title)],
    ['Kind', detail.kind],
    ['Owner', detail.owner],
    ['Your role', detail.role],
    ['Edits on disk', detail.outside_edits === 'staff' ? 'count at once' : 'wait for label approve'],
    ['At once', `${detail.concurrency} runs`],
    ['Approvers', `${detail.approvers_for_high} for tier high`],
    ['Time zone', detail.time_zone],
    ['Tools', list(detail.tools, columns)],
    ['Models', detail.models.length === 0 ? 'whatever there is' : detail.models.join(', ')],
    ['Takes', detail.bindings.length === 0 ? undefined : list(detail.bindings.map(bindingText), columns)],
    ['Contexts', list(detail.contexts, columns)],
  ]);
}

/** Width of the longest name in these facts with its gap. */
const NAMES_WIDTH = 16;

function list(items: readonly string[], columns: number): string {
  return items.length === 0 ? 'none' : wrapped(items, columns - NAMES_WIDTH);
}

export const contextList: CommandHandler = async (run) => {
  const { workspace } = placeOf(run);
  const reply = await (await run.client()).call('context.list', workspace === undefined ? {} : { workspace });
  run.show(reply, () =>
    [
      reply.items.length === 0
        ? 'No contexts. Bind a channel: agent-runtime context bind --help'
        : table(
            reply.items,
            [
              { name: 'id', of: (row) => row.id },
              { name: 'readers', of: (row) => row.openness },
              { name: 'workspace', of: (row) => row.workspace },
              { name: 'stands for', of: (row) => `${row.connector}:${row.account} ${row.channel}` },
            ],
            run.world.columns,
          ),
      ...(reply.unbound.length === 0 ? [] : [unboundText(reply.unbound, run.world.columns)]),
    ].join('\n\n'),
  );
};

/** What was seen and is bound to nothing, and how it is bound. */
function unboundText(places: readonly SeenRow[], columns: number): string {
  const [first] = places.filter((place) => !place.is_gone);
  return [
    'Seen, but unbound: nobody is answered there.',
    table(
      places,
      [
        { name: 'unbound', of: (row) => `${row.connector}:${row.account} ${showHidden(row.channel)}` },
        { name: 'kind', of: (row) => (row.is_gone ? `${row.kind}, left` : row.kind) },
        { name: 'last seen', of: (row) => shortTime(row.last_seen_at) },
        {
          name: 'in',
          of: (row) => (row.group === undefined || row.group === row.channel ? '' : showHidden(row.group)),
        },
        { name: 'title', of: (row) => showHidden(row.title) },
      ],
      columns,
    ),
    ...(first === undefined ? [] : [`Bind one: ${bindCommand(first)}`]),
  ].join('\n');
}

export const contextShow: CommandHandler = async (run) => {
  const detail = await (await run.client()).call('context.show', { id: textArg(run, 0) });
  run.show(detail, () => contextText(detail, run.world.columns));
};

export const contextSet: CommandHandler = async (run) => {
  if (run.options.open === true && run.options.closed === true) throw mistyped('Choose --open or --closed.');
  const openness = run.options.open === true ? 'open' : run.options.closed === true ? 'closed' : undefined;
  const detail = await (await run.client()).call(
    'context.set',
    given({ id: textArg(run, 0), title: textOption(run, 'title'), openness, ...settingsOf(run) } as const),
  );
  run.show(detail, () => contextText(detail, run.world.columns));
};

export const contextBind: CommandHandler = async (run) => {
  const [connector = '', account = ''] = textArg(run, 0).split(':');
  if (connector === '' || account === '')
    throw mistyped('Name the connector and its account: agent-runtime context bind memory:demo general');
  const { workspace } = placeOf(run);
  if (workspace === undefined) throw mistyped('--workspace is needed: the channel belongs to one.');
  const detail = await (await run.client()).call(
    'context.bind',
    given({
      workspace,
      connector,
      account,
      channel: textArg(run, 1),
      id: textOption(run, 'id'),
      title: textOption(run, 'title'),
      kind: choiceOption(run, 'kind', '--kind', ['channel', 'thread', 'group'] as const),
      openness: run.options.closed === true ? ('closed' as const) : undefined,
    }),
  );
  run.show(detail, () => contextText(detail, run.world.columns));
};

function contextText(detail: ContextDetail, columns: number): string {
  return facts([
    ['Context', detail.id],
    ['Title', showHidden(detail.title)],
    ['Workspace', detail.workspace],
    ['Readers', detail.openness === 'open' ? 'strangers too (open)' : 'members (closed)'],
    ['Stands for', `${detail.connector}:${detail.account} ${detail.channel} (${detail.kind})`],
    ['Owner', detail.owner],
    ['Direct with', detail.direct_with],
    ['Guests', detail.guests],
    ['Tools', list(detail.tools, columns)],
    ['Models', detail.models.length === 0 ? 'whatever there is' : detail.models.join(', ')],
    ['Temperature', detail.temperature],
    ['Longest answer', detail.max_output_tokens],
    ['Queue', `${detail.max_queued} messages, ${Math.round(detail.run_deadline_ms / 1000)} s per run`],
    ['Tokens a day', detail.tokens_per_day],
    ['Says', detail.output === 'all' ? 'answers and notices' : 'answers only'],
    ['Acknowledges', detail.acknowledge],
    ['A minute', `${detail.messages_per_minute} questions of one person`],
    ['Longest question', detail.max_prompt_chars],
  ]);
}

export const labelList: CommandHandler = async (run) => {
  const prefix = textOption(run, 'prefix');
  const reply = await (await run.client()).call('label.list', {
    ...placeOf(run),
    ...(prefix === undefined ? {} : { prefix }),
  });
  run.show(reply, () =>
    reply.items.length === 0
      ? 'No files there.'
      : table(
          reply.items,
          [
            { name: 'path', of: (row) => row.path },
            { name: 'label', of: (row) => labelMarks(row) },
          ],
          run.world.columns,
        ),
  );
};

export const labelApprove: CommandHandler = async (run) => {
  await relabel(run, 'label.approve');
};
export const labelPublish: CommandHandler = async (run) => {
  await relabel(run, 'label.publish');
};

async function relabel(run: CommandRun, route: 'label.approve' | 'label.publish'): Promise<void> {
  const { workspace } = placeOf(run);
  const hash = textOption(run, 'hash');
  const row = await (await run.client()).call(route, {
    path: textArg(run, 0),
    ...(workspace === undefined ? {} : { workspace }),
    ...(hash === undefined ? {} : { hash: asDigest(hash) }),
  });
  run.show(row, () => `${row.path}: ${row.words}.`);
}

function asDigest(text: string): `sha256:${string}` {
  if (text.startsWith('sha256:')) return text as `sha256:${string}`; // safe: the prefix was checked; the server checks the rest
  throw mistyped('--hash takes a value such as sha256:…, as `label list --json` prints it.');
}

export const memoryList: CommandHandler = async (run) => {
  const reply = await (await run.client()).call('memory.list', placeOf(run));
  run.show(reply, () =>
    reply.items.length === 0
      ? 'Memory has not been changed yet.'
      : table(
          reply.items,
          [
            { name: 'id', of: (row) => row.id },
            { name: 'at', of: (row) => shortTime(row.at) },
            {
              name: 'lines',
              of: (row) => `+${row.added} -${row.removed}${row.undone_at === undefined ? '' : ' undone'}`,
            },
            { name: 'by', of: (row) => row.by },
            { name: 'path', of: (row) => row.path },
          ],
          run.world.columns,
        ),
  );
};

export const memoryUndo: CommandHandler = async (run) => {
  const reply = await (await run.client()).call('memory.undo', { id: textArg(run, 0) });
  run.show(reply, () => reply.message);
};

export const search: CommandHandler = async (run) => {
  const place = choiceOption(run, 'in', '--in', ['mail', 'logs', 'tasks'] as const);
  const reply = await (await run.client()).call('search.query', {
    ...placeOf(run),
    q: textArg(run, 0),
    ...(place === undefined ? {} : { in: place }),
  });
  run.show(reply, () =>
    reply.items.length === 0
      ? `Nothing found (${reply.level} search). Try other words.`
      : reply.items
          .map((hit) => `${showHidden(hit.path)}:${hit.line}  ${hit.snippet}`.slice(0, run.world.columns))
          .join('\n'),
  );
};

export const openFile: CommandHandler = async (run) => {
  const { path, from, to } = splitLines(textArg(run, 0));
  const { workspace } = placeOf(run);
  const reply = await (await run.client()).call('file.open', given({ path, from, to, workspace }));
  if (from !== undefined && reply.lines.length === 0) throw noSuchLine(reply);
  const size = String(reply.from + reply.lines.length).length;
  run.show(reply, () =>
    reply.lines.length === 0
      ? `${reply.path} has ${reply.total_lines} lines.`
      : reply.lines.map((line, i) => `${String(reply.from + i).padStart(size)}  ${line}`).join('\n'),
  );
};

function noSuchLine(file: { readonly path: string; readonly total_lines: number }): AppError {
  return new AppError({
    code: 'tui.line.missing',
    kind: 'missing',
    message: `${file.path} has ${file.total_lines} lines.`,
  });
}

/** `faq.md:10-20` -> path and lines. */
function splitLines(text: string): { path: string; from?: number | undefined; to?: number | undefined } {
  const match = /^(.+):(\d{1,7})(?:-(\d{1,7}))?$/.exec(text);
  if (match?.[1] === undefined) return { path: text };
  const from = Number(match[2]);
  const to = match[3] === undefined ? from : Number(match[3]);
  if (from < 1 || to < from) throw mistyped('Lines are counted from 1: agent-runtime open faq.md:10-20');
  return { path: match[1], from, to };
}
