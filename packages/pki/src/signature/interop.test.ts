import { describe, expect, it } from 'vitest';
import { importPublicKey, keyIdOf } from '../key/index.ts';
import { BOOT_HEADER, NonceCache, verifyRequest } from './index.ts';

// A request signed once by an implementation that is not ours: http-message-sig 0.3.0 (Cloudflare), given the components
// and parameters of our profile and a throw-away key of which only this public half was kept.
const SPKI_DER = Buffer.from(
  [
    'MIIBojANBgkqhkiG9w0BAQEFAAOCAY8AMIIBigKCAYEAvM9IBNe/Y0lcwp6KIHt/jmS5kioWl4Y5uJfdk6C/DMgxFyRRqhcC',
    'lY3ueacB/3SD7yzwJkAP98hx0iGgyWf6sBztuJEeeNINISkfGmfb+ofme9+CvfQc/gMgCx1oQme+sodT8jPOOwUW5CaH1RyA',
    'GswOYe6W4rh7Q0Ns63A+ABg63KGXj5T7P2XYghVC1ZzZTCJw3FpR8EI3DAT0cHi8P7d0XHIhZifITcBvZxLTmZZVZJfDxiEK',
    'f9LlSG4KNs6i/xa48QtnG70H6tW3xMPxv9cTYPSSjjja982bpkUpmaIVodKsejz9SBPwG07fBWtCtjh741NcWWA7gkDmo5L3',
    'kePFOog8BYpiAtyodGz+DiszvvgR6sYId5UNYvePNDrDyqIlIBMJ/DVS2r12AwwXKlLkykMLpI/4KwkfYgZ6Z/WZPMOo2qfP',
    'lgK3mBpfGBwJJsrzc16QecbO6AARU3ZGvZ+E2DxiDQB5f4CtN2YxRsrn0EsaAZ3LkEyZvkrgapbxAgMBAAE=',
  ].join(''),
  'base64',
);
const SIGNATURE = [
  'sig=:sTL1Zong6LvmaOtlQskx33vDmOz3sm/0SbeSMNqhRXXiaWg9xqTwGjpiXneyaWeSuScxb/kLci4TJfaVXl8xjfoW9j/',
  'M15j4tw0YCO+Ej6m6S/oCZwXyrAFt+zR5mQw/GBQ5XRwXzBVdKyuJTVpoFEXNclF1mgxdTTuU0Ro6TwaCLYZCVR9ODcDgpct',
  '7lgMGudIMOjzDGwb4BDuFWIGvj7Ckbo8A8l8vbVJa6A4+IcTGW9GvHmznP9UHGkfk99TqJbcIaLQAzgYj+v8bZlYPmC9uPD7',
  'OAlc2uxBb1x1YmS9BeBsWTkUj1sSXEIFDc9PMvbJaRlhFgm46IoQpLPO/ECGrN5g7r11hL7ieaqtBhmVnSww3Iz3GQTJwarz',
  'fRIZ0Kxgj0F6DUumJ+QV/NNLmx9IkzpOMsbL16N+hgmFq+aPD5wA3mbFl8uaf6lV9eanWepTfW+/lm0FMV04ikcGnvOnA+3f',
  'rIAOoPi31yO13kRxWBQ2dt8YyvW7EqMILm+3A:',
].join('');
const DIGEST = [
  'sha-512=:ni5x91PIvD0QXSD8bXrfxYBCEqENsOIu2XY8IkQf7jvc8OuTCV3DVFBXZ9S1lZri5yKAQeaPcZlMnQP+uNB4PQ=',
  '=:',
].join('');
const KEY_ID = 'cLXw6HLit4F1cWew2e-AbUl0a5iTSyD6D6sjnVoaors';
const BOOT_ID = 'boot_0123456789abcdef';

describe('a request signed by another implementation of RFC 9421', () => {
  it('is accepted', async () => {
    const publicKey = importPublicKey(SPKI_DER);
    expect(keyIdOf(publicKey)).toBe(KEY_ID);
    const verified = await verifyRequest({
      method: 'POST',
      authority: 'admin.test:8443',
      path: '/admin/v1/approvals',
      query: '?limit=5',
      body: new TextEncoder().encode('{"decision":"approve"}'),
      headers: {
        'content-digest': DIGEST,
        [BOOT_HEADER]: BOOT_ID,
        'signature-input':
          'sig=("@method" "@authority" "@path" "@query" "content-digest" "x-agent-runtime-boot")' +
          `;created=1795219200;nonce="abcdefghijklmnopqrstuv";keyid="${KEY_ID}"` +
          ';alg="rsa-pss-sha512";tag="agent-runtime-admin"',
        signature: SIGNATURE,
      },
      bootId: BOOT_ID,
      nowMs: 1_795_219_200_000,
      nonces: new NonceCache(),
      lookupKey: () => publicKey,
    });
    expect(verified.keyId).toBe(KEY_ID);
  });
});
