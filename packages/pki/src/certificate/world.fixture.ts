// What the tests of hostile certificates share: CAs, keys, and the good certificate that all others are one step away from.
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { parseId, type UserId } from '@agent-runtime/domain';
import { type ClientKey, newClientKey } from '../key/index.ts';
import { build, goodParts, type Parts } from './builder.fixture.ts';
import { type Ca, newCa } from './index.ts';

export const NOW_MS = Date.UTC(2026, 10, 30, 12, 0, 0, 250);
export const CA_NAME = 'agent-runtime CA 2026';
export const INSTANCE_ID = 'instance-1';
export const USER_ID: UserId = parseId('user', 'user_0123456789');

export interface World {
  readonly ca: Ca;
  /** Has the trusted CA's name. */
  readonly foreign: Ca;
  readonly key: ClientKey;
  readonly other: ClientKey;
  readonly weak: readonly (readonly [string, KeyObject])[];
  readonly instanceId: string;
  readonly userId: UserId;
  readonly uri: string;
  readonly serial: Uint8Array;
  readonly parts: Parts;
  /** What all the others are one step away from. */
  readonly good: Uint8Array;
}

export async function makeWorld(): Promise<World> {
  const [ca, foreign, key, other] = await Promise.all([
    newCa({ commonName: CA_NAME, nowMs: NOW_MS }),
    newCa({ commonName: CA_NAME, nowMs: NOW_MS }),
    newClientKey(),
    newClientKey(),
  ]);
  const serial = Buffer.from('4123456789abcdef0123456789abcdef', 'hex');
  const parts = goodParts({
    caName: CA_NAME,
    caKey: ca.privateKey,
    caPublicKey: ca.cert.publicKey,
    publicKey: key.publicKey,
    serial,
    notBefore: '261130115500Z',
    notAfter: '261230120000Z',
    instanceId: INSTANCE_ID,
    userId: USER_ID,
  });
  return {
    ca,
    foreign,
    key,
    other,
    weak: weakKeys(),
    instanceId: INSTANCE_ID,
    userId: USER_ID,
    uri: `urn:agent-runtime:${INSTANCE_ID}:user:${USER_ID}`,
    serial,
    parts,
    good: build(parts),
  };
}

function weakKeys(): World['weak'] {
  const rsa = (modulusLength: number): KeyObject => generateKeyPairSync('rsa', { modulusLength }).publicKey;
  return [
    ['RSA of 1024 bits', rsa(1024)],
    ['RSA of 2048 bits', rsa(2048)],
    ['RSA of 3064 bits', rsa(3064)],
    ['P-256', generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey],
    ['P-384', generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey],
    ['Ed25519', generateKeyPairSync('ed25519').publicKey],
    ['X25519', generateKeyPairSync('x25519').publicKey],
  ];
}
