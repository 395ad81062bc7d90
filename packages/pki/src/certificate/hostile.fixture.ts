// A good certificate of a person and hundreds of bad ones, each one step away. Most are signed by the very CA that is
// trusted: the signature alone would let them in.
import { constants, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import {
  ascii,
  bitString,
  bodyOf,
  build,
  extension,
  hex,
  int,
  keyId,
  NULL,
  name,
  OID,
  octets,
  seq,
  signed,
  TRUE,
  tlv,
} from './builder.fixture.ts';
import { bodyChanges } from './hostile-body.fixture.ts';
import { extensionChanges } from './hostile-extensions.fixture.ts';
import { issueClientCert, issueProxyCert, issueServerCert } from './index.ts';
import { INSTANCE_ID, NOW_MS, USER_ID, type World } from './world.fixture.ts';

/** One hostile certificate. */
export interface Hostile {
  readonly what: string;
  readonly der: Uint8Array;
}

export function hostileCertificates(world: World): readonly Hostile[] {
  const changed = [...extensionChanges(world), ...bodyChanges(world)].map(([what, change]) => ({
    what,
    der: build({ ...world.parts, ...change }),
  }));
  return [...changed, ...signatures(world), ...forms(world), ...truncations(world), ...chains(world)];
}

const list = (certs: readonly (readonly [string, Uint8Array])[]): readonly Hostile[] =>
  certs.map(([what, der]) => ({ what, der }));

// The signature: every part of it touched, other keys, other paddings.
function signatures(world: World): readonly Hostile[] {
  const { parts, good, ca, foreign, key, other } = world;
  const body = bodyOf(parts);
  const signature = good.subarray(-384);
  const wrap = (bits: Uint8Array): Buffer => seq(body, parts.outerAlgorithm, bits);
  const flips = Array.from({ length: 48 }, (_, at): readonly [string, Uint8Array] => {
    const offset = good.length - 384 + at * 8;
    return [
      `signature: bit ${at % 8} of byte ${at * 8}`,
      good.with(offset, (good[offset] ?? 0) ^ (1 << (at % 8))),
    ];
  });
  const pss = sign('sha512', body, {
    key: ca.privateKey,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: 64,
  });
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  return list([
    ...flips,
    [
      'signature: by the foreign CA of the same name, with the key id of ours',
      build({ ...parts, signer: foreign.privateKey }),
    ],
    ['signature: by its own key', build({ ...parts, signer: key.privateKey })],
    ['signature: by another client, under the name of the CA', build({ ...parts, signer: other.privateKey })],
    ['signature: PSS', wrap(bitString(pss))],
    ['signature: of an elliptic curve', wrap(bitString(sign('sha512', body, ec)))],
    ['signature: of another certificate', wrap(bitString(ca.cert.der.subarray(-384)))],
    ['signature: all zero', wrap(bitString(Buffer.alloc(384)))],
    ['signature: one', wrap(bitString(Buffer.concat([Buffer.alloc(383), hex('01')])))],
    ['signature: all ff', wrap(bitString(Buffer.alloc(384, 0xff)))],
    ['signature: empty', wrap(bitString(Buffer.alloc(0)))],
    ['signature: a byte shorter', wrap(bitString(signature.subarray(0, -1)))],
    ['signature: a byte longer', wrap(bitString(Buffer.concat([signature, hex('00')])))],
    ['signature: a zero in front', wrap(bitString(Buffer.concat([hex('00'), signature])))],
    ['signature: with unused bits', wrap(bitString(signature, 1))],
    ['signature: as bytes', wrap(octets(signature))],
    ['signature: left out', seq(body, parts.outerAlgorithm)],
    ['signature: twice', wrap(Buffer.concat([bitString(signature), bitString(signature)]))],
  ]);
}

// Around the certificate: more bytes, other wrappings, BER.
function forms(world: World): readonly Hostile[] {
  const { parts, good, ca } = world;
  const bytes = Buffer.from(good);
  const body = bodyOf(parts);
  const inner = bytes.subarray(4);
  const pem = `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64')}\n-----END CERTIFICATE-----\n`;
  const content = body.subarray(4);
  const long = Buffer.concat([hex('308300'), body.subarray(2)]);
  const open = Buffer.concat([hex('3080'), content, hex('0000')]);
  const tail = Buffer.concat([parts.outerAlgorithm, bitString(good.subarray(-384))]);
  return list([
    ['form: nothing', new Uint8Array()],
    ['form: one byte', hex('30')],
    ['form: a zero byte behind', Buffer.concat([bytes, hex('00')])],
    ['form: a line break behind', Buffer.concat([bytes, hex('0a')])],
    ['form: a NULL behind', Buffer.concat([bytes, NULL])],
    ['form: a zero byte in front', Buffer.concat([hex('00'), bytes])],
    ['form: twice', Buffer.concat([bytes, bytes])],
    ['form: the CA behind', Buffer.concat([bytes, ca.cert.der])],
    ['form: the CA in front', Buffer.concat([ca.cert.der, bytes])],
    ['form: PEM', ascii(pem)],
    ['form: PEM twice', ascii(pem + pem)],
    ['form: PEM and the CA', ascii(pem + ca.cert.pem)],
    ['form: DER and PEM', Buffer.concat([bytes, ascii(pem)])],
    ['form: base64', ascii(bytes.toString('base64'))],
    ['form: hex', ascii(bytes.toString('hex'))],
    ['form: in a SEQUENCE', seq(bytes)],
    ['form: in a list with the CA', seq(bytes, ca.cert.der)],
    ['form: in an OCTET STRING', octets(bytes)],
    ['form: a SET outside', Buffer.concat([hex('31'), bytes.subarray(1)])],
    ['form: an application tag', Buffer.concat([hex('70'), bytes.subarray(1)])],
    ['form: with auxiliary trust', Buffer.concat([bytes, seq(seq(oidOf(OID.clientAuth)))])],
    ['form: long length outside', Buffer.concat([hex('308300'), bytes.subarray(2)])],
    ['form: length 84 outside', Buffer.concat([hex('30840000'), bytes.subarray(2)])],
    ['form: open length outside', Buffer.concat([hex('3080'), inner, hex('0000')])],
    [
      'form: length one too small',
      Buffer.concat([bytes.subarray(0, 3), Uint8Array.of((bytes[3] ?? 0) - 1), inner]),
    ],
    [
      'form: length one too large',
      Buffer.concat([bytes.subarray(0, 3), Uint8Array.of((bytes[3] ?? 0) + 1), inner]),
    ],
    ['form: a part more behind the signature', seq(body, tail, NULL)],
    ['form: a part more in front', seq(NULL, body, tail)],
    ['form: no body', seq(tail)],
    ['form: an empty body, signed', signed(seq(), parts)],
    ['form: a body of text, signed', signed(ascii('hello'), parts)],
    ['form: an empty message, signed', signed(Buffer.alloc(0), parts)],
    ['form: two bodies, signed', signed(Buffer.concat([body, body]), parts)],
    ['form: a body and a NULL, signed', signed(Buffer.concat([body, NULL]), parts)],
    ['form: a body with long length, signed', signed(long, parts)],
    ['form: a body with open length, signed', signed(open, parts)],
    ['form: a body as SET, signed', signed(Buffer.concat([hex('31'), body.subarray(1)]), parts)],
    ['form: a deep body, signed', signed(Buffer.from('3080'.repeat(900), 'hex'), parts)],
    ['form: 8 KB', Buffer.concat([bytes, Buffer.alloc(8_192)])],
  ]);
}

const oidOf = (content: Uint8Array): Buffer => tlv(0x06, content);

// Cut at the end; cut in the signed part and signed again.
function truncations({ good, parts }: World): readonly Hostile[] {
  const body = bodyOf(parts);
  const cut = Array.from({ length: 40 }, (_, at) => Math.floor((good.length * (at + 1)) / 41));
  const cutBody = Array.from({ length: 30 }, (_, at) => Math.floor((body.length * (at + 1)) / 31));
  return [
    ...cut.map((length) => ({ what: `cut to ${length} bytes`, der: good.subarray(0, length) })),
    ...cutBody.map((length) => ({
      what: `body cut to ${length} bytes, signed`,
      der: signed(body.subarray(0, length), parts),
    })),
  ];
}

// Good certificates in the wrong place, and certificates by those who may not sign.
function chains(world: World): readonly Hostile[] {
  const { ca, foreign, key, other, parts } = world;
  const subject = { instanceId: INSTANCE_ID, userId: USER_ID };
  const { publicKey } = key;
  const server = { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] };
  const byOther = { ...parts, signer: other.privateKey };
  const akiOf = (publicKey: KeyObject) =>
    parts.extensions.with(4, extension(OID.authorityKeyId, seq(tlv(0x80, keyId(publicKey)))));
  const caExtensions = (path: Uint8Array) => [
    extension(OID.basicConstraints, seq(TRUE, path), TRUE),
    extension(OID.keyUsage, bitString(hex('06'), 1), TRUE),
    ...parts.extensions.slice(3, 5),
  ];
  return list([
    ['chain: the CA itself', ca.cert.der],
    ['chain: a foreign CA itself', foreign.cert.der],
    ['chain: a server', issueServerCert({ ca, publicKey, ...server, nowMs: NOW_MS }).der],
    ['chain: the proxy', issueProxyCert({ ca, publicKey, instanceId: INSTANCE_ID, nowMs: NOW_MS }).der],
    [
      'chain: a person of a foreign CA',
      issueClientCert({ ca: foreign, publicKey, subject, nowMs: NOW_MS }).der,
    ],
    [
      'chain: a person of another instance',
      issueClientCert({ ca, publicKey, subject: { ...subject, instanceId: 'instance-2' }, nowMs: NOW_MS })
        .der,
    ],
    [
      'chain: a leaf as issuer',
      build({ ...byOther, issuer: name(ascii(USER_ID)), extensions: akiOf(other.publicKey) }),
    ],
    ['chain: signed by itself', build({ ...parts, issuer: parts.subject, signer: key.privateKey })],
    ['chain: an intermediate CA of path 0', build({ ...parts, extensions: caExtensions(int(hex('00'))) })],
    ['chain: an intermediate CA of path 3', build({ ...parts, extensions: caExtensions(int(hex('03'))) })],
    ['chain: a leaf of an intermediate CA', build({ ...byOther, issuer: name(ascii('intermediate')) })],
  ]);
}

/** True when this is signed by the trusted CA, so that more than the signature had to refuse it. */
export function isSignedByCa({ der }: Hostile, { ca }: World): boolean {
  const bytes = Buffer.from(der);
  if (bytes.length < 408) return false;
  return verify('sha512', bytes.subarray(4, -404), ca.cert.publicKey, bytes.subarray(-384));
}
