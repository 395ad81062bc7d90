import { createHash } from 'node:crypto';
import {
  ascii,
  bitString,
  EXTENSION_NAMES,
  type ExtensionName,
  extension,
  hex,
  int,
  keyId,
  name,
  OID,
  octets,
  oid,
  type Parts,
  seq,
  TRUE,
  tlv,
  uriName,
} from './builder.fixture.ts';
import type { World } from './world.fixture.ts';

type Named = readonly (readonly [string, Uint8Array])[];
/** A change of the good parts, by name. */
export type PartChanges = readonly (readonly [string, Partial<Parts>])[];

const FALSE = hex('010100');
const none = Buffer.alloc(0);
const isCritical = (id: ExtensionName): boolean => id === 'basicConstraints' || id === 'keyUsage';

/** The content of each extension of the good certificate, and what else it might say. */
export function extensionChanges(world: World): PartChanges {
  const good = world.parts.extensions;
  const put = (at: number, der: Uint8Array): Partial<Parts> => ({ extensions: good.with(at, der) });
  const of = (id: ExtensionName, value: Uint8Array, critical = isCritical(id) ? TRUE : none) =>
    put(EXTENSION_NAMES.indexOf(id), extension(OID[id], value, critical));
  const values: Readonly<Record<ExtensionName, Named>> = {
    basicConstraints: BASIC_CONSTRAINTS,
    keyUsage: KEY_USAGE,
    extKeyUsage: EXT_KEY_USAGE,
    subjectKeyId: subjectKeyIds(world),
    authorityKeyId: authorityKeyIds(world),
    altName: altNames(world),
  };
  return [
    ...EXTENSION_NAMES.flatMap((id, at) => shapes(good, id, at)),
    ...EXTENSION_NAMES.flatMap((id) =>
      values[id].map(([what, value]) => [`${id}: ${what}`, of(id, value)] as const),
    ),
    ...added(good),
    ['no extensions', { extensions: [] }],
    ['extensions reversed', { extensions: good.toReversed() }],
    ['altName alone', { extensions: good.slice(5) }],
  ];
}

// Missing, doubled, moved, other criticality, other bytes: for each of the six.
function shapes(good: readonly Uint8Array[], id: ExtensionName, at: number): PartChanges {
  const der = good[at] ?? none;
  const value = contentOf(der);
  const critical = isCritical(id) ? TRUE : none;
  const put = (changed: Uint8Array): Partial<Parts> => ({ extensions: good.with(at, changed) });
  const next = (at + 1) % good.length;
  return [
    [`${id} missing`, { extensions: good.toSpliced(at, 1) }],
    [`${id} doubled in place`, { extensions: good.toSpliced(at, 0, der) }],
    [`${id} doubled at the other end`, { extensions: next === 0 ? [der, ...good] : [...good, der] }],
    [`${id} swapped with the next`, { extensions: good.with(at, good[next] ?? none).with(next, der) }],
    [`${id} with the other criticality`, put(extension(OID[id], value, isCritical(id) ? none : TRUE))],
    [`${id} explicitly not critical`, put(extension(OID[id], value, FALSE))],
    [`${id} critical by 01 instead of ff`, put(extension(OID[id], value, hex('010101')))],
    [`${id} empty`, put(extension(OID[id], none, critical))],
    [
      `${id} with a byte behind its value`,
      put(extension(OID[id], Buffer.concat([value, hex('00')]), critical)),
    ],
    [`${id} with its value twice`, put(extension(OID[id], Buffer.concat([value, value]), critical))],
    [`${id} cut by one byte`, put(extension(OID[id], value.subarray(0, -1), critical))],
    [`${id} under another id`, put(extension(hex('551d63'), value, critical))],
    [`${id} in a BIT STRING`, put(seq(oid(OID[id]), critical, bitString(value)))],
    [`${id} with a NULL behind`, put(seq(oid(OID[id]), critical, octets(value), hex('0500')))],
  ];
}

/** The bytes inside the OCTET STRING at the end of an extension; all are shorter than 128. */
function contentOf(der: Uint8Array): Buffer {
  const bytes = Buffer.from(der);
  const isLong = bytes[1] === 0x81;
  const idEnd = (isLong ? 3 : 2) + 5;
  const octetsAt = bytes[idEnd] === 0x01 ? idEnd + 3 : idEnd;
  return bytes.subarray(octetsAt + 2);
}

const BASIC_CONSTRAINTS: Named = [
  ['a CA', seq(TRUE)],
  ['a CA of path 0', seq(TRUE, int(hex('00')))],
  ['a CA of path 1', seq(TRUE, int(hex('01')))],
  ['a CA of a negative path', seq(TRUE, int(hex('ff')))],
  ['explicitly no CA', seq(FALSE)],
  ['path 0 without a CA', seq(int(hex('00')))],
  ['a set', tlv(0x31)],
];

const KEY_USAGE: Named = [
  ['keyCertSign', bitString(hex('04'), 2)],
  ['digitalSignature and keyCertSign', bitString(hex('84'), 2)],
  ['digitalSignature and keyEncipherment', bitString(hex('a0'), 5)],
  ['digitalSignature and nonRepudiation', bitString(hex('c0'), 6)],
  ['cRLSign', bitString(hex('02'), 1)],
  ['keyAgreement', bitString(hex('08'), 3)],
  ['everything', bitString(hex('ff80'), 7)],
  ['nothing', bitString(none)],
  ['trailing zero bits', bitString(hex('80'), 0)],
  ['a trailing zero byte', bitString(hex('8000'), 7)],
  ['an unused bit that is set', bitString(hex('81'), 7)],
  ['8 unused bits', bitString(hex('80'), 8)],
];

const purposes = (...ids: readonly Uint8Array[]): Buffer => seq(...ids.map((id) => oid(id)));
const EXT_KEY_USAGE: Named = [
  ['serverAuth', purposes(OID.serverAuth)],
  ['clientAuth and serverAuth', purposes(OID.clientAuth, OID.serverAuth)],
  ['serverAuth and clientAuth', purposes(OID.serverAuth, OID.clientAuth)],
  ['clientAuth twice', purposes(OID.clientAuth, OID.clientAuth)],
  ['any', purposes(hex('551d2500'))],
  ['clientAuth and any', purposes(OID.clientAuth, hex('551d2500'))],
  ['codeSigning', purposes(hex('2b06010505070303'))],
  ['emailProtection', purposes(hex('2b06010505070304'))],
  ['timeStamping', purposes(hex('2b06010505070308'))],
  ['OCSPSigning', purposes(hex('2b06010505070309'))],
  ['smartcard logon', purposes(hex('2b060104018237140202'))],
  ['no purpose', seq()],
  ['clientAuth with a padded arc', purposes(hex('2b0601050507038002'))],
];

function subjectKeyIds({ other, parts }: World): Named {
  const spkiSha1 = createHash('sha1').update(parts.spki).digest();
  return [
    ['of another key', octets(keyId(other.publicKey))],
    ['by SHA-1', octets(spkiSha1)],
    ['of 32 bytes', octets(Buffer.alloc(32, 7))],
    ['of no bytes', octets()],
  ];
}

function authorityKeyIds({ foreign, ca, other }: World): Named {
  const right = tlv(0x80, keyId(ca.cert.publicKey));
  return [
    ['of a foreign CA', seq(tlv(0x80, keyId(foreign.cert.publicKey)))],
    ['of the leaf', seq(tlv(0x80, keyId(other.publicKey)))],
    ['with a serial', seq(right, tlv(0x82, hex('01')))],
    ['with issuer and serial', seq(right, tlv(0xa1, tlv(0xa4, name(ascii('x')))), tlv(0x82, hex('01')))],
    ['without an id', seq()],
    ['of no bytes', seq(tlv(0x80))],
  ];
}

function altNames({ uri, userId, instanceId }: World): Named {
  const right = uriName(uri);
  const uris = [
    ['another user', `urn:agent-runtime:${instanceId}:user:user_1111111111`],
    ['another instance', `urn:agent-runtime:instance-2:user:${userId}`],
    ['the proxy', `urn:agent-runtime:${instanceId}:proxy:caddy`],
    ['a server', `urn:agent-runtime:${instanceId}:server:${userId}`],
    ['upper case', uri.toUpperCase()],
    ['an upper-case scheme', uri.replace('urn', 'URN')],
    ['a NUL at the end', `${uri}\0`],
    ['a NUL and more', `${uri}\0.evil`],
    ['a NUL inside', uri.replace(':user:', ':user\0:')],
    ['a space at the end', `${uri} `],
    ['a line break at the end', `${uri}\n`],
    ['a part more', `${uri}:admin`],
    ['a query', `${uri}?role=overlord`],
    ['a fragment', `${uri}#overlord`],
    ['a percent sign', uri.replace('user_', 'user%5f')],
    ['no user', `urn:agent-runtime:${instanceId}:user:`],
    ['no instance', `urn:agent-runtime::user:${userId}`],
    ['another name space', uri.replace('agent-runtime', 'agent-runtimes')],
    ['a web address', `https://x/${userId}`],
    ['nothing', ''],
    ['one letter less', uri.slice(0, -1)],
    ['the text twice', uri + uri],
  ] as const;
  const others: Named = [
    ['two of the same', seq(right, right)],
    ['a second user behind', seq(right, uriName(uri.replace(userId, 'user_1111111111')))],
    ['a second user in front', seq(uriName(uri.replace(userId, 'user_1111111111')), right)],
    ['a DNS name too', seq(right, tlv(0x82, ascii('localhost')))],
    ['a DNS name in front', seq(tlv(0x82, ascii('localhost')), right)],
    ['a mail address too', seq(right, tlv(0x81, ascii('a@b.test')))],
    ['an IP address too', seq(right, tlv(0x87, hex('7f000001')))],
    ['a directory name too', seq(right, tlv(0xa4, name(ascii(userId))))],
    ['the text as DNS name', seq(tlv(0x82, ascii(uri)))],
    ['the text as mail address', seq(tlv(0x81, ascii(uri)))],
    ['the text as registered id', seq(tlv(0x88, ascii(uri)))],
    ['the text as other name', seq(tlv(0xa0, oid(hex('2b0601')), tlv(0xa0, tlv(0x0c, ascii(uri)))))],
    ['the text as directory name', seq(tlv(0xa4, name(ascii(uri))))],
    ['the text in a constructed value', seq(tlv(0xa6, ascii(uri)))],
    ['a letter of another alphabet', seq(uriName(Buffer.from(uri.replace('user:', 'us\u0435r:'))))],
    ['no names', seq()],
  ];
  return [...uris.map(([what, text]) => [what, seq(uriName(text))] as const), ...others];
}

/** Extensions that others know, with sensible content. */
const KNOWN: readonly (readonly [string, string, Uint8Array])[] = [
  ['name constraints', '551d1e', seq(tlv(0xa0, seq(uriName('.test'))))],
  ['a policy', '551d20', seq(seq(oid(hex('551d2000'))))],
  ['policy mappings', '551d21', seq(seq(oid(hex('2a0301')), oid(hex('2a0302'))))],
  ['policy constraints', '551d24', seq(tlv(0x80, hex('00')))],
  ['inhibit any policy', '551d36', int(hex('00'))],
  ['CRL points', '551d1f', seq(seq(tlv(0xa0, tlv(0xa0, uriName('http://x.test/crl')))))],
  ['a fresh CRL', '551d2e', seq(seq(tlv(0xa0, tlv(0xa0, uriName('http://x.test/crl')))))],
  [
    'access to the issuer',
    '2b06010505070101',
    seq(seq(oid(hex('2b06010505073001')), uriName('http://x.test'))),
  ],
  ['an issuer alt name', '551d12', seq(tlv(0x82, ascii('x.test')))],
  ['directory attributes', '551d09', seq(seq(oid(hex('550448')), tlv(0x31, tlv(0x0c, ascii('overlord')))))],
  ['a private key period', '551d10', seq(tlv(0x80, ascii('20260101000000Z')))],
  ['a Netscape type', '6086480186f8420101', bitString(hex('80'), 7)],
  ['a Netscape comment', '6086480186f842010d', tlv(0x16, ascii('hi'))],
  ['a proxy certificate', '2b0601050507010e', seq(seq(oid(hex('2b06010505071501'))))],
  ['a CT poison', '2b06010401d679020403', hex('0500')],
  ['an SCT list', '2b06010401d679020402', octets(hex('0000'))],
  ['a TLS feature', '2b06010505070118', seq(int(hex('05')))],
  ['no OCSP check', '2b0601050507300105', hex('0500')],
  ['an unknown one', '2a0304', ascii('x')],
];

function added(good: readonly Uint8Array[]): PartChanges {
  return KNOWN.flatMap(([what, id, value]) => {
    const plain = extension(hex(id), value);
    const critical = extension(hex(id), value, TRUE);
    return [
      [`${what} added behind`, { extensions: [...good, plain] }],
      [`${what} added in front`, { extensions: [plain, ...good] }],
      [`${what} added, critical`, { extensions: [...good, critical] }],
    ] as const;
  });
}
