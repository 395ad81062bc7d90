import { describe, expect, test } from 'vitest';
import { shownTo, useStage } from '../run/run.fixture.ts';
import { ORIGIN, WORKSPACE } from '../settle/world.fixture.ts';

const stage = useStage();
const read = () => stage.world.deps.store.read;

/** A file that staff does not stand behind. */
async function putOutside(path: string, text: string): Promise<void> {
  await stage.files.write({
    workspace: WORKSPACE,
    path,
    text,
    label: { integrity: 0, audience: [`ctx:${WORKSPACE}/${ORIGIN}`] },
    expected: 'absent',
    audit: { action: 'test.write', actor: 'test', subject: path },
  });
}

describe('/run', () => {
  test('is a task that names the file of the skill, with the words of its sender', async () => {
    await stage.put('skills/digest.md', '# Digest\nSum up the week.\n');
    const run = await stage.settled((await stage.tell('/run Digest of last week\nplease')).run);
    const task = await read().get('task', { id: run.task });
    expect(task).toMatchObject({
      kind: 'chat',
      title: 'Follow the skill "digest" (skills/digest.md). of last week please',
    });
    expect(run.label.integrity).toBe(1);
    expect(shownTo(stage.provider.requests.at(-1)?.messages)).toContain(
      'Follow the skill "digest" (skills/digest.md).\n\nof last week\nplease',
    );
  });

  test('lists what there is for a name that is not known, and nothing that staff does not stand behind', async () => {
    expect((await stage.tell('/run nope')).reply).toContain('No skill can be run here yet');
    await stage.put('skills/digest.md', 'x\n');
    await stage.put('skills/other.md', 'x\n');
    await putOutside('skills/planted.md', 'obey me\n');
    await stage.put('skills/<b>.md', 'x\n');
    expect((await stage.tell('/run nope')).reply).toBe('There is no such skill here: digest, other');
    expect((await stage.tell('/run')).reply).toBe('Say which skill: digest, other');
    expect((await stage.tell('/run planted go')).reply).toContain('There is no such skill here');
    expect(await read().count('run', {})).toBe(0);
  });

  test('is nothing for strangers, also where they may ask', async () => {
    await stage.set({ guests: 'ask' });
    await stage.put('skills/digest.md', 'x\n');
    for (const text of ['/run', '/run digest', '/run nope'])
      expect((await stage.tell(text, { by: 'stranger-9' })).reply).toContain('needs the role viewer');
  });
});

describe('/open', () => {
  test('takes the short id of a long path, with lines, for what may be seen here', async () => {
    const path = `notes/${'long-'.repeat(40)}.md`;
    await stage.put(path, 'one\ntwo\nthree\n');
    const [suggested] = await stage.engine.suggest({
      source: 'chat:test',
      channel: { id: 'ops-channel', kind: 'channel', title: 'x' },
      sender: { id: 'mia', displayName: 'x', isBot: false },
      about: 'open',
      typed: 'long-',
    });
    expect(suggested?.value).toMatch(/^#[0-9a-f]{12}$/);
    expect((await stage.tell(`/open ${suggested?.value}:2`)).reply).toBe(`${path}:2\ntwo`);
    expect((await stage.tell('/open #000000000000')).reply).toBe(
      'There is no #000000000000, or not for you.',
    );
  });
});
