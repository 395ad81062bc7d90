import type { AuditEvent } from './chain.ts';

/** A client key as the log knows it at some point. */
export interface KnownKey {
  readonly user: string;
  /** base64 of its SPKI; undefined where the record of its enrolment does not hold it. */
  readonly publicKey: string | undefined;
  /** Number of the record that ended it. */
  readonly endedBy?: number;
}

/** Client keys by the order of the log: enrolled, revoked, gone with their person. Memory: one entry per key. */
export interface KeyBook {
  /** Takes a record in. @returns what is wrong with it */
  note(event: AuditEvent): string | undefined;
  of(keyId: string): KnownKey | undefined;
}

/** @param keyIdOf id of a public key (base64 SPKI), undefined when it is none */
export function keyBook(keyIdOf: (publicKey: string) => string | undefined): KeyBook {
  const keys = new Map<string, KnownKey>();
  const end = (isMeant: (id: string, key: KnownKey) => boolean, seq: number): void => {
    for (const [id, key] of keys)
      if (key.endedBy === undefined && isMeant(id, key)) keys.set(id, { ...key, endedBy: seq });
  };
  return {
    of: (keyId) => keys.get(keyId),
    note: (event) => {
      switch (event.action) {
        case 'identity.enrol': {
          if (keys.has(event.subject)) return 'enrols a key that is enrolled already';
          const publicKey = textIn(event, 'publicKey');
          if (publicKey !== undefined && keyIdOf(publicKey) !== event.subject)
            return 'holds another public key than the one it names';
          keys.set(event.subject, { user: textIn(event, 'user') ?? '', publicKey });
          return undefined;
        }
        case 'identity.revoke_key':
          end((id) => id === event.subject, event.seq);
          return undefined;
        case 'identity.offboard':
          end((_id, key) => key.user === event.subject, event.seq);
          return undefined;
        default:
          return undefined;
      }
    },
  };
}

/** A text among the metadata of a record. */
export function textIn(event: AuditEvent, name: string): string | undefined {
  const value = event.data[name];
  return typeof value === 'string' ? value : undefined;
}
