import {
  ADMIN_PREFIX,
  ADMIN_ROUTES,
  type AdminReply,
  type AdminRoute,
  MAX_BODY_BYTES,
} from '@agent-runtime/domain';
import {
  type ClientKey,
  inviteProof,
  newClientKey,
  parseInvite,
  parseKeyId,
  SOCKET_AUTHORITY,
  serverIdentity,
  signRequest,
  verifyServerProof,
} from '@agent-runtime/pki';
import { makeCsr } from '@agent-runtime/pki/certificate';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  AUTHORITY,
  answer,
  codeIn,
  type DoorWorld,
  LORD,
  MEMBER,
  makeDoor,
  requestOf,
  sharedKey,
} from './admin.fixture.ts';

let key: ClientKey;
let other: ClientKey;
let door: DoorWorld;

beforeAll(async () => {
  [key, other] = await Promise.all([sharedKey(), newClientKey()]);
}, 60_000);
beforeEach(async () => {
  door = await makeDoor(key);
});
afterEach(async () => door.opened.close());

const whoami = () => requestOf(door, 'identity.whoami', {});

describe('a signed request', () => {
  test('is known as the person of its key', async () => {
    const { status, body, boot } = await answer(door, whoami());
    expect(status).toBe(200);
    expect(body).toMatchObject({ name: 'lord', id: LORD });
    expect(boot).toBe(door.parts.about.bootId);
  });

  test('with body, path and query is what the handler gets', async () => {
    const made = await answer(door, requestOf(door, 'user.add', { name: 'ada', display_name: 'Ada' }));
    expect(made).toMatchObject({ status: 200, body: { name: 'ada', display_name: 'Ada' } });
    expect((await answer(door, requestOf(door, 'user.show', { id: 'ada' }))).body).toMatchObject({
      name: 'ada',
    });
    expect(
      (await answer(door, requestOf(door, 'audit.tail', { limit: 1, action: 'identity.add' }))).body,
    ).toMatchObject({ items: [{ action: 'identity.add', actor: LORD }] });
  });

  test('passes once', async () => {
    const request = whoami();
    const copy = request.clone();
    expect((await answer(door, request)).status).toBe(200);
    const again = await answer(door, copy);
    expect([again.status, codeIn(again.body)]).toEqual([401, 'signature.nonce.unauthenticated']);
  });

  test.each<readonly [string, Parameters<typeof requestOf>[3], string]>([
    ['of another boot', { bootId: 'boot-0000000000000000' }, 'signature.boot.unauthenticated'],
    ['that is old', { nowMs: 0 }, 'signature.clock.unauthenticated'],
    ['for another listener', { authority: 'admin.example:8443' }, 'signature.key.unauthenticated'],
    ['with another body', { body: '{"name":"eve"}' }, 'signature.digest.unauthenticated'],
    ['to another path', { path: `${ADMIN_PREFIX}/panic/off` }, 'signature.key.unauthenticated'],
  ])('%s is refused', async (_name, how, code) => {
    const refused = await answer(door, requestOf(door, 'user.add', { name: 'ada' }, how));
    expect([refused.status, codeIn(refused.body)]).toEqual([401, code]);
    expect(refused.boot).toBe(door.parts.about.bootId);
    expect(await door.opened.store.read.get('identity_user', { name: 'ada' })).toBeUndefined();
  });

  test('by an unknown key, a revoked one, or for a person who left is refused with one text', async () => {
    const unknown = await answer(door, requestOf(door, 'identity.whoami', {}, { key: other }));
    await door.enrolled(other, MEMBER);
    expect((await answer(door, requestOf(door, 'identity.whoami', {}, { key: other }))).body).toMatchObject({
      name: 'mia',
    });
    const commit = (table: 'identity_key' | 'identity_user') =>
      door.opened.store.commit({ action: 'test.change', actor: 'test', subject: 'x' }, async (tx) =>
        table === 'identity_key'
          ? tx.update(table, { id: other.keyId }, { revokedAt: 1 })
          : tx.update(table, { id: LORD }, { isActive: false }),
      );
    await commit('identity_key');
    const revoked = await answer(door, requestOf(door, 'identity.whoami', {}, { key: other }));
    await commit('identity_user');
    const left = await answer(door, whoami());
    for (const refused of [unknown, revoked, left]) {
      expect(refused.status).toBe(401);
      expect(refused.body).toEqual(unknown.body);
    }
  });

  test('headers of a proxy prove nothing', async () => {
    const headers = {
      'x-forwarded-client-cert': 'lord',
      'x-client-cert-verified': 'SUCCESS',
      'x-forwarded-for': '127.0.0.1',
    };
    const refused = await answer(door, requestOf(door, 'identity.whoami', {}, { isUnsigned: true, headers }));
    expect([refused.status, codeIn(refused.body)]).toEqual([401, 'signature.request.unauthenticated']);
  });
});

describe('an unsigned request', () => {
  test.each(Object.entries<AdminRoute>(ADMIN_ROUTES))(
    '%s passes on the socket only where the table says so',
    async (_name, route) => {
      const path = ADMIN_PREFIX + route.path.replace(/:[a-z]+/g, 'xxxx');
      const response = await door.app.request(path, {
        method: route.method,
        ...(route.method === 'GET' ? {} : { body: '{}' }),
      });
      if (route.unsigned === true) expect(response.status).not.toBe(401);
      else expect(response.status).toBe(401);
    },
  );

  test('passes nowhere on the network, not even hello and panic: there is no certificate', async () => {
    for (const hop of ['direct', 'proxy'] as const) {
      const network = await makeDoor(key, hop);
      for (const [, route] of Object.entries<AdminRoute>(ADMIN_ROUTES)) {
        const path = ADMIN_PREFIX + route.path.replace(/:[a-z]+/g, 'xxxx');
        const response = await network.app.request(path, {
          method: route.method,
          ...(route.method === 'GET' ? {} : { body: '{}' }),
        });
        expect(response.status).toBe(401);
      }
      const signed = requestOf(network, 'identity.whoami', {}, { authority: AUTHORITY });
      const refused = await answer(network, signed);
      expect([refused.status, codeIn(refused.body)]).toEqual([401, 'admin.certificate.unauthenticated']);
      await network.opened.close();
    }
  });

  test('a bad signature is not the same as none: it is refused also where none is needed', async () => {
    const headers = { signature: 'sig=:AAAA:', 'signature-input': 'sig=()' };
    expect(
      (await answer(door, requestOf(door, 'status.read', {}, { isUnsigned: true, headers }))).status,
    ).toBe(401);
  });

  test('stops everything; starting again needs a signature', async () => {
    expect((await answer(door, requestOf(door, 'panic.on', {}, { isUnsigned: true }))).body).toMatchObject({
      on: true,
      by: 'socket',
    });
    expect((await answer(door, requestOf(door, 'panic.off', {}, { isUnsigned: true }))).status).toBe(401);
    expect(door.parts.panic.isOn()).toBe(true);
    expect((await answer(door, requestOf(door, 'panic.off', {}))).body).toMatchObject({ on: false });
  });
});

describe('errors', () => {
  test('have an envelope and the status of their kind; detail stays inside', async () => {
    const denied = await answer(door, requestOf(door, 'gate.open', {}));
    expect([denied.status, codeIn(denied.body)]).toEqual([500, 'engine.call.bug']);
    expect(JSON.stringify(denied.body)).not.toContain('canary-detail');
    expect(door.log.dump()).toContain('canary-detail');
    const missing = await answer(door, requestOf(door, 'user.show', { id: 'nobody' }));
    expect([missing.status, codeIn(missing.body)]).toEqual([404, 'admin.id.missing']);
    const invalid = await answer(door, requestOf(door, 'user.add', { name: 'Not A Slug' }));
    expect([invalid.status, codeIn(invalid.body)]).toEqual([400, 'contract.value.invalid']);
    await door.enrolled(other, MEMBER);
    const refused = await answer(door, requestOf(door, 'user.list', {}, { key: other }));
    expect([refused.status, codeIn(refused.body)]).toEqual([403, 'policy.admin.denied']);
  });

  test('unknown addresses and members, other bodies and giants are refused', async () => {
    expect((await door.app.request('/admin/v1/nothing')).status).toBe(404);
    expect((await door.app.request('/')).status).toBe(404);
    for (const text of ['not json', '[]', '{"name":"ada","admin":true}']) {
      const route = ADMIN_ROUTES['user.add'];
      const headers = signRequest({
        method: route.method,
        path: ADMIN_PREFIX + route.path,
        query: '',
        authority: SOCKET_AUTHORITY,
        body: new TextEncoder().encode(text),
        key,
        bootId: door.parts.about.bootId,
        nowMs: door.clock.nowMs(),
      });
      const response = await door.app.request(ADMIN_PREFIX + route.path, {
        method: route.method,
        headers: { ...headers },
        body: text,
      });
      expect(response.status).toBe(400);
    }
    const giant = await door.app.request(`${ADMIN_PREFIX}/panic/on`, {
      method: 'POST',
      body: 'x'.repeat(MAX_BODY_BYTES + 1),
    });
    expect(giant.status).toBe(400);
    expect(door.parts.panic.isOn()).toBe(false);
  });
});

describe('enrolment with real keys', () => {
  const enrol = (code: string, fresh: ClientKey) => {
    const invite = parseInvite(code);
    const request = makeCsr(fresh);
    const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
    return requestOf(
      door,
      'key.enrol',
      {
        invite_id: invite.inviteId,
        request: base64url(request),
        proof: base64url(inviteProof({ invite, request })),
        name: 'laptop',
      },
      { isUnsigned: true },
    );
  };
  const invited = async () => {
    const { body } = await answer(
      door,
      requestOf(door, 'invite.create', { user: 'mia' }, { isUnsigned: true }),
    );
    return (body as { readonly code: string }).code; // safe: looked at by the tests below
  };

  test('the key signs from then on, and the server proved that it knew the code', async () => {
    const code = await invited();
    const { status, body } = await answer(door, enrol(code, other));
    expect(status).toBe(200);
    const reply = body as AdminReply<'key.enrol'>; // safe: used as such below
    verifyServerProof({
      invite: parseInvite(code),
      serverIdentity: serverIdentity(reply),
      keyId: parseKeyId(reply.key_id),
      proof: new Uint8Array(Buffer.from(reply.proof, 'base64url')),
    });
    expect((await answer(door, requestOf(door, 'identity.whoami', {}, { key: other }))).body).toMatchObject({
      name: 'mia',
    });
    const used = await answer(door, enrol(code, other));
    expect([used.status, codeIn(used.body)]).toEqual([401, 'invite.proof.unauthenticated']);
  });

  test('a code that is late or of another invite opens nothing', async () => {
    const code = await invited();
    const request = makeCsr(other);
    const foreign = (
      await answer(
        door,
        requestOf(
          door,
          'key.enrol',
          {
            invite_id: parseInvite(await invited()).inviteId,
            request: Buffer.from(request).toString('base64url'),
            proof: Buffer.from(inviteProof({ invite: parseInvite(code), request })).toString('base64url'),
            name: 'x',
          },
          { isUnsigned: true },
        ),
      )
    ).status;
    expect(foreign).toBe(401);
    door.clock.jumpWall(600_000);
    expect((await answer(door, enrol(code, other))).status).toBe(401);
  });
});

describe('the description', () => {
  test('lists every route, and is for those who sign', async () => {
    const path = `${ADMIN_PREFIX}/openapi.json`;
    expect((await door.app.request(path)).status).toBe(401);
    const headers = signRequest({
      method: 'GET',
      path,
      query: '',
      authority: SOCKET_AUTHORITY,
      body: new Uint8Array(),
      key,
      bootId: door.parts.about.bootId,
      nowMs: door.clock.nowMs(),
    });
    const document = (await (await door.app.request(path, { headers: { ...headers } })).json()) as {
      readonly paths: Record<string, Record<string, { readonly operationId: string }>>;
    }; // safe: checked below
    const names = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map((one) => one.operationId),
    );
    expect(names.sort()).toEqual(Object.keys(ADMIN_ROUTES).sort());
  });
});
