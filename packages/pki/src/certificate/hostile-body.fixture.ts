import type { KeyObject } from 'node:crypto';
import {
  algorithm,
  ascii,
  bitString,
  extension,
  generalizedTime,
  hex,
  int,
  keyId,
  NULL,
  name,
  OID,
  octets,
  oid,
  type Parts,
  seq,
  tlv,
  uriName,
  utcTime,
} from './builder.fixture.ts';
import type { PartChanges } from './hostile-extensions.fixture.ts';
import type { World } from './world.fixture.ts';

/** Changes of everything in the signed part but the extensions. */
export function bodyChanges(world: World): PartChanges {
  return [
    ...VERSIONS,
    ...serials(world),
    ...algorithms(),
    ...names('issuer', 'agent-runtime CA 2026'),
    ...names('subject', world.userId),
    ...people(world),
    ...VALIDITIES.map(([what, validity]) => [`dates: ${what}`, { validity }] as const),
    ...keys(world),
    ...uniqueIds(),
  ];
}

const VERSIONS: PartChanges = [
  ['version left out (1)', { version: Buffer.alloc(0) }],
  ['version 1, spelled out', { version: tlv(0xa0, int(hex('00'))) }],
  ['version 2', { version: tlv(0xa0, int(hex('01'))) }],
  ['version 4', { version: tlv(0xa0, int(hex('03'))) }],
  ['version 3, padded', { version: tlv(0xa0, int(hex('0002'))) }],
  ['version -1', { version: tlv(0xa0, int(hex('ff'))) }],
  ['version without its tag', { version: int(hex('02')) }],
  ['version with an implicit tag', { version: tlv(0x80, hex('02')) }],
  ['version twice', { version: tlv(0xa0, int(hex('02')), int(hex('02'))) }],
];

function serials({ serial }: World): PartChanges {
  const bytes = Buffer.from(serial);
  const serials: readonly (readonly [string, Uint8Array])[] = [
    ['zero', hex('00')],
    ['one', hex('01')],
    ['minus one', hex('ff')],
    ['negative, of 16 bytes', Buffer.concat([hex('ff'), bytes.subarray(1)])],
    ['negative, smallest', Buffer.concat([hex('80'), Buffer.alloc(15)])],
    ['empty', Buffer.alloc(0)],
    ['15 bytes', bytes.subarray(0, 15)],
    ['17 bytes', Buffer.concat([bytes, hex('00')])],
    ['17 bytes with the top bit', Buffer.concat([hex('00ff'), bytes.subarray(1)])],
    ['20 bytes', Buffer.concat([bytes, hex('01020304')])],
    ['21 bytes', Buffer.concat([bytes, hex('0102030405')])],
    ['256 bytes', Buffer.alloc(256, 0x41)],
    ['padded with a zero', Buffer.concat([hex('00'), bytes])],
    ['small and padded to 16 bytes', Buffer.concat([Buffer.alloc(15), hex('01')])],
    ['without its second bit', Buffer.concat([hex('3f'), bytes.subarray(1)])],
  ];
  return [
    ...serials.map(([what, content]) => [`serial: ${what}`, { serial: int(content) }] as const),
    ['serial: left out', { serial: Buffer.alloc(0) }],
    ['serial: twice', { serial: Buffer.concat([int(bytes), int(bytes)]) }],
    ['serial: as bytes', { serial: octets(bytes) }],
    ['serial: as ENUMERATED', { serial: tlv(0x0a, bytes) }],
  ];
}

// Inside alone, then inside and outside with the hash that the name promises.
function algorithms(): PartChanges {
  const inside: readonly (readonly [string, Uint8Array])[] = [
    ['SHA-256', algorithm(OID.sha256Rsa)],
    ['SHA-1', algorithm(OID.sha1Rsa)],
    ['MD5', algorithm(OID.md5Rsa)],
    ['PSS', algorithm(OID.rsaPss, seq())],
    ['ECDSA', seq(oid(OID.ecdsaSha512))],
    ['plain RSA', algorithm(OID.rsa)],
    ['no parameters', seq(oid(OID.sha512Rsa))],
    ['parameters that are a SEQUENCE', algorithm(OID.sha512Rsa, seq())],
    ['parameters twice', algorithm(OID.sha512Rsa, Buffer.concat([NULL, NULL]))],
    ['nothing', seq()],
  ];
  const hashes = [
    ['sha384', OID.sha384Rsa],
    ['sha256', OID.sha256Rsa],
    ['sha1', OID.sha1Rsa],
    ['md5', OID.md5Rsa],
  ] as const;
  return [
    ...inside.map(([what, innerAlgorithm]) => [`algorithm inside: ${what}`, { innerAlgorithm }] as const),
    ...inside.map(([what, outerAlgorithm]) => [`algorithm outside: ${what}`, { outerAlgorithm }] as const),
    ...inside.map(
      ([what, id]) =>
        [`algorithm on both sides: ${what}`, { innerAlgorithm: id, outerAlgorithm: id }] as const,
    ),
    ...hashes.map(([hash, id]) => [`signed with ${hash}, and says so`, both(algorithm(id), hash)] as const),
    ...hashes.map(([hash]) => [`signed with ${hash}, and denies it`, { hash }] as const),
  ];
}

function both(id: Uint8Array, hash: string): Partial<Parts> {
  return { innerAlgorithm: id, outerAlgorithm: id, hash };
}

function names(part: 'issuer' | 'subject', text: string): PartChanges {
  const attribute = (type: string, value: string, tag = 0x0c): Buffer =>
    seq(oid(hex(type)), tlv(tag, ascii(value)));
  const rdn = (...attributes: readonly Uint8Array[]): Buffer => tlv(0x31, ...attributes);
  const common = attribute('550403', text);
  const unit = attribute('55040b', 'admins');
  const variants: readonly (readonly [string, Uint8Array])[] = [
    ['another', name(ascii('user_1111111111'))],
    ['empty', seq()],
    ['of an empty text', name(Buffer.alloc(0))],
    ['as PrintableString', name(ascii(text), 0x13)],
    ['as IA5String', name(ascii(text), 0x16)],
    ['as TeletexString', name(ascii(text), 0x14)],
    ['as BMPString', name(Buffer.from([...text].flatMap((char) => [0, char.charCodeAt(0)])), 0x1e)],
    ['as OCTET STRING', name(ascii(text), 0x04)],
    ['with a NUL at the end', name(ascii(`${text}\0`))],
    ['with a NUL and more', name(ascii(`${text}\0.evil`))],
    ['with a NUL in front', name(ascii(`\0${text}`))],
    ['with a space', name(ascii(`${text} `))],
    ['in upper case', name(ascii(text.toUpperCase()))],
    ['of broken UTF-8', name(Buffer.concat([ascii(text), hex('c3')]))],
    ['with an overlong character', name(Buffer.concat([ascii(text.slice(0, -1)), hex('c1b9')]))],
    ['of 2,000 letters', name(Buffer.alloc(2_000, 0x61))],
    ['twice', seq(rdn(common), rdn(common))],
    ['with a second one behind', seq(rdn(common), rdn(attribute('550403', 'user_1111111111')))],
    ['with a second one in front', seq(rdn(attribute('550403', 'user_1111111111')), rdn(common))],
    ['with two in one set', seq(rdn(common, unit))],
    ['with a unit behind', seq(rdn(common), rdn(unit))],
    ['with a unit in front', seq(rdn(unit), rdn(common))],
    ['with a mail address', seq(rdn(common), rdn(attribute('2a864886f70d010901', 'a@b.test', 0x16)))],
    ['under the id of a unit', seq(rdn(attribute('55040b', text)))],
    ['without its set', seq(common)],
  ];
  return variants.map(([what, der]) => [`${part} ${what}`, { [part]: der }] as const);
}

/** Subject and alternative name agree, but no user has such an id. */
function people({ parts, instanceId }: World): PartChanges {
  const ids = [
    '',
    'admin',
    'user_',
    'user_short',
    'task_0123456789',
    'user_0123456789:admin',
    '../user_0123456789',
  ];
  const odd = [
    'USER_0123456789',
    'user_0123456789\0',
    'user_012345678o',
    ' user_0123456789',
    'user_0123456789\n',
    '*',
  ];
  return [...ids, ...odd, `user_${'0'.repeat(41)}`].map((id) => {
    const uri = uriName(`urn:agent-runtime:${instanceId}:user:${id}`);
    const extensions = parts.extensions.with(5, extension(OID.altName, seq(uri)));
    return [`a person called ${JSON.stringify(id)}`, { subject: name(ascii(id)), extensions }] as const;
  });
}

const [START, END] = ['261130115500Z', '261230120000Z'];
const VALIDITIES: readonly (readonly [string, Uint8Array])[] = [
  ['swapped', seq(utcTime(END), utcTime(START))],
  ['a second longer', seq(utcTime(START), utcTime('261230120001Z'))],
  ['a second shorter', seq(utcTime(START), utcTime('261230115959Z'))],
  ['a year longer', seq(utcTime(START), utcTime('271230120000Z'))],
  ['without end', seq(utcTime(START), generalizedTime('99991231235959Z'))],
  ['from long ago', seq(utcTime('200101000000Z'), utcTime(END))],
  ['a moment', seq(utcTime(START), utcTime(START))],
  ['start as GeneralizedTime', seq(generalizedTime(`20${START}`), utcTime(END))],
  ['end as GeneralizedTime', seq(utcTime(START), generalizedTime(`20${END}`))],
  ['both as GeneralizedTime', seq(generalizedTime(`20${START}`), generalizedTime(`20${END}`))],
  ['start without seconds', seq(utcTime('2611301155Z'), utcTime(END))],
  ['end without seconds', seq(utcTime(START), utcTime('2612301200Z'))],
  ['start with an offset', seq(utcTime('261130115500+0000'), utcTime(END))],
  ['end with an offset', seq(utcTime(START), utcTime('261230120000+0000'))],
  ['start with another offset', seq(utcTime('261130125500+0100'), utcTime(END))],
  ['start without a zone', seq(utcTime('261130115500'), utcTime(END))],
  ['start in lower case', seq(utcTime('261130115500z'), utcTime(END))],
  ['start with a fraction', seq(generalizedTime('20261130115500.0Z'), utcTime(END))],
  ['end with a fraction', seq(utcTime(START), generalizedTime('20261230120000.5Z'))],
  ['start in month 13', seq(utcTime('261330115500Z'), utcTime(END))],
  ['start on 31 November', seq(utcTime('261131115500Z'), utcTime(END))],
  ['start at second 60', seq(utcTime('261130115460Z'), utcTime(END))],
  ['start at hour 24', seq(utcTime('261129245500Z'), utcTime(END))],
  ['start in another century', seq(utcTime('961130115500Z'), utcTime(END))],
  ['start with a space', seq(utcTime(' 61130115500Z'), utcTime(END))],
  ['start with a sign', seq(utcTime('-61130115500Z'), utcTime(END))],
  ['start with a NUL', seq(utcTime('261130115500Z\0'), utcTime(END))],
  ['start that is no time', seq(utcTime('now'), utcTime(END))],
  ['start that is empty', seq(utcTime(''), utcTime(END))],
  ['start as text', seq(tlv(0x0c, ascii(START)), utcTime(END))],
  ['no end', seq(utcTime(START))],
  ['three times', seq(utcTime(START), utcTime(END), utcTime(END))],
  ['none', seq()],
  ['a set', tlv(0x31, utcTime(START), utcTime(END))],
];

function keys({ parts, other, weak }: World): PartChanges {
  const pkcs1 = other.publicKey.export({ type: 'pkcs1', format: 'der' });
  const modulus = pkcs1.subarray(8, 8 + 385); // 30 82 LL LL 02 82 01 81, then a zero byte and 384 of modulus
  const rsa = (key: Uint8Array, id: Uint8Array = algorithm(OID.rsa), unused = 0): Buffer =>
    seq(id, bitString(key, unused));
  const e = int(hex('010001'));
  const fitting = (spki: Uint8Array): Partial<Parts> => ({ spki });
  return [
    [
      'key: of another person under this id',
      fitting(other.publicKey.export({ type: 'spki', format: 'der' })),
    ],
    ...weak.map(([what, key]) => [`key: ${what}`, withKey(parts, key)] as const),
    ['key: exponent 3', fitting(rsa(seq(int(modulus), int(hex('03')))))],
    ['key: exponent 1', fitting(rsa(seq(int(modulus), int(hex('01')))))],
    ['key: an even exponent', fitting(rsa(seq(int(modulus), int(hex('010000')))))],
    ['key: a padded exponent', fitting(rsa(seq(int(modulus), int(hex('00010001')))))],
    ['key: a padded modulus', fitting(rsa(seq(int(Buffer.concat([hex('00'), modulus])), e)))],
    ['key: a negative modulus', fitting(rsa(seq(int(modulus.subarray(1)), e)))],
    ['key: of PSS only', fitting(rsa(pkcs1, seq(oid(OID.rsaPss))))],
    ['key: without parameters', fitting(rsa(pkcs1, seq(oid(OID.rsa))))],
    ['key: of another kind', fitting(rsa(pkcs1, algorithm(hex('2a8648ce3d0201'))))],
    ['key: with unused bits', fitting(rsa(pkcs1, algorithm(OID.rsa), 1))],
    ['key: with a byte behind', fitting(rsa(Buffer.concat([pkcs1, hex('00')])))],
    ['key: with a number more', fitting(rsa(seq(int(modulus), e, e)))],
    ['key: with a part more', fitting(seq(algorithm(OID.rsa), bitString(pkcs1), NULL))],
    ['key: empty', fitting(seq(algorithm(OID.rsa), bitString(Buffer.alloc(0))))],
    ['key: in bytes instead of bits', fitting(seq(algorithm(OID.rsa), octets(pkcs1)))],
    ['key: left out', fitting(Buffer.alloc(0))],
    ['key: twice', fitting(Buffer.concat([parts.spki, parts.spki]))],
  ];
}

/** A weak key with the key id that fits it, so that nothing but its weakness is wrong. */
function withKey(parts: Parts, key: KeyObject): Partial<Parts> {
  const spki = key.export({ type: 'spki', format: 'der' });
  if (key.asymmetricKeyType !== 'rsa') return { spki };
  return { spki, extensions: parts.extensions.with(3, extension(OID.subjectKeyId, octets(keyId(key)))) };
}

function uniqueIds(): PartChanges {
  const id = bitString(hex('abcd')).subarray(2);
  return [
    ['a unique id of the issuer', { uniqueIds: tlv(0x81, id) }],
    ['a unique id of the subject', { uniqueIds: tlv(0x82, id) }],
    ['both unique ids', { uniqueIds: Buffer.concat([tlv(0x81, id), tlv(0x82, id)]) }],
    ['a NULL in front of the extensions', { uniqueIds: NULL }],
    ['a NULL behind the extensions', { behind: NULL }],
    ['extensions twice', { behind: tlv(0xa3, seq()) }],
    ['a part of another number behind', { behind: tlv(0xa4, seq()) }],
  ];
}
