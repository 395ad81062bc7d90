import { ADMIN_PREFIX, type WorkspaceDetail } from '@agent-runtime/domain';
import type { ClientKey } from '@agent-runtime/pki';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ACME, codeIn, type DoorWorld, makeDoor, requestOf, sharedKey } from './admin.fixture.ts';
import { openApiDocument } from './openapi.ts';

let key: ClientKey;
let door: DoorWorld;

beforeAll(async () => {
  key = await sharedKey();
}, 60_000);
beforeEach(async () => {
  door = await makeDoor(key);
}, 60_000); // the first one makes a CA
afterEach(async () => door.opened.close());

const OTHER = 'f'.repeat(16);
const show = (headers: Record<string, string> = {}) =>
  door.app.fetch(requestOf(door, 'workspace.show', { id: ACME }, { headers }));
const rename = (title: string, match: string | undefined, headers: Record<string, string> = {}) =>
  door.app.fetch(requestOf(door, 'workspace.set', { id: ACME, title, if_match: match }, { headers }));
const titleNow = async () => (await door.opened.store.read.get('workspace', { id: ACME }))?.title;
async function etagNow(): Promise<string> {
  return ((await (await show()).json()) as WorkspaceDetail).etag; // safe: the reply of that route
}

describe('an answer with a version', () => {
  test('names it in its header as well, and an edit answers the next one', async () => {
    const etag = await etagNow();
    expect((await show()).headers.get('etag')).toBe(`"${etag}"`);
    const edited = await rename('Renamed', etag);
    const next = ((await edited.json()) as WorkspaceDetail).etag; // safe: the reply of that route
    expect(next).not.toBe(etag);
    expect(edited.headers.get('etag')).toBe(`"${next}"`);
    expect((await show()).headers.get('etag')).toBe(`"${next}"`);
  });

  test('is not sent again to who has it, until it is another', async () => {
    const etag = await etagNow();
    for (const known of [`"${etag}"`, `"${OTHER}", W/"${etag}"`, '*']) {
      const answer = await show({ 'if-none-match': known });
      expect([answer.status, await answer.text()]).toEqual([304, '']);
      expect(answer.headers.get('etag')).toBe(`"${etag}"`);
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
    expect((await show({ 'if-none-match': `"${OTHER}"` })).status).toBe(200);
    expect((await show({ 'if-none-match': etag })).status).toBe(200);
    await rename('Renamed', etag);
    expect((await show({ 'if-none-match': `"${etag}"` })).status).toBe(200);
  });

  test('an edit is carried out whatever the asker says to have', async () => {
    expect((await rename('Renamed', undefined, { 'if-none-match': '*' })).status).toBe(200);
    expect(await titleNow()).toBe('Renamed');
  });
});

describe('the condition of an edit', () => {
  test('is the signed member; the header may repeat it', async () => {
    const etag = await etagNow();
    expect((await rename('First', etag, { 'if-match': `"${etag}"` })).status).toBe(200);
    const late = await rename('Second', etag, { 'if-match': `"${etag}"` });
    expect([late.status, codeIn(await late.json())]).toEqual([409, 'admin.version.conflict']);
    expect(await titleNow()).toBe('First');
  });

  test('is refused where the header says what the signature does not', async () => {
    const etag = await etagNow();
    for (const [match, header] of [
      [undefined, `"${etag}"`],
      [undefined, '*'],
      [etag, `"${OTHER}"`],
      [etag, '*'],
      [etag, etag],
      [etag, `W/"${etag}"`],
      [etag, `"${etag}", "${OTHER}"`],
      [undefined, ''],
    ] as const) {
      const refused = await rename('Never', match, { 'if-match': header });
      expect([header, refused.status, codeIn(await refused.json())]).toEqual([
        header,
        400,
        'admin.match.invalid',
      ]);
    }
    expect(await titleNow()).toBe('Acme');
  });

  test('is refused too where a route knows none', async () => {
    const headers = { 'if-match': `"${OTHER}"` };
    const refused = await door.app.fetch(requestOf(door, 'user.add', { name: 'ada' }, { headers }));
    expect([refused.status, codeIn(await refused.json())]).toEqual([400, 'admin.match.invalid']);
    expect(await door.opened.store.read.get('identity_user', { name: 'ada' })).toBeUndefined();
  });

  test('tells a stranger nothing', async () => {
    const how = { isUnsigned: true, headers: { 'if-match': `"${OTHER}"` } };
    const refused = await door.app.fetch(requestOf(door, 'workspace.set', { id: ACME }, how));
    expect(refused.status).toBe(401);
  });
});

test('the description has the headers', () => {
  const document = openApiDocument('1') as {
    readonly paths: Record<string, Record<string, object>>;
  }; // safe: looked at below
  const workspace = document.paths[`${ADMIN_PREFIX}/workspace/{id}`];
  const header = (name: string) => expect.objectContaining({ in: 'header', name });
  const tagged = expect.objectContaining({ headers: expect.objectContaining({ ETag: expect.anything() }) });
  expect(workspace?.get).toMatchObject({
    parameters: expect.arrayContaining([header('If-None-Match')]),
    responses: { 200: tagged, 304: expect.anything() },
  });
  expect(workspace?.put).toMatchObject({
    parameters: expect.arrayContaining([header('If-Match')]),
    responses: { 200: tagged },
  });
  expect(document.paths[`${ADMIN_PREFIX}/user`]?.get).not.toMatchObject({ responses: { 200: tagged } });
});
