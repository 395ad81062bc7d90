// `npm run demo`: the whole idea in under a minute, with no key and no Docker. Real processes, a real database, the real command line;
// the model is an emulated server on loopback that says what it is told. Exits 0 only when every step did what it says.
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { llm, startLlmServer, until } from '@agent-runtime/testkit';
import { type Ended, type Home, newHome, type Running } from '../src/journeys/journey.fixture.ts';
import { tamper } from './tamper.ts';
import { check, end, quote, say, step } from './tell.ts';

const QUESTION = 'How do I get a refund?';
const POST = 'Hub 2.4 comes on 19 January 2027. The notes are in roadmap.md.';

await demo();

async function demo(): Promise<void> {
  const home = newHome();
  const server = await startLlmServer();
  try {
    await withoutModel(home);
    const approval = await proposal(
      home,
      { AGENT_RUNTIME_LLM_BASE_URL: server.baseUrl, AGENT_RUNTIME_LLM_MODEL: 'demo-model' },
      () =>
        server.next(
          [
            ...llm.toolCalls([
              {
                id: 'c1',
                name: 'post_message',
                arguments: JSON.stringify({ connector: 'memory', channel: 'general', text: POST }),
              },
            ]),
            ...llm.done('tool_calls'),
          ],
          [...llm.text('I have proposed the post; it waits for a person.'), ...llm.done()],
        ),
    );
    await decision(home, approval);
    await proof(home);
  } finally {
    await server.close();
    await home.remove();
  }
  end();
}

/** No key, no model: an answer in quotations, with lines that exist. */
async function withoutModel(home: Home): Promise<void> {
  step('A fresh instance over an example community. No key, no model.');
  const runtime = await home.start();
  say(`$ agent-runtime ask "${QUESTION}"`);
  const answer = await home.ask(QUESTION);
  quote(answer.output ?? '', 6);
  check('it answered', answer.status === 'succeeded');
  const [first] = answer.citations ?? [];
  check('it cited a file and a line', first !== undefined);
  if (first === undefined) return;
  say(`$ agent-runtime open ${first.path}:${first.line}`);
  const line = await home.cli(['open', `${first.path}:${first.line}`]);
  quote(line.out, 2);
  check('the cited line exists', line.code === 0 && line.out.trim() !== '');
  await runtime.stop();
}

/** A model wants to post elsewhere: it may ask, not do. @returns the approval that waits */
async function proposal(
  home: Home,
  model: Readonly<Record<string, string>>,
  script: () => void,
): Promise<string> {
  step('Now a model. It wants to post in another channel. Policy says: ask a human.');
  let runtime: Running = await home.start(model, ['up', '--json']);
  script();
  const answer = await home.ask('Tell #general when Hub 2.4 comes.');
  const [approval = ''] = answer.pending_approvals ?? [];
  quote(answer.output ?? '', 2);
  check(`the act waits as ${approval}`, approval !== '');
  check('nothing has left', home.chat.textsIn('general').length === 0);
  say('The process is killed with -9 and started again.');
  await runtime.kill();
  runtime = await home.start({}, ['up', '--json']);
  say(`$ agent-runtime approval show ${approval}`);
  const shown = await home.cli(['approval', 'show', approval]);
  quote(shown.out, 24);
  check('it still waits, byte for byte', shown.code === 0 && shown.out.includes(POST));
  return approval;
}

/** A human approves those bytes: they leave once; a second approval is refused. */
async function decision(home: Home, approval: string): Promise<void> {
  step('A human approves exactly these bytes.');
  say(`$ agent-runtime approval approve ${approval}`);
  const first = await home.cli(['approval', 'approve', approval]);
  quote(first.out, 3);
  check('approved', first.code === 0);
  await until(() => home.chat.textsIn('general').length > 0, 'the post arrives', 10_000);
  quote(home.chat.textsIn('general')[0] ?? '', 2);
  check('it left, as approved', home.chat.textsIn('general')[0] === POST);
  say(`$ agent-runtime approval approve ${approval}      (again)`);
  const second: Ended = await home.cli(['approval', 'approve', approval]);
  quote(second.err, 2);
  check('the second approval is refused', second.code === 6);
  check('it left exactly once', home.chat.textsIn('general').length === 1);
}

/** The log proves it; a changed copy of the log does not. */
async function proof(home: Home): Promise<void> {
  step('The audit log proves what happened.');
  say('$ agent-runtime audit verify');
  const good = await home.cli(['audit', 'verify']);
  quote(good.out, 2);
  check('the log is whole', good.code === 0);
  await home.cli(['panic', 'status']);
  const copy = join(home.folder, 'copy.sqlite');
  copyFileSync(join(home.dataDir, 'agent-runtime', 'meta.sqlite'), copy);
  copyFileSync(join(home.dataDir, 'agent-runtime', 'meta.sqlite-wal'), `${copy}-wal`);
  tamper(copy);
  say('Somebody changes one word in a copy of the log.');
  say('$ agent-runtime audit verify --file copy.sqlite');
  const bad = await home.cli(['audit', 'verify', '--file', copy]);
  quote(bad.out + bad.err, 3);
  check('the copy fails', bad.code !== 0);
}
