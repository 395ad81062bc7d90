import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import {
  AppError,
  type AuditVerdict as AuditVerdictWire,
  type Checkpoint,
  ERROR_KINDS,
} from '@agent-runtime/domain';
import { verifyLog } from '@agent-runtime/engine';
import { dataPaths, readAuditFile, readCheckpoints, verifyAudit } from '@agent-runtime/store';
import { z } from 'zod';
import { makeSignatureCheck } from '../admin/signature-check.ts';
import type { World } from './world.ts';

/**
 * `audit-verify --file F`: checks the log inside a copied database against the signed heads that lie outside it, and every
 * signature of a person in it. Needs no runtime, no lock and no master key.
 * @returns exit code: 0 whole, 6 changed
 * @throws AppError audit.file.missing, audit.file.invalid, runtime.signer.missing, runtime.signer.invalid
 */
export async function auditVerify(
  world: Pick<World, 'config' | 'out' | 'isJson'>,
  file: string,
): Promise<number> {
  const path = resolve(file);
  const log = readAuditFile(path);
  try {
    const witness = readWitness(path, world.config.dataDir);
    const checkpoints = [...log.checkpoints, ...witness.checkpoints];
    const { publicKeyPem } = witness;
    const reply = await verifyLog({
      log: { verify: (also) => verifyAudit({ events: log.all(), checkpoints, publicKeyPem, also }) },
      reader: log,
      check: makeSignatureCheck(),
    });
    world.out(world.isJson ? `${JSON.stringify(reply)}\n` : verdictText(reply));
    return reply.ok ? 0 : ERROR_KINDS.conflict.exit;
  } finally {
    log.close();
  }
}

/** Heads and the signer's public key: of the data folder that the copy lies in, else of the configured one. */
function readWitness(
  file: string,
  dataDir: string,
): { readonly checkpoints: readonly Checkpoint[]; readonly publicKeyPem: string } {
  const own = dataPaths(dirname(dirname(file)));
  const paths = own.database === file && existsSync(own.auditKey) ? own : dataPaths(dataDir);
  return {
    checkpoints: readCheckpoints(paths.checkpoints).checkpoints,
    publicKeyPem: readSigner(paths.auditKey),
  };
}

const signerSchema = z.object({ publicKeyPem: z.string().includes('PUBLIC KEY') });

function readSigner(path: string): string {
  if (!existsSync(path)) {
    throw new AppError({
      code: 'runtime.signer.missing',
      kind: 'missing',
      message: `There is no ${join('audit', 'signing-key.json')} in the data folder, so nobody can say whose log this is. Set AGENT_RUNTIME_DATA_DIR to the folder that the copy came from.`,
    });
  }
  try {
    return signerSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).publicKeyPem;
  } catch (cause) {
    throw new AppError({
      code: 'runtime.signer.invalid',
      kind: 'invalid',
      message: `${path} is damaged: it holds no public key.`,
      cause,
    });
  }
}

function verdictText(verdict: AuditVerdictWire): string {
  if (verdict.ok)
    return `The log is whole: ${verdict.count} records, head ${verdict.head}\n${signaturesText(verdict)}\n`;
  const problems = verdict.problems.map(({ kind, seq, text }) => `  ${kind} at ${seq}: ${text}\n`).join('');
  return `THE LOG WAS CHANGED: ${verdict.problems.length} problems in ${verdict.count} records\n${problems}`;
}

function signaturesText({ signatures: { good, unchecked } }: AuditVerdictWire): string {
  const known = `Signatures of people: ${good} good`;
  return unchecked === 0
    ? `${known}.`
    : `${known}, ${unchecked} CANNOT BE CHECKED: the log does not hold the public keys of those people.`;
}
