import type { KeyObject } from 'node:crypto';
import { AppError } from '@agent-runtime/domain';
import { type ClientKey, exportPublicKey, importPublicKey } from '../key/index.ts';
import {
  childOf,
  childrenOf,
  contentOf,
  type Der,
  decode,
  embed,
  encode,
  integer,
  sequence,
  tagged,
} from './der.ts';
import { isSignedWith, signBody, splitSigned } from './envelope.ts';
import { nameOf } from './profile.ts';

const VERSION_1 = integer(Uint8Array.of(0));

/**
 * Asks for a certificate for this key (PKCS#10, DER). It says nothing about its owner: the server knows that from the
 * invite or from the certificate that is renewed.
 */
export function makeCsr(key: ClientKey): Uint8Array {
  const spki = embed(exportPublicKey(key.publicKey));
  return signBody(sequence(VERSION_1, nameOf('agent-runtime client'), spki, tagged(0)), key.privateKey);
}

/**
 * Takes the key out of a certificate request. Subject and attributes are not looked at.
 * @returns a public key of the one shape whose private half signed this request
 * @throws AppError certificate.request.invalid
 */
export function readCsr(csrDer: Uint8Array): KeyObject {
  const signed = splitSigned(csrDer);
  const publicKey = signed && keyIn(decode(signed.body));
  if (signed !== undefined && publicKey !== undefined && isSignedWith(signed, publicKey)) return publicKey;
  throw new AppError({
    code: 'certificate.request.invalid',
    kind: 'invalid',
    message:
      'This is not a certificate request as agent-runtime makes it (PKCS#10 DER, RSA-3072, sha512WithRSAEncryption, ' +
      'signed by its own key). Update agent-runtime on this client, then try again.',
  });
}

// Version, subject, key, attributes: these four, of which the first and the third count.
function keyIn(info: Der | undefined): KeyObject | undefined {
  const spki = childOf(info, 2);
  const isVersion1 = Buffer.compare(contentOf(childOf(info, 0)), contentOf(VERSION_1)) === 0;
  if (spki === undefined || childrenOf(info).length !== 4 || !isVersion1) return undefined;
  try {
    return importPublicKey(encode(spki));
  } catch {
    return undefined;
  }
}
