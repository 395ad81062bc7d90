import { AppError, type UserId } from '@agent-runtime/domain';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { bodyOf, build, signed } from './builder.fixture.ts';
import { type Hostile, hostileCertificates, isSignedByCa } from './hostile.fixture.ts';
import { issueClientCert, verifyClientCert, verifyProxyCert, verifyServerCert } from './index.ts';
import { INSTANCE_ID, makeWorld, NOW_MS, type World } from './world.fixture.ts';

// A few seconds of computing; the rest is for machines that do other things meanwhile.
const PATIENT = { timeout: 300_000 };

let world: World;
let judged: readonly (Hostile & { readonly outcomes: ReturnType<typeof outcomesOf> })[];
beforeAll(async () => {
  world = await makeWorld();
  judged = hostileCertificates(world).map((one) => ({ ...one, outcomes: outcomesOf(one.der) }));
}, PATIENT.timeout);

type Outcome = 'accepted' | { readonly code: string; readonly reason: string };

/** Anything thrown but an AppError fails the test. */
function outcomeOf(check: () => unknown): Outcome {
  try {
    check();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { code: error.code, ...(error.detail as { readonly reason: string }) }; // safe: what refusal() writes
  }
  return 'accepted';
}

function outcomesOf(certDer: Uint8Array): Readonly<Record<'client' | 'proxy' | 'server', Outcome>> {
  const input = { certDer, roots: [world.ca.cert], nowMs: NOW_MS };
  return {
    client: asClient(certDer),
    proxy: outcomeOf(() => verifyProxyCert({ ...input, instanceId: INSTANCE_ID })),
    server: outcomeOf(() => verifyServerCert({ ...input, host: 'localhost' })),
  };
}

function asClient(certDer: Uint8Array): Outcome {
  const roots = [world.ca.cert];
  return outcomeOf(() => verifyClientCert({ certDer, roots, instanceId: INSTANCE_ID, nowMs: NOW_MS }));
}

it('the certificate that is changed below is the one we make, byte for byte, and is accepted', () => {
  const { ca, key, parts } = world;
  const userId = world.userId as UserId; // safe: the fixture made it
  const subject = { instanceId: INSTANCE_ID, userId };
  const made = issueClientCert({ ca, publicKey: key.publicKey, subject, nowMs: NOW_MS });
  const serial = Buffer.concat([Uint8Array.of(2, 16), Buffer.from(made.serial, 'hex')]);
  expect(Buffer.from(made.der).toString('hex')).toBe(build({ ...parts, serial }).toString('hex'));
  const refused = (kind: string) => ({ code: `certificate.${kind}.unauthenticated`, reason: 'profile' });
  expect(outcomesOf(world.good)).toEqual({
    client: 'accepted',
    proxy: refused('proxy'),
    server: refused('server'),
  });
});

describe('hostile certificates, each one step away from a good one', () => {
  it('are all different, and none is the good one', () => {
    const seen = new Map([[Buffer.from(world.good).toString('hex'), 'the good one']]);
    const doubles = judged.flatMap(({ what, der }) => {
      const text = Buffer.from(der).toString('hex');
      const before = seen.get(text);
      seen.set(text, what);
      return before === undefined ? [] : [`${what} = ${before}`];
    });
    expect(doubles).toEqual([]);
  });

  it('are all refused as a person', () => {
    const accepted = judged.filter(({ outcomes }) => outcomes.client === 'accepted').map(({ what }) => what);
    const signedOnes = judged.filter((one) => isSignedByCa(one, world)).length;
    console.log(
      `${judged.length - accepted.length} of ${judged.length} refused, ${signedOnes} of them signed by the trusted CA`,
    );
    expect(accepted).toEqual([]);
    expect(judged.length).toBeGreaterThan(600);
    expect(signedOnes).toBeGreaterThan(400);
  });

  it('are refused as server and proxy too, except the two that are one', () => {
    const accepted = judged.filter(({ outcomes }) => [outcomes.proxy, outcomes.server].includes('accepted'));
    expect(accepted.map(({ what }) => what)).toEqual(['chain: a server', 'chain: the proxy']);
  });

  it('meet the check that is meant for them', () => {
    const wrong = judged.flatMap((one) => {
      const { client } = one.outcomes;
      const reason = client === 'accepted' ? client : client.reason;
      const expected = isSignedByCa(one, world) ? ['profile', 'form'] : ['issuer', 'form'];
      return expected.includes(reason) ? [] : [`${one.what}: ${reason}`];
    });
    expect(wrong).toEqual([]);
  });
});

describe('random changes', PATIENT, () => {
  it('of one to four bytes anywhere: refused', () => {
    const { good } = world;
    const flip = fc.record({ at: fc.nat(good.length - 1), xor: fc.integer({ min: 1, max: 255 }) });
    fc.assert(
      fc.property(fc.uniqueArray(flip, { minLength: 1, maxLength: 4, selector: ({ at }) => at }), (flips) => {
        const changed = Uint8Array.from(good);
        for (const { at, xor } of flips) changed[at] = (changed[at] ?? 0) ^ xor;
        expect(asClient(changed)).toMatchObject({ code: 'certificate.client.unauthenticated' });
      }),
      { numRuns: 1_000 },
    );
  });

  it('of one byte of the signed part, signed again by the CA: refused, but for another good serial', () => {
    const body = bodyOf(world.parts);
    const serialAt = body.indexOf(world.serial);
    fc.assert(
      fc.property(fc.nat(body.length - 1), fc.integer({ min: 1, max: 255 }), (at, xor) => {
        const changed = Uint8Array.from(body);
        changed[at] = (changed[at] ?? 0) ^ xor;
        const isSerial = at >= serialAt && at < serialAt + 16;
        const isGoodSerial = isSerial && (at > serialAt || xor < 0x40);
        const outcome = asClient(signed(changed, world.parts));
        if (isGoodSerial) expect(outcome).toBe('accepted');
        else expect(outcome).toMatchObject({ reason: 'profile' });
      }),
      { numRuns: 300 },
    );
  });

  it('bytes of any kind: refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000, size: 'max' }), (bytes) => {
        expect(asClient(bytes)).toMatchObject({ reason: 'form' });
      }),
    );
  });
});
